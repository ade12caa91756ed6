"""Discrete geodesics: latent polygons between two points whose image has the least energy.

E[z_0, ..., z_N] = N Σ_i |f(z_{i+1}) - f(z_i)|² over the interior points (Rumpf and Wirth, Variational time
discretization of geodesic calculus, IMA J. Numer. Anal. 35, 2015, section 2, with the squared distance of the data as
the local cost). Its minimisers are geodesics up to an error of order 1 / N², run through at constant speed.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from jaxtyping import Array, Float

from latax.calculus import VectorMap, jacobian_by_jvps
from latax.geometry.frame import frame
from latax.linear_algebra import inverse_lower, orthonormalise

Polygon = Float[Array, "points n"]
Scalar = Float[Array, ""]

_FLOOR = 1e-3  # of the metric's scale: directions that f hardly depends on are not to become unbounded


def discrete_energy(f: VectorMap, polygon: Polygon) -> Scalar:
    """N Σ_i |f(z_{i+1}) - f(z_i)|², in units of squared distance of the data."""
    steps = jnp.diff(jax.vmap(f)(polygon), axis=0)
    return len(steps) * jnp.sum(steps**2)


def turning(f: VectorMap, polygon: Polygon) -> Scalar:
    """How much the image turns within its surface, in radians: zero for a discrete geodesic.

    The largest over the interior points of N |Q^T (x_{i+1} - 2 x_i + x_{i-1})| / mean |x_{i+1} - x_i|, for an
    orthonormal basis Q of the tangent space at x_i = f(z_i): the whole angle if the polygon turned so much everywhere.
    """
    at = jax.vmap(lambda z: frame(f, z))(polygon)
    steps = jnp.diff(at.point, axis=0)
    tangential = jnp.einsum("idn,id->in", at.tangents[1:-1], jnp.diff(steps, axis=0))
    angle = jnp.max(jnp.sqrt(jnp.sum(tangential**2, axis=1)))
    mean = jnp.mean(jnp.sqrt(jnp.sum(steps**2, axis=1)))
    return len(steps) * angle / jnp.where(mean > 0, mean, 1)


def discrete_geodesic(f: VectorMap, start: Polygon, *, tolerance: float, max_steps: int) -> Polygon:
    """The polygon of least energy that BFGS reaches from `start`, with the same end points.

    **Arguments:**

    - `tolerance`: of the energy relative to that of `start`, and of its minimiser relative to the way.
    """
    coordinates = _sine_waves(len(start) - 1, start)
    energy = discrete_energy(f, start)
    energy = jnp.where(energy > 0, energy, 1)
    unit = jnp.sqrt(energy) * _inverse_root_of_metric(f, start)

    def polygon(amplitudes: Float[Array, "inner n"]) -> Polygon:
        return start.at[1:-1].add(coordinates @ amplitudes @ unit)

    solution = optimistix.minimise(
        lambda amplitudes, _: discrete_energy(f, polygon(amplitudes)) / energy,
        optimistix.BFGS(rtol=tolerance, atol=tolerance),
        jnp.zeros_like(start[1:-1]),
        max_steps=max_steps,
        throw=False,
    )
    return polygon(solution.value)


def _sine_waves(segments: int, like: Polygon) -> Float[Array, "inner inner"]:
    """Columns sin(kπt), scaled so that the discrete energy of Σ_k a_k column_k in flat space is Σ_k a_k².

    In these coordinates the energy of f = identity is as round as a ball, where the points themselves would give it a
    condition number of about N².
    """
    number = np.arange(1, segments)
    waves = np.sqrt(2) * np.sin(np.pi * np.outer(number, number) / segments)
    return jnp.asarray(waves / (2 * segments * np.sin(np.pi * number / (2 * segments))), like.dtype)


def _inverse_root_of_metric(f: VectorMap, polygon: Polygon) -> Float[Array, "n n"]:
    """R^-T for the mean R^T R of the metrics along the polygon, kept away from singular ones.

    As rows of latent velocities of length one it takes the differences between the scales of the latent coordinates out
    of the problem: one coordinate a hundred times as sensitive as another costs 42 steps of BFGS, and 287 without it.
    """
    jacobians = jax.vmap(lambda z: jacobian_by_jvps(f, z)[1])(polygon)
    points, d, n = jacobians.shape
    stacked = jacobians.reshape(points * d, n) / points**0.5
    scale = jnp.sqrt(jnp.sum(stacked**2))
    floor = _FLOOR * jnp.where(scale > 0, scale, 1) * jnp.eye(n, dtype=stacked.dtype)
    return inverse_lower(orthonormalise(jnp.concatenate([stacked, floor]))[1].T)
