"""The exponential map of the image of a decoder: the geodesic that starts at z with a given velocity.

z'' = -Γ(z', z') for the Christoffel symbols Γ of the pullback metric (do Carmo, Riemannian Geometry, 1992, chapter 3,
equation 1), solved by Diffrax. `latax.geometry.geodesic` finds the velocity for a given end.
"""

from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from latax._errors import ConfigError
from latax.calculus import VectorMap
from latax.geometry.curvature import geodesic_acceleration
from latax.geometry.latent_map import as_point, check_map
from latax.geometry.smooth import norm

Vector = Float[Array, " n"]


class Path(NamedTuple):
    """A curve at given times, in latent coordinates."""

    points: Float[Array, "T n"]
    velocities: Float[Array, "T n"]
    """Per unit of time; `latax.geometry.speed` gives their lengths in units of the data, constant along a geodesic."""


def shoot(
    f: VectorMap,
    z: ArrayLike,
    velocity: ArrayLike,
    ts: Float[Array | np.ndarray, " T"] | None = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 4096,
    adjoint: diffrax.AbstractAdjoint | None = None,
) -> Path:
    """The geodesic through z with this latent velocity, at the increasing times `ts` from 0 on (by default 0 and 1).

    At time t it has gone t |velocity| in units of the data, |.| by the pullback metric at z. Not finite from where the
    metric is singular on, and where `max_steps` do not suffice.

    **Arguments:**

    - `f`: a smooth map from latent coordinates (n,) to data (d,), d >= n.
    - `z`, `velocity`: (n,) each.
    - `rtol`, `atol`: error allowed in a step, relative to the coordinates and to the whole way that z would go along a
      straight line. By default 1e-10 for both, and 1e-5 in float32.
    - `adjoint`: how Diffrax takes derivatives; by default in reverse mode. `diffrax.ForwardMode()` for forward mode.

    Raises `ConfigError` for tolerances and steps that are not positive, times that decrease or are negative, and a map
    that does not give a vector of at least n numbers.
    """
    z = as_point(z)
    velocity = jnp.asarray(velocity, z.dtype)
    check_map(f, z)
    precision = 1e-10 if z.dtype == jnp.float64 else 1e-5
    rtol, atol = (precision if given is None else given for given in (rtol, atol))
    if not (rtol > 0 and atol > 0 and max_steps > 0):
        raise ConfigError(f"rtol = {rtol}, atol = {atol}, max_steps = {max_steps}: all three have to be positive.")
    ts = _times(ts, z.dtype)
    # A unit of length in which the latent way is of order one gives the absolute tolerance a meaning.
    way = norm(velocity) * ts[-1]
    unit = jax.lax.stop_gradient(jnp.where(way > 0, way, 1))
    acceleration = eqx.filter_closure_convert(lambda z, v: geodesic_acceleration(f, z, v), z, velocity)

    def field(t: Any, state: Any, arguments: Any) -> Any:
        (u, v), (acceleration, z, unit) = state, arguments
        return v, acceleration(z + unit * u, unit * v) / unit

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        diffrax.Dopri8(),
        jnp.zeros((), z.dtype),
        ts[-1],
        None,
        (jnp.zeros_like(z), velocity / unit),
        (acceleration, z, unit),
        saveat=diffrax.SaveAt(ts=ts),
        stepsize_controller=diffrax.PIDController(rtol, atol),
        adjoint=diffrax.RecursiveCheckpointAdjoint() if adjoint is None else adjoint,
        max_steps=max_steps,
        throw=False,
    )
    assert solution.ys is not None
    u, v = solution.ys
    return Path(z[None] + unit * u, unit * v)


def _times(ts: Float[Array | np.ndarray, " T"] | None, dtype: Any) -> Float[Array, " T"]:
    if ts is None:
        return jnp.array([0, 1], dtype)
    if not isinstance(ts, Tracer):
        known = np.asarray(ts)
        if not (known.size and known[0] >= 0 and known[-1] > 0 and (np.diff(known) >= 0).all()):
            raise ConfigError(
                f"ts = {np.array2string(known, threshold=6)}: expected times that increase from 0 or later on, such as "
                "jnp.linspace(0, 1, 33). To go backwards, shoot with -velocity."
            )
    return jnp.asarray(ts, dtype)
