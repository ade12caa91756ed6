"""Before a fit: does the physics have solutions for what its prior allows?"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from latax._errors import DataError, DataWarning
from latax.estimators.rows import map_rows
from latax.physics.physics import AbstractDynamics

#: Pairs of a sequence and a draw of the prior that are tried.
TRIED = 256


def check_prior(physics: AbstractDynamics, X: Float[np.ndarray, "N T *sample"], times: Sequence[float]) -> None:
    """Solves the physics alone from first observations of the data, for draws of its prior.

    Where solutions explode it names a sequence and the parameters: a `DataWarning` if some do, and a `DataError` if
    nearly all do. `X` need not be all of the data.
    """
    rows = np.arange(TRIED) % len(X)
    keys = np.asarray(jr.key_data(jr.split(jr.key(0), TRIED)))
    values, finite = map_rows(_Solved(tuple(times)), physics, keys, np.asarray(X[rows, 0], np.float32))
    lost = np.flatnonzero(~finite)
    if not len(lost):
        return
    names = physics.parameters.names
    example = ", ".join(f"{name}={value:.4g}" for name, value in zip(names, values[lost[0]], strict=True))
    said = (
        f"The physics has no finite solution for {len(lost)} of {TRIED} draws of its prior, among them "
        f"{example or 'its only one'} from the first observation of row {rows[lost[0]]}. Narrow the bounds or the "
        "prior of its parameters, give its solver smaller steps (FixedStep(substeps=...)), or let it choose them "
        "(Adaptive())."
    )
    if len(lost) > 0.9 * TRIED:
        raise DataError(said)
    warnings.warn(said, DataWarning, stacklevel=2)


class _Solved(NamedTuple):
    """The values of a draw of the prior, and whether the physics has a finite solution for it."""

    times: tuple[float, ...]

    def __call__(self, physics: Any, key: Array, observed: Array) -> tuple[Array, Array]:
        params = physics.parameters.sample(jr.wrap_key_data(key))
        made = physics.simulate(params, physics.initial_state(observed), np.asarray(self.times))
        return physics.parameters.as_array(params), jnp.isfinite(made).all()
