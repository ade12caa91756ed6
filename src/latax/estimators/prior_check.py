"""Before a fit: does the physics give finite samples for what its prior allows?"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from latax._errors import DataError, DataWarning
from latax._wording import row_name
from latax.estimators.rows import map_rows
from latax.physics import ClosedForm
from latax.physics.physics import AbstractDynamics

#: Draws of the prior that are tried, each beside a row of the data.
TRIED = 256


def check_sequences(
    physics: AbstractDynamics,
    X: Float[np.ndarray, "N T *sample"],
    times: list[float],
    names: Sequence[str] = (),
) -> None:
    """Solves the physics alone from first observations of the data, for draws of its prior.

    Where solutions explode it names a sequence and the parameters: a `DataWarning` if some do, and a `DataError` if
    nearly all do. `X` need not be all of the data; `names`: of its rows, for messages.
    """
    rows = np.arange(TRIED) % len(X)
    names = names or [row_name(row, (), "sequence") for row in range(len(X))]
    cure = ", give its solver smaller steps (FixedStep(substeps=...)), or let it choose them (Adaptive())"
    tried = [names[row] for row in rows.tolist()]
    _judge(physics, _Solved(tuple(times)), np.asarray(X[rows, 0], np.float32), tried, cure)


def check_formula(physics: ClosedForm) -> None:
    """As `check_sequences`, for a physics that needs no data."""
    _judge(physics, _evaluated, np.zeros(TRIED, np.float32), None, ", or mend its function")


def _judge(physics: Any, trial: Any, x: np.ndarray, names: Sequence[str] | None, cure: str) -> None:
    keys = np.asarray(jr.key_data(jr.split(jr.key(0), TRIED)))
    values, finite = map_rows(trial, physics, keys, x)
    lost = np.flatnonzero(~finite)
    if not len(lost):
        return
    pairs = zip(physics.parameters.names, values[lost[0]], strict=True)
    example = ", ".join(f"{name}={value:.4g}" for name, value in pairs) or "its only one"
    beside = "" if names is None else f" from the first observation of {names[lost[0]]}"
    said = (
        f"The physics has no finite solution for {len(lost)} of {TRIED} draws of its prior, among them "
        f"{example}{beside}. Narrow the bounds or the prior of its parameters{cure}."
    )
    if len(lost) > 0.9 * TRIED:
        raise DataError(said)
    warnings.warn(said, DataWarning, stacklevel=2)


class _Solved(NamedTuple):
    """The values of a draw of the prior, and whether the physics has a finite solution for it."""

    times: tuple[float, ...]

    def __call__(self, physics: AbstractDynamics, key: Array, observed: Array) -> tuple[Array, Array]:
        params = physics.parameters.sample(jr.wrap_key_data(key))
        made = physics.simulate(params, physics.initial_state(observed), np.asarray(self.times))
        return physics.parameters.as_array(params), jnp.isfinite(made).all()


def _evaluated(physics: ClosedForm, key: Array, _: Array) -> tuple[Array, Array]:
    params = physics.parameters.sample(jr.wrap_key_data(key))
    return physics.parameters.as_array(params), jnp.isfinite(physics.simulate(params)).all()
