"""Flows: points that follow a velocity, with the change of density, and back.

dz/dt = v(z, t), and along the way d log det(∂z/∂z0)/dt = ∇·v. The way back is the same equation from the later time to
the earlier: there is no other definition of the negative direction.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax import calculus
from latax._errors import ConfigError
from latax.integrate import AbstractSolver, FixedStep, are_known
from latax.potential.pde import MOST_EXACT
from latax.potential.potential import HORIZON, Latent, Time, Velocity

Times = Float[Array | np.ndarray, " T"]


class Path(NamedTuple):
    """A flow from one point at the times asked for.

    `z` (T, n), the first of them the start; `log_det` (T,): log |det ∂z/∂z0| in nats, zeros where not asked for.
    """

    z: Float[Array, "T n"]
    log_det: Float[Array, " T"]

    @property
    def shell(self) -> Float[Array, " T"]:
        """|z| / √n: about 1 for draws of the standard normal, and the farther from 1 the less the decoder knows."""
        return jnp.sqrt(jnp.mean(self.z**2, axis=1))


def follow(
    velocity: Velocity,
    z: Latent,
    ts: Times,
    *,
    solver: AbstractSolver | None = None,
    density: bool = False,
    probes: int | None = None,
    key: PRNGKeyArray | None = None,
) -> Path:
    """The path of z under the velocity, at times `ts` within [0, 1] that all increase or all decrease.

    **Arguments:**

    - `z`: (n,) the point at the first of the times.
    - `solver`: of `latax.integrate`; by default four steps of the classical Runge-Kutta method from each time to the
        next. With `ImplicitMidpoint` the way back is the inverse to rounding.
    - `density`: also log |det ∂z/∂z0|, from the divergence of the velocity along the path.
    - `probes`: random directions for the divergence, the same ones along the whole path; 0 for the exact one. By
        default exact up to 64 coordinates, and 8 above; these need `key`.

    Raises `ConfigError` for times that are not in order or not within [0, 1]. Values that are not finite say that the
    solver failed. Source of the second equation: Chen et al. 2018, arXiv 1806.07366, theorem 1.
    """
    backwards = _check_times(ts)
    solver = FixedStep(substeps=4) if solver is None else solver
    n = z.shape[0]
    probes = (0 if n <= MOST_EXACT else 8) if probes is None else probes
    if density and probes and key is None:
        raise ConfigError(
            f"The divergence in {n} dimensions is estimated from {probes} random directions. Pass "
            "key=jax.random.key(0), or probes=0 for the exact one."
        )

    def divergence(z: Latent, t: Time) -> Float[Array, ""]:
        if not probes or key is None:
            return calculus.divergence(lambda z: velocity(z, t), z)
        return calculus.divergence_estimate(lambda z: velocity(z, t), z, probes=probes, key=key).value

    # A solver goes forward in its own time s = sign · t.
    sign = -1.0 if backwards else 1.0

    def field(s: Time, state: Float[Array, " m"]) -> Float[Array, " m"]:
        t, place = sign * s, state[:n]
        v = sign * velocity(place, t)
        return jnp.append(v, sign * divergence(place, t)) if density else v

    start = jnp.append(z, jnp.zeros((), z.dtype)) if density else z
    states = solver.solve(field, start, sign * ts)
    log_det = states[:, n] if density else jnp.zeros(len(states), z.dtype)
    return Path(states[:, :n], log_det)


def reverse_error(velocity: Velocity, z: Latent, ts: Times, *, solver: AbstractSolver | None = None) -> Array:
    """|z - back(there(z))| / √n for increasing times `ts`: how exactly the negative direction is the inverse."""
    there = follow(velocity, z, ts, solver=solver).z[-1]
    back = follow(velocity, there, ts[::-1], solver=solver).z[-1]
    return jnp.sqrt(jnp.mean((back - z) ** 2))


def energy(velocity: Velocity, path: Float[Array, "T n"], ts: Times) -> Float[Array, ""]:
    """∫ |v|² dt along a path, by the trapezoidal rule over its times."""
    squares = jax.vmap(lambda z, t: jnp.sum(velocity(z, t) ** 2))(path, jnp.asarray(ts, path.dtype))
    steps = jnp.abs(jnp.diff(jnp.asarray(ts, path.dtype)))
    return jnp.sum(steps * (squares[1:] + squares[:-1]) / 2)


def _check_times(ts: Times) -> bool:
    """Whether the times decrease. Inside compiled code, where they may not be known, they increase."""
    if ts.shape[0] < 1:
        raise ConfigError("There is no time to follow the flow to; give at least the one to start from.")
    if not are_known(ts):
        return False
    values = np.asarray(ts, float)
    steps = np.diff(values)
    if not np.isfinite(values).all() or not ((steps > 0).all() or (steps < 0).all()):
        raise ConfigError(f"The times {np.array2string(values, precision=3)} must all increase or all decrease.")
    slack = 1e-6
    if values.min() < -slack or values.max() > HORIZON + slack:
        beyond = values[(values < -slack) | (values > HORIZON + slack)][0]
        raise ConfigError(
            f"t={beyond:g} is outside of [0, {HORIZON:g}]: potentials are trained for that time only, and say nothing "
            "beyond it. Follow the flow several times from its end if you must, and look at the drift."
        )
    return bool(steps.size and steps[0] < 0)
