"""Is this fit any good? The numbers that a diagnosis and a report are made of, on held-out data."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Int

from latax import calculus
from latax.data import Samples
from latax.estimators.base import AbstractEstimator
from latax.estimators.density_verbs import ManifoldVerbs
from latax.estimators.rows import map_rows
from latax.evaluate import Calibration, Diagnosis, Finding, MetricSpectrum, calibration, metric_spectrum, rules

#: Rows that are looked at; more would change no verdict.
MOST_ROWS = 5000
SPECTRUM_ROWS = 1000


@dataclass(frozen=True)
class Assessment:
    """What is known about a fit on held-out rows, in data units and nats.

    - `scored`: the parts of the log density of each row; `base`: its point of the base space.
    - `calibration`: whether the base points are standard normal, as they should be.
    - `training_log_prob`, `training_errors`: the same of training rows, where they were given.
    - `errors`, `pca_error`, `data_scale`: distances to the manifold, the root mean square of those of PCA with the same
        latent size, and the root mean square distance of the data from their mean. None for ambient models.
    - `spectrum`: the singular values of the decoder's Jacobian. None for ambient models.
    """

    scored: Any
    base: Float[np.ndarray, "N n"]
    calibration: Calibration
    diagnosis: Diagnosis
    data_scale: float
    training_log_prob: Float[np.ndarray, " M"] | None = None
    errors: Float[np.ndarray, " N"] | None = None
    training_errors: Float[np.ndarray, " M"] | None = None
    pca_error: float | None = None
    spectrum: MetricSpectrum | None = None


def assess(estimator: AbstractEstimator, held_out: Samples, training: Samples | None = None) -> Assessment:
    """Judges a fitted estimator by held-out samples, and by the difference to training samples where given."""
    held_out = _some(held_out)
    training = None if training is None else _some(training)
    scored = estimator._log_prob(held_out, None)
    trained = None if training is None else estimator._log_prob(training, None)
    base = estimator.base(held_out)
    x = np.asarray(held_out.X, np.float64)
    scale = _rms(np.linalg.norm(x - x.mean(axis=0), axis=1))
    calibrated = calibration(base)
    known: dict[str, Any] = {
        "scored": scored,
        "base": base,
        "calibration": calibrated,
        "data_scale": scale,
        "training_log_prob": None if trained is None else trained.log_prob,
    }
    findings = []
    if isinstance(estimator, ManifoldVerbs):
        known |= _manifold(estimator, held_out, training, scored, trained)
        findings += _manifold_findings(known, scale)
    else:
        findings += [_thinness(estimator, held_out, scored.log_prob)]
    findings += _density_findings(calibrated, scored.log_prob, known["training_log_prob"], base.shape[1])
    findings += _history_findings(estimator)
    return Assessment(diagnosis=Diagnosis(tuple(findings)), **known)


def spread(rows: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " some"]:
    """At most `MOST_ROWS` of these rows, spread evenly."""
    if len(rows) <= MOST_ROWS:
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64))]


def _some(samples: Samples) -> Samples:
    return samples.take(spread(np.arange(len(samples))))


def _manifold(
    estimator: AbstractEstimator, held_out: Samples, training: Samples | None, scored: Any, trained: Any
) -> dict[str, Any]:
    jacobians = map_rows(
        _jacobian,
        estimator._centred,
        np.asarray(scored.latent[:SPECTRUM_ROWS]),
        None if held_out.context is None else estimator._context(held_out.context[:SPECTRUM_ROWS]),
    )
    values = np.linalg.svd(jacobians, compute_uv=False)
    found = {"errors": scored.reconstruction_error, "spectrum": metric_spectrum(values)}
    if trained is not None and training is not None:
        found["training_errors"] = trained.reconstruction_error
        found["pca_error"] = _pca_error(training, held_out, scored.latent.shape[1])
    return found


def _manifold_findings(known: dict[str, Any], scale: float) -> list[Finding]:
    errors, spectrum = known["errors"], known["spectrum"]
    findings = [rules.reconstruction_against_scale(_rms(errors), scale)]
    if "training_errors" in known:
        training = known["training_errors"]
        findings += [
            rules.reconstruction_against_pca(_rms(errors), known["pca_error"], scale),
            rules.off_manifold(rules.off_manifold_fraction(errors, training), len(errors)),
            rules.error_gap(_rms(training), _rms(errors)),
        ]
    return [
        *findings,
        rules.metric_condition(float(np.median(spectrum.condition))),
        rules.unused_latents(spectrum.unused_directions(), spectrum.singular_values.shape[1]),
    ]


def _density_findings(
    calibrated: Calibration, log_prob: np.ndarray, training: np.ndarray | None, size: int
) -> list[Finding]:
    findings = [rules.density_calibration(calibrated.worst_error, calibrated.worst_noise)]
    lost = int((~np.isfinite(log_prob)).sum())
    if lost:
        findings.append(rules.not_finite(lost, len(log_prob), "a log density"))
    if training is not None:
        error = float(np.hypot(*(np.nanstd(v) / np.sqrt(len(v)) for v in (log_prob, training))))
        gap = rules.log_prob_gap(float(training.mean()), float(log_prob.mean()), size, standard_error=error)
        findings.append(gap)
    return findings


def _thinness(estimator: AbstractEstimator, held_out: Samples, log_prob: np.ndarray) -> Finding:
    """How much a little noise costs: an ambient density that is a thin sheet loses a lot."""
    x = np.asarray(held_out.X, np.float64)
    noise = np.random.default_rng(0).normal(size=x.shape) * 0.01 * x.std(axis=0)
    noisy = Samples(x + noise, held_out.context, held_out.feature_names, held_out.context_names)
    return rules.thin_density(float(np.mean(log_prob - estimator._log_prob(noisy, None).log_prob)), x.shape[1])


def _history_findings(estimator: AbstractEstimator) -> list[Finding]:
    findings = []
    for phase in dict.fromkeys(record["phase"] for record in estimator.history_):
        values = [r["validation"] for r in estimator.history_ if r["phase"] == phase and "validation" in r]
        if values:
            best = np.asarray(values)[:, estimator.best_]
            unit = "relative" if phase == "manifold" else "nats"
            findings.append(rules.still_improving(phase, best, unit=unit))
    return findings


def _pca_error(training: Samples, held_out: Samples, latent_size: int) -> float:
    """Root mean square distance of held-out rows from the principal subspace of the training rows."""
    from sklearn.decomposition import PCA

    x, y = np.asarray(training.X, np.float64), np.asarray(held_out.X, np.float64)
    found = PCA(min(latent_size, *x.shape), svd_solver="full").fit(x)
    return _rms(np.linalg.norm(y - found.inverse_transform(found.transform(y)), axis=1))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _jacobian(module: Any, u: Array, context: Array | None) -> Array:
    return calculus.jacobian_by_jvps(lambda u: module.decode(u, context), u)[1]
