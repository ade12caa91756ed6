"""Measures of models of sequences, with a physics or without, where the truth is known."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.data import Samples
from latax.estimators import PhysicsVAE
from latax.estimators.sequence_estimator import AbstractSequenceEstimator
from latax.studies.contest import Measure

#: The truth without noise at other times or for other parameters: (true parameters, times) -> (N, T, ...).
Solve = Callable[[Mapping[str, np.ndarray], np.ndarray], np.ndarray]
#: (model, whether intervals admit a discrepancy) -> its estimates of the parameters of the test samples.
Estimates = Callable[[Any, bool], Mapping[str, Any]]


def reconstruction_norm(test: Samples) -> Measure:
    """The mean reconstruction error: of the Euclidean norm of what is missed of a sequence."""
    return lambda model: float(np.mean(norms(_projected(model, test), test.X)))


def absolute_error(test: Samples) -> Measure:
    """Mean absolute error of a number of a sequence: "element MAE"."""
    return lambda model: float(np.mean(np.abs(_projected(model, test) - np.asarray(test.X))))


def extrapolation_norm(test: Samples, solve: Solve) -> Measure:
    """The mean Euclidean norm of the error against the truth without noise over a further window as long as the
    observed one. None without a way to go on beyond the data."""
    times = np.asarray(test.times)
    ahead = np.concatenate([times, times[-1] + np.cumsum(np.diff(times))])
    truth = solve(test.truth, ahead)[:, len(times) :]

    def measure(model: Any) -> float | None:
        if not isinstance(model, AbstractSequenceEstimator | PhysicsVAE):
            return None
        return float(np.mean(norms(model.predict(test, ahead)[:, len(times) :], truth)))

    return measure


def estimates(test: Samples) -> Estimates:
    """The parameters of the test samples, remembered while several measures ask for those of one model."""
    return functools.lru_cache(maxsize=16)(lambda model, discrepancy: model.parameters(test, discrepancy=discrepancy))


def counterfactual_norm(test: Samples, found: Estimates, name: str, factors: Sequence[float], solve: Solve) -> Measure:
    """The mean Euclidean norm of the error against the truth without noise when a parameter is multiplied, the
    inferred one as the true one.

    Of sequences where the true one stays within the parameter's bounds, the same for every model; an inferred one that
    does not is moved to the bound. None without a physics.
    """
    changed = [{**test.truth, name: test.truth[name] * factor} for factor in factors]
    truths = [solve(truth, np.asarray(test.times)) for truth in changed]

    def measure(model: Any) -> float | None:
        if not isinstance(model, PhysicsVAE):
            return None
        value, bounds = found(model, True)[name].value, model._physics().parameters[name]
        errors = []
        for factor, truth in zip(factors, truths, strict=True):
            wanted = test.truth[name] * factor
            rows = np.flatnonzero((wanted > bounds.lower) & (wanted < bounds.upper))
            moved = np.clip(value[rows] * factor, bounds.lower, bounds.upper)
            made = model.intervene(test.take(rows), **{name: moved})
            errors.append(norms(made, truth[rows]))
        return float(np.mean(np.concatenate(errors)))

    return measure


def parameter_measures(test: Samples, found: Estimates, name: str) -> dict[str, Measure]:
    """Error, bias, correlation and coverage of one parameter. None without a physics."""
    truth = test.truth[name]
    within = lambda estimate: np.mean((estimate.low < truth) & (truth < estimate.high))
    summaries = {
        f"{name} MAE": (True, lambda estimate: np.mean(np.abs(estimate.value - truth))),
        f"{name} bias": (True, lambda estimate: np.mean(estimate.value - truth)),
        f"{name} correlation": (True, lambda estimate: np.corrcoef(estimate.value, truth)[0, 1]),
        f"{name} in its 90 % interval": (True, within),
        "the same, without discrepancy": (False, within),
    }
    return {label: _parameter(found, name, *summary) for label, summary in summaries.items()}


def _parameter(found: Estimates, name: str, discrepancy: bool, summary: Callable[[Any], Any]) -> Measure:
    def measure(model: Any) -> float | None:
        return float(summary(found(model, discrepancy)[name])) if isinstance(model, PhysicsVAE) else None

    return measure


def physics_share(test: Samples) -> Measure:
    """Median share of the reconstruction that the physics explains. None without a physics that knows something."""
    knows = lambda model: isinstance(model, PhysicsVAE) and model.units_
    return lambda model: float(np.nanmedian(model.explain(test).physics)) if knows(model) else None


def norms(made: Any, wanted: Any) -> Float[np.ndarray, " N"]:
    """Euclidean norm of the difference of each sample."""
    made = np.asarray(made, float)
    return np.linalg.norm((made - np.asarray(wanted).reshape(made.shape)).reshape(len(made), -1), axis=1)


def _projected(model: Any, test: Samples) -> np.ndarray:
    return np.asarray(model.project(test), float).reshape(test.X.shape)
