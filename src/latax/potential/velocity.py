"""Velocities v(z, t): gradients of potentials, what gradients cannot do, and staying on a sphere."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.nn import MLP
from latax.potential.activation import Activation
from latax.potential.net import TimeFeatures
from latax.potential.potential import Latent, PotentialFunction, Time, Velocity


def gradient(u: PotentialFunction) -> Velocity:
    """∇u, uphill."""
    return lambda z, t: jax.grad(u)(z, t)


def added(first: Velocity, second: Velocity) -> Velocity:
    """The sum of two velocities."""
    return lambda z, t: first(z, t) + second(z, t)


def tangential(velocity: Velocity) -> Velocity:
    """The part of a velocity at right angles to z, which keeps |z| as it is. At z = 0 there is none."""

    def projected(z: Latent, t: Time) -> Latent:
        v = velocity(z, t)
        square = jnp.sum(z**2)
        return jnp.where(square > 0, v - z * (jnp.vdot(z, v) / jnp.where(square > 0, square, 1)), 0)

    return projected


class DivergenceFree(eqx.Module):
    """r_i = Σ_j ∂A_ij/∂z_j for an antisymmetric A(z, t): a velocity without divergence, whatever the network.

    Gradients have no curl and rotate badly; r does little else. By the symmetry of second derivatives
    Σ_ij ∂²A_ij / ∂z_i ∂z_j = 0. A has n (n - 1) / 2 free entries and costs n forward derivatives.

    Raises `ConfigError` for a single latent coordinate, where only constants have no divergence.
    """

    net: MLP
    features: TimeFeatures
    size: int = eqx.field(static=True)

    def __init__(
        self,
        size: int,
        hidden: tuple[int, ...] = (64, 64),
        *,
        activation: Activation = jnp.tanh,
        features: TimeFeatures | None = None,
        key: PRNGKeyArray,
    ):
        if size < 2:
            raise ConfigError(
                f"size={size}: in one dimension a velocity without divergence is constant. Use a potential alone."
            )
        self.features = TimeFeatures() if features is None else features
        self.net = MLP(size + self.features.size, size * (size - 1) // 2, hidden, activation=activation, key=key)
        self.size = size

    def matrix(self, z: Latent, t: Time) -> Float[Array, "n n"]:
        """The antisymmetric matrix A(z, t)."""
        rows, columns = jnp.triu_indices(self.size, 1)
        upper = jnp.zeros((self.size, self.size), z.dtype)
        upper = upper.at[rows, columns].set(self.net(jnp.concatenate([z, self.features(t)])))
        return upper - upper.T

    def __call__(self, z: Latent, t: Time) -> Latent:
        """The velocity r(z, t)."""
        derivatives = jax.jacfwd(self.matrix)(z, t)
        return jnp.einsum("ijj->i", derivatives)
