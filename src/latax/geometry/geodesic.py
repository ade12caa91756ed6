"""Geodesics between two latent points: shortest paths by the metric that a decoder pulls back.

First the polygon of least energy (`latax.geometry.discrete_geodesic`), good to about 1 / N². Then, from its initial
velocity, Newton's method on the velocity that shoots from one end into the other (`latax.geometry.shooting`), which is
as accurate as the tolerance of the differential equation.
"""

from typing import NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import optimistix
from jaxtyping import Array, Bool, Float
from numpy.typing import ArrayLike

from latax._errors import ConfigError, DataError
from latax.calculus import VectorMap
from latax.geometry.discrete_geodesic import discrete_energy, discrete_geodesic, turning
from latax.geometry.latent_map import as_point, check_map
from latax.geometry.metric import speed
from latax.geometry.shooting import shoot
from latax.geometry.smooth import norm

Vector = Float[Array, " n"]
Scalar = Float[Array, ""]

_NEWTON_STEPS = 16
_MOST_EXCESS = 1.1  # a shot this much longer than the polygon goes another way round


class Geodesic(NamedTuple):
    """A geodesic c on [0, 1], from c(0) = z0 to c(1) = z1, with constant speed in the data."""

    points: Float[Array, "points n"]
    """c(i / N), latent coordinates."""
    velocity: Float[Array, " n"]
    """c'(0): the logarithm of z1 at z0."""
    length: Float[Array, ""]
    """In units of the data."""
    energy: Float[Array, ""]
    """∫ |d f(c) / dt|² dt, in squared units of the data: the square of the length."""
    residual: Float[Array, ""]
    """Zero for a geodesic. Of a shot, by how much it misses f(z1), divided by the length; of a polygon, the angle in
    radians by which it turns within the image."""
    converged: Bool[Array, ""]
    """Whether the residual is below the tolerance, and the curve is a shot if one was wanted."""


def geodesic(
    f: VectorMap,
    z0: ArrayLike,
    z1: ArrayLike,
    *,
    segments: int = 32,
    start: ArrayLike | None = None,
    refine: bool = True,
    tolerance: float | None = None,
    max_steps: int = 512,
) -> Geodesic:
    """The geodesic from z0 to z1 of the metric J^T J of f, for one pair of points.

    It is the shortest of the curves near `start`. Where there are several, as round a hole or past the other side of a
    sphere, another start leads to another; how long each is says which is the shortest. Derivatives, in both modes, are
    there for polygons (`refine=False`) only.

    **Arguments:**

    - `f`: a smooth map from latent coordinates (n,) to data (d,), d >= n.
    - `z0`, `z1`: the ends, (n,) each.
    - `segments`: N, of the polygon and of the result.
    - `start`: a latent polygon from z0 to z1 to start from; N is then its own number of segments. By default straight.
    - `refine`: whether to shoot. Without, the curve is a polygon with an error of order 1 / N², its length is the sum
      of the distances between its images, and its energy N times that of their squares.
    - `tolerance`: of the residual. By default 1e-6 for a shot and 1e-5 for a polygon; in float32 1e-3 and 5e-2. Where
      shooting does not reach it (it cannot where nearby geodesics separate by a factor beyond the precision) the
      polygon is returned, not converged.
    - `max_steps`: of BFGS, for the polygon.

    Raises `DataError` where the points and the start do not fit together, and `ConfigError` for fewer than two
    segments, a tolerance that is not positive, and a map that does not give a vector of at least n numbers.
    """
    z0, z1 = as_point(z0), as_point(z1)
    polygon = _start(z0, z1, segments, None if start is None else jnp.asarray(start, z0.dtype))
    check_map(f, z0)
    double = z0.dtype == jnp.float64
    if tolerance is None:
        tolerance = (1e-6 if double else 1e-3) if refine else (1e-5 if double else 5e-2)
    if not (tolerance > 0 and max_steps > 0):
        raise ConfigError(f"tolerance = {tolerance}, max_steps = {max_steps}: both have to be positive.")
    # A shot starts from the polygon and makes its own accuracy; a polygon that is the result has to be exact itself.
    polygon = discrete_geodesic(f, polygon, tolerance=1e-9 if double and not refine else 1e-4, max_steps=max_steps)
    found = _of_polygon(f, polygon, tolerance)
    if not refine:
        return found
    shot = _shot(f, polygon, tolerance, 1e-10 if double else 1e-5)
    taken = shot.converged & (shot.length <= _MOST_EXCESS * found.length)
    fallback = found._replace(converged=jnp.zeros_like(found.converged))
    return jax.tree.map(lambda one, other: jnp.where(taken, one, other), shot, fallback)


def _of_polygon(f: VectorMap, polygon: Float[Array, "points n"], tolerance: float) -> Geodesic:
    steps = jnp.diff(jax.vmap(f)(polygon), axis=0)
    residual = turning(f, polygon)
    return Geodesic(
        points=polygon,
        velocity=_first_velocity(polygon),
        length=jnp.sum(jax.vmap(norm)(steps)),
        energy=discrete_energy(f, polygon),
        residual=residual,
        converged=residual <= tolerance,
    )


def _shot(f: VectorMap, polygon: Float[Array, "points n"], tolerance: float, precision: float) -> Geodesic:
    z0, z1, segments = polygon[0], polygon[-1], len(polygon) - 1
    distance = norm(z1 - z0)
    unit = jnp.where(distance > 0, distance, 1)

    def miss(v: Vector, _: None) -> Vector:
        end = shoot(f, z0, unit * v, rtol=precision, atol=precision, adjoint=diffrax.ForwardMode()).points[-1]
        return (end - z1) / unit

    newton = optimistix.Newton(rtol=10 * precision, atol=10 * precision)
    solution = optimistix.root_find(miss, newton, _first_velocity(polygon) / unit, max_steps=_NEWTON_STEPS, throw=False)
    velocity = unit * solution.value
    times = jnp.arange(segments + 1, dtype=z0.dtype) / segments
    points = shoot(f, z0, velocity, times, rtol=precision, atol=precision).points
    length = speed(f, z0, velocity)
    residual = norm(f(points[-1]) - f(z1)) / jnp.where(length > 0, length, 1)
    # Where the metric is singular on the way, nothing is finite.
    arrived = (residual <= tolerance) & jnp.isfinite(points).all() & jnp.isfinite(velocity).all()
    return Geodesic(points.at[-1].set(z1), velocity, length, length**2, residual, arrived)


def _first_velocity(polygon: Float[Array, "points n"]) -> Vector:
    """Of the parabola through the first three points."""
    return ((len(polygon) - 1) / 2) * (4 * (polygon[1] - polygon[0]) - (polygon[2] - polygon[0]))


def _start(
    z0: Float[Array, " n"], z1: Float[Array, " m"], segments: int, start: Float[Array, "points k"] | None
) -> Float[Array, "points n"]:
    if z0.shape != z1.shape:
        raise DataError(f"z0 has shape {z0.shape}, z1 {z1.shape}: expected two points of one latent space.")
    segments = segments if start is None else len(start) - 1
    if segments < 2:
        raise ConfigError(
            f"segments = {segments}: a polygon with points to move has at least two. 32 is a good number."
        )
    if start is None:
        t = jnp.arange(segments + 1, dtype=z0.dtype) / segments
        return (z0[None] + jnp.outer(t, z1 - z0)).at[-1].set(z1)
    if start.shape[1:] != z0.shape:
        raise DataError(
            f"start has shape {start.shape}: expected (points, {z0.shape[0]}), latent points from z0 to z1."
        )
    return start.at[0].set(z0).at[-1].set(z1)
