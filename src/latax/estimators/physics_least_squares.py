"""The physics alone by least squares, sequence by sequence: the baseline without any learning."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.optimize import least_squares
from scipy.stats import norm, qmc

from latax.physics.physics import AbstractDynamics


class LeastSquares(NamedTuple):
    """`values`: (N, k), the parameters in the order of the physics; `fits`: (N, T, *sample), what they lead to."""

    values: Float[np.ndarray, "N k"]
    fits: Float[np.ndarray, "N T *sample"]


def fit_each(
    physics: AbstractDynamics,
    X: Float[np.ndarray, "N T *sample"],
    times: Float[np.ndarray, " T"] | Sequence[float],
    *,
    starts: int = 4,
) -> LeastSquares:
    """The parameters that bring the physics closest to each sequence, from its first observation on.

    Levenberg and Marquardt's method in the parameters' unconstrained coordinates, from `starts` points spread evenly
    over their prior, the best of which counts; a prior as weak as 10⁻⁶ of the data's variance in one number keeps them
    finite where the data say nothing.
    """
    times, space = np.asarray(times, float), physics.parameters
    first = norm.ppf(qmc.Sobol(space.size, seed=0).random(starts))
    physics = physics.forward()
    weak = 1e-3 * (float(np.std(X)) or 1.0)

    @eqx.filter_jit
    def residual(v: Float[Array, " m"], x: Float[Array, "T *sample"]) -> Float[Array, " numbers"]:
        made = physics.simulate(space.from_normal(v), physics.initial_state(x[0]), times)
        return jnp.concatenate([(made - x).ravel(), weak * v])

    jacobian = eqx.filter_jit(jax.jacfwd(residual))

    def fit(x: Float[Array, "T *sample"]) -> Float[np.ndarray, " m"]:
        call: Any = lambda f: lambda v: np.asarray(f(jnp.asarray(v, x.dtype), x), np.float64)
        solve = lambda v: least_squares(call(residual), v, jac=call(jacobian), method="lm", xtol=1e-5, ftol=1e-6)
        return min(map(solve, first), key=lambda found: found.cost).x

    rows = jnp.asarray(X, jnp.float32).reshape(len(X), len(times), *physics.sample_shape)
    v = jnp.asarray(np.stack([fit(x) for x in rows]), jnp.float32)
    values = jax.vmap(lambda v: space.as_array(space.from_normal(v)))(v)
    fits = jax.vmap(lambda v, x: physics.simulate(space.from_normal(v), physics.initial_state(x[0]), times))(v, rows)
    return LeastSquares(np.asarray(values), np.asarray(fits))
