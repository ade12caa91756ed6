"""Conditions on a potential at time 0, as penalties that are zero where they hold."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from latax.potential.pde import rate
from latax.potential.potential import Latent, PotentialFunction, Scalar

InitialCondition = Callable[[PotentialFunction, Latent], Scalar]


def at_rest(u: PotentialFunction, z: Latent) -> Scalar:
    """|∇u(z, 0)|²: the flow starts without moving.

    Where it holds exactly, the first explicit step does nothing, and a wave is set in motion by ∂u/∂t(z, 0) alone.
    """
    return jnp.sum(jax.grad(u)(z, jnp.zeros((), z.dtype)) ** 2)


def stationary(u: PotentialFunction, z: Latent) -> Scalar:
    """(∂u/∂t(z, 0))²: the potential starts without changing, and the flow may move at once."""
    return rate(u, z, jnp.zeros((), z.dtype)) ** 2


def free(u: PotentialFunction, z: Latent) -> Scalar:
    """Zero: no condition."""
    return jnp.zeros((), z.dtype)


INITIAL_CONDITIONS: dict[str, InitialCondition] = {"at-rest": at_rest, "stationary": stationary, "none": free}
