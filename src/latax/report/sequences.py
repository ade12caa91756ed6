"""What a report shows of models of sequences, images and profiles, with a physics or without."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from latax.data import Samples
from latax.estimators.neural_ode_vae import NeuralODEVAE
from latax.estimators.physics_assessment import PhysicsAssessment
from latax.estimators.physics_vae import PhysicsVAE
from latax.estimators.sequence_assessment import SequenceAssessment
from latax.estimators.sequence_estimator import AbstractSequenceEstimator
from latax.report import figures
from latax.report.content import Figure

SHOWN = 6


def sequence_figures(
    found: SequenceAssessment, estimator: AbstractSequenceEstimator, held_out: Samples
) -> list[Figure]:
    """Fits, and what goes on beyond the data."""
    shown = _shown(held_out)
    return _over_time(estimator, shown, {"model": estimator.project(shown)})


def physics_figures(found: PhysicsAssessment, estimator: PhysicsVAE, held_out: Samples) -> list[Figure]:
    """Fits, what goes on beyond the data, the parameters with their intervals, and what each part explains."""
    shown = _shown(held_out)
    ladder = estimator.ladder(shown)
    estimates = estimator.parameters(held_out)
    made = {"full model": ladder.full, "physics alone": ladder.physics}
    return [
        *(_over_time(estimator, shown, made) if estimator.times_ else _without_time(shown, made)),
        *(
            figures.estimates_figure(name, estimator.units_[name], estimates[name], found.prior_left[name])
            for name in estimates
        ),
        figures.shares_figure(found.shares),
    ]


def _over_time(
    estimator: AbstractSequenceEstimator | PhysicsVAE, shown: Samples, curves: Mapping[str, Any]
) -> list[Figure]:
    times = np.asarray(estimator.times_)
    data = _first_column(shown.X, len(times))
    longer = np.concatenate([times, times[-1] + np.cumsum(np.diff(times))])
    ahead = _first_column(estimator.predict(shown, longer), len(longer))
    return [
        figures.sequences_figure(
            times, data, {name: _first_column(x, len(times)) for name, x in curves.items()}, note=first_state(estimator)
        ),
        figures.extrapolation_figure(times, data, longer, ahead),
    ]


def first_state(estimator: object) -> str:
    """What to know of the numbers of a model that begins at the first observation; nothing of other models."""
    if not isinstance(estimator, NeuralODEVAE | PhysicsVAE) or estimator.infers_initial or not estimator.times_:
        return ""
    return (
        "The first observation is also the initial state: the model has it as it is, noise included, and it is counted "
        "in the errors and in the bound all the same."
    )


def _without_time(shown: Samples, made: Mapping[str, Any]) -> list[Figure]:
    flat = {name: np.asarray(x, np.float64).reshape(len(x), -1) for name, x in made.items()}
    X = np.asarray(shown.X, np.float64)
    if not figures.is_image(shown.sample_shape):
        return [
            figures.sequences_figure(np.arange(X.shape[1], dtype=np.float64), X, flat, along="number in the sample")
        ]
    return [
        figures.parts_figure({"data": X, **flat, "data less full model": X - flat["full model"]}, shown.sample_shape)
    ]


def _shown(held_out: Samples) -> Samples:
    return held_out.take(np.unique(np.linspace(0, len(held_out) - 1, SHOWN).astype(int)))


def _first_column(X: Any, count: int) -> np.ndarray:
    """One number for each time of each sequence: the first that is observed."""
    return np.asarray(X, np.float64).reshape(len(X), count, -1)[:, :, 0]
