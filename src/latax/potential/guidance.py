"""What makes a flow visible in the decoded data: a loss of the velocity at one point.

An equation and an initial condition alone are met by a potential that is constant, whose flow does not move. The
published remedy, minus the squared length of what the velocity becomes in the data, has no lower bound: it prefers
u -> α u for every α > 1. All of these but `ReferenceJVP` have one, or do not see α.
"""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from latax._errors import ConfigError
from latax.potential.potential import Latent, Scalar

Data = Float[Array, "*data"]
#: A property of data, or one for each path.
Property = Callable[[Data], Float[Array, "*paths"]]


class AbstractGuidance(eqx.Module):
    """A loss of a velocity v (n,) at a point z, by what it does to the decoded data g(z).

    The change J v of the data, with J the Jacobian of g at z, costs one forward derivative: `decoded_change`.
    """

    @abc.abstractmethod
    def loss(self, data: Data, change: Data, velocity: Latent, k: Int[Array, ""]) -> Scalar:
        """Low where the velocity is as wanted. `data`: g(z); `change`: J v; `k`: the path's number."""


def decoded_change(decode: Callable[[Latent], Data], z: Latent, velocity: Latent) -> tuple[Data, Data]:
    """g(z) and J v, the data and their rate of change along the velocity, by one forward derivative."""
    return jax.jvp(decode, (z,), (velocity,))


class LogJVP(AbstractGuidance):
    """-log(ε + |J v|²), with v or with its direction v / |v|.

    With the direction the length of v does not matter at all; without it, u -> α u changes the loss by the constant
    -2 log α where ε is small, so the length grows without end but the shape does not depend on it.
    """

    epsilon: float = eqx.field(static=True, default=1e-8)
    normalised: bool = eqx.field(static=True, default=True)

    def loss(self, data: Data, change: Data, velocity: Latent, k: Int[Array, ""]) -> Scalar:
        """-log(ε + |J v|²)."""
        return -jnp.log(self.epsilon + jnp.sum((change / self._unit(velocity)) ** 2))

    def _unit(self, velocity: Latent) -> Scalar:
        return _length_or_one(velocity) if self.normalised else jnp.ones((), velocity.dtype)


class BoundedJVP(AbstractGuidance):
    """-|J v|² / (s² + |J v|²), between -1 and 0: half of what there is to gain is gained where |J v| = s."""

    scale: float = eqx.field(static=True, default=1.0)

    def loss(self, data: Data, change: Data, velocity: Latent, k: Int[Array, ""]) -> Scalar:
        """-|J v|² / (s² + |J v|²)."""
        square = jnp.sum(change**2)
        return -square / (self.scale**2 + square)


class Supervised(AbstractGuidance):
    """-⟨∇(h ∘ g)(z), v⟩ for a property h of the decoded data: along the flow, the property grows.

    h gives one number, which is to grow along all paths, or K of them, of which the k-th grows along path k.

    With `normalised` the direction v / |v| takes the place of v; without it, give a fixed speed too.
    """

    value: Property
    normalised: bool = eqx.field(static=True, default=True)

    def loss(self, data: Data, change: Data, velocity: Latent, k: Int[Array, ""]) -> Scalar:
        """Minus the rate of change of the property, by one forward derivative of it."""
        grows = jax.jvp(self.value, (data,), (change,))[1]
        grows = grows if grows.ndim == 0 else jnp.take(grows, k)
        return -grows / _length_or_one(velocity) if self.normalised else -grows

    def check(self, data_shape: tuple[int, ...], count: int) -> None:
        """Raise `ConfigError` unless there is one property of data of this shape, or one for each of the paths."""
        found = jax.eval_shape(self.value, jax.ShapeDtypeStruct(data_shape, jnp.float32)).shape
        if found not in ((), (count,)):
            raise ConfigError(
                f"The property of the data has shape {found}; expected one number, or one for each of the "
                f"{count} paths."
            )


class FixedSpeed(AbstractGuidance):
    """(|v| / √n - speed)²: every point moves by this share of √n, the typical |z|, in one unit of time."""

    speed: float = eqx.field(static=True, default=0.3)

    def loss(self, data: Data, change: Data, velocity: Latent, k: Int[Array, ""]) -> Scalar:
        """(|v| / √n - speed)²."""
        return (_length(velocity) / velocity.shape[0] ** 0.5 - self.speed) ** 2


class Unguided(AbstractGuidance):
    """Zero: nothing is asked of the decoded data."""

    def loss(self, data: Data, change: Data, velocity: Latent, k: Int[Array, ""]) -> Scalar:
        """Zero."""
        return jnp.zeros((), velocity.dtype)


class ReferenceJVP(AbstractGuidance):
    """-mean |J v|² over the numbers of the data, as published. Unbounded below; for comparisons only."""

    def loss(self, data: Data, change: Data, velocity: Latent, k: Int[Array, ""]) -> Scalar:
        """-|J v|² / d."""
        return -jnp.mean(change**2)


GUIDANCES: dict[str, Callable[[], AbstractGuidance]] = {
    "log-jvp": LogJVP,
    "bounded-jvp": BoundedJVP,
    "none": Unguided,
    "reference-jvp": ReferenceJVP,
}


def _length(v: Latent) -> Scalar:
    """|v|, with a derivative of zero at zero."""
    square = jnp.sum(v**2)
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)


def _length_or_one(v: Latent) -> Scalar:
    length = _length(v)
    return jnp.where(length > 0, length, 1)
