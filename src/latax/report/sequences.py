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
from latax.physics import PDESystem
from latax.report import figures
from latax.report.content import Figure

SHOWN = 6
#: So many numbers at each time, and more, are also shown as a picture.
FIELD = 8


def sequence_figures(
    found: SequenceAssessment, estimator: AbstractSequenceEstimator, held_out: Samples
) -> list[Figure]:
    """Fits, and what goes on beyond the data."""
    shown = _shown(held_out)
    return _over_time(estimator, shown, {"model": estimator.project(shown)}, {})


def physics_figures(found: PhysicsAssessment, estimator: PhysicsVAE, held_out: Samples) -> list[Figure]:
    """Fits, what goes on beyond the data, the corrections, the parameters with their intervals, and what each part
    explains."""
    shown = _shown(held_out)
    ladder = estimator.ladder(shown)
    estimates = estimator.parameters(held_out)
    made = {"full model": ladder.full, "physics alone": ladder.physics}
    added = {"of rates": ladder.with_inside - ladder.physics, "of observations": ladder.full - ladder.with_inside}
    used = {name: values for name, values in added.items() if np.any(values)}
    return [
        *(_over_time(estimator, shown, made, used) if estimator.times_ else _without_time(shown, made)),
        *(
            figures.estimates_figure(name, estimator.units_[name], estimates[name], found.prior_left[name])
            for name in estimates
        ),
        figures.shares_figure(found.shares),
    ]


def _over_time(
    estimator: AbstractSequenceEstimator | PhysicsVAE,
    shown: Samples,
    curves: Mapping[str, Any],
    corrections: Mapping[str, Any],
) -> list[Figure]:
    times = np.asarray(estimator.times_)
    longer = np.concatenate([times, times[-1] + np.cumsum(np.diff(times))])
    X = np.asarray(shown.X, np.float64).reshape(len(shown), len(times), -1)
    numbers = X.shape[2]
    # Of several numbers at each time the one that tells most: a field may be still at its edge.
    one = int(np.argmax(X.var(axis=(0, 1))))
    which = "" if numbers == 1 else f"Of {numbers} numbers at each time this is number {one + 1}, which varies most."
    line = lambda values: np.asarray(values, np.float64).reshape(len(X), -1, numbers)[:, :, one]
    lines = lambda several: {name: line(values) for name, values in several.items()}
    note = " ".join(part for part in (which, first_state(estimator)) if part)
    data, ahead = X[:, :, one], line(estimator.predict(shown, longer))
    shown_over_time = [
        figures.sequences_figure(times, data, lines(curves), note=note),
        figures.extrapolation_figure(times, data, longer, ahead, note=which),
    ]
    if corrections:
        shown_over_time.append(figures.corrections_figure(times, data, lines(corrections), note=which))
    if numbers >= FIELD:
        order, which_first = _whole_fields(estimator, numbers)
        flat = {
            name: np.asarray(x, np.float64).reshape(len(X), -1, numbers)[:, :, order].reshape(len(X), -1)
            for name, x in {"data": X, **curves}.items()
        }
        caption = f"Time goes down, the {numbers} numbers of each time across{which_first}."
        title = "Held-out fields and their reconstruction"
        shown_over_time.insert(1, figures.parts_figure(flat, (len(times), numbers), title=title, note=caption))
    return shown_over_time


def _whole_fields(estimator: object, numbers: int) -> tuple[np.ndarray, str]:
    """An order of the numbers of one time in which those of each field of a physics are together, in words too."""
    physics = estimator._centred.physics if isinstance(estimator, PhysicsVAE) else None
    if not isinstance(physics, PDESystem):
        return np.arange(numbers), ""
    names = physics.parts.observed
    return np.arange(numbers).reshape(-1, len(names)).T.ravel(), f": {', then '.join(names)}"


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
