"""Is a fit of forecasts any good? Numbers on held-out trajectories that say so."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from latax.data import Samples
from latax.estimators.assessment import Assessment, history_findings, spread
from latax.estimators.rows import map_rows
from latax.evaluate import Diagnosis, rules
from latax.evaluate.forecasts import nearest_rows, relative_l1
from latax.models.dynamic_manifold import DynamicManifoldVAE as Module
from latax.models.dynamic_objective import Look, look

#: Held-out trajectories that are forecast, and numbers of them in all.
_MOST, _NUMBERS = 500, 2**26
#: Held-out trajectories and times at which the manifold is looked at.
_POINTS, _MOMENTS = 64, 9


@dataclass(frozen=True, kw_only=True)
class ForecastAssessment(Assessment):
    """What is known about forecasts, on held-out trajectories.

    - `errors`: relative L1 error of each trajectory at each time; `nearest`: that of the training trajectory whose
        first state is nearest, where training rows were given.
    - `moments`: times, in units of the observed window, at which the manifold was looked at; `manifold`: what was
        found, arrays (moments, points). None for models without a manifold that follows a flow.
    """

    errors: Float[np.ndarray, "N T"]
    nearest: Float[np.ndarray, "N T"] | None = None
    moments: Float[np.ndarray, " M"] | None = None
    manifold: Look | None = None


def assess_forecasts(estimator: Any, held_out: Samples, training: Samples | None) -> ForecastAssessment:
    """Judges forecasts by held-out trajectories, against a look-up, and the manifold where there is one."""
    most = max(1, min(_MOST, _NUMBERS // held_out.X.shape[1]))
    held_out = held_out.take(spread(np.arange(len(held_out)))[:most])
    x = _by_time(estimator, held_out)
    errors = relative_l1(_by_time(estimator, estimator.project(held_out)), x)
    nearest, findings = None, []
    if training is not None:
        nearest = relative_l1(_looked_up(estimator, training, x[:, 0]), x)
        findings.append(rules.forecast_against_nearest(_middle(errors), _middle(nearest)))
    moments: Any = None
    manifold: Any = None
    if estimator.name == "vae-dlm":
        moments = np.linspace(0, 1, _MOMENTS)
        manifold = looked_at(estimator, x[:_POINTS, 0], moments)
        findings += [
            rules.manifold_condition(float(np.median(manifold.condition))),
            rules.flow_residual(float(np.median(manifold.residual))),
            rules.order_violation(float(manifold.violation.mean())),
        ]
        if estimator._setting("metric") == "network":
            findings.append(rules.metric_mismatch(float(np.median(manifold.mismatch))))
    size = np.sqrt(np.mean(np.asarray(estimator.encode(x[:, 0]).mean, np.float64) ** 2, axis=0))
    findings.append(rules.latent_size_against_prior(float(size.max())))
    diagnosis = Diagnosis((*findings, *history_findings(estimator)))
    return ForecastAssessment(diagnosis=diagnosis, errors=errors, nearest=nearest, moments=moments, manifold=manifold)


def _looked_up(estimator: Any, training: Samples, starts: Float[np.ndarray, "N S"]) -> Float[np.ndarray, "N T S"]:
    """The training trajectories whose first states are nearest; of all others only these states are kept."""
    known = np.asarray(estimator.first_states(training), np.float64).reshape(len(training), -1)
    rows, places = np.unique(nearest_rows(known, starts), return_inverse=True)
    return _by_time(estimator, training.take(rows))[places]


def _by_time(estimator: Any, samples: Any) -> Float[np.ndarray, "N T S"]:
    x = samples.X if isinstance(samples, Samples) else samples
    return np.asarray(x, np.float64).reshape(len(x), len(estimator.times_), -1)


def _middle(errors: Float[np.ndarray, "N T"]) -> float:
    """The median over trajectories of their mean over time."""
    return float(np.median(np.mean(errors, axis=1)))


def looked_at(
    estimator: Any, starts: Float[np.ndarray, "P S"], moments: Float[np.ndarray, " M"], least: float | None = None
) -> Look:
    """What the manifold of a fitted VAE-DLM is like where these initial states are on it, arrays (moments, states).

    `moments` are times in units of the observed window; `least` is κ of the violations, the model's own by default.
    """
    Z = estimator.encode(starts).mean
    rows = np.repeat(moments.astype(np.float32), len(Z))
    bounds = np.full(len(rows), estimator._setting("least") if least is None else least, np.float32)
    found = map_rows(_look, estimator._centred, np.tile(Z, (len(moments), 1)), rows, bounds)
    return Look(*(np.asarray(values, np.float64).reshape(len(moments), len(Z)) for values in found))


def _look(module: Module, v: Array, t: Array, least: Array) -> Look:
    return look(module, v, t, least)
