"""Means over all unit directions of R^n, by rules that are exact for polynomials or converge faster than any power."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats
from jaxtyping import Array, Float

from latax._errors import ConfigError

_ANGLES, _HEIGHTS, _SCATTERED = 64, 32, 4096
#: Nodes log s of the integral for the mean of 1 / |v|², by the trapezoidal rule: errors of e^-40 at either end for
#: eigenvalues down to e^-20 of their mean.
_LOGARITHMS, _STEP = np.arange(-40, 80, 0.5), 0.5


@functools.cache
def direction_rule(n: int) -> tuple[Float[np.ndarray, "m n"], Float[np.ndarray, " m"]]:
    """(unit vectors, weights with sum one) in float64.

    n = 1: the one direction; n = 2: equal angles; n = 3: equal angles times Gauss-Legendre heights, both exact for
    polynomials up to degree 62. Above, 4,096 scattered points (a Sobol sequence through the normal distribution), with
    errors of some 1e-3. Opposite directions count as one.
    """
    if n < 1:
        raise ConfigError(f"There are no directions in {n} dimensions.")
    if n == 1:
        return np.ones((1, 1)), np.ones(1)
    angles = 2 * math.pi * np.arange(_ANGLES) / _ANGLES
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if n == 2:
        return circle, np.full(_ANGLES, 1 / _ANGLES)
    if n == 3:
        heights, weights = np.polynomial.legendre.leggauss(_HEIGHTS)
        flat = np.sqrt(1 - heights**2)[:, None, None] * circle[None]
        points = np.concatenate([flat, np.broadcast_to(heights[:, None, None], (_HEIGHTS, _ANGLES, 1))], axis=2)
        return points.reshape(-1, 3), np.repeat(weights / 2 / _ANGLES, _ANGLES)
    normal = scipy.stats.norm.ppf(scipy.stats.qmc.Sobol(n, scramble=True, rng=0).random(_SCATTERED))
    return normal / np.linalg.norm(normal, axis=1, keepdims=True), np.full(_SCATTERED, 1 / _SCATTERED)


def mean_inverse_square(metric: Float[Array, "n n"]) -> Float[Array, ""]:
    r"""The mean of 1 / (v' M v) over unit directions v; infinite where M has no inverse.

    For n = 2 it is 1 / √det M. From n = 3 on, v = g / |g| with a normal g gives (n - 2) E[1 / g' M g], which is

    $$(n - 2) \int_0^\infty \det(1 + 2 s M)^{-1/2} ds,$$

    whose integrand is smooth in log s and falls off exponentially on both sides.
    """
    n = len(metric)
    if n == 1:
        return 1 / metric[0, 0]
    if n == 2:
        return jax.lax.rsqrt(jnp.linalg.det(metric))
    unit = jax.lax.stop_gradient(jnp.trace(metric)) / n
    logarithms = jnp.asarray(_LOGARITHMS, metric.dtype)
    one = jnp.eye(n, dtype=metric.dtype)
    log_det = jax.vmap(lambda u: jnp.linalg.slogdet(one + 2 * jnp.exp(u) * metric / unit)[1])(logarithms)
    return (n - 2) * _STEP * jnp.sum(jnp.exp(logarithms - log_det / 2)) / unit
