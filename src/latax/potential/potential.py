"""Potentials u(z, t) of latent coordinates z and time t in [0, 1]; their gradients move z.

With K potentials in one stack, all of them are evaluated by the same matrix products, so that a batch can hold samples
of every one. A batch with samples of only one is what keeps the published code from learning anything: the classifier
lowers its loss by forgetting the others.
"""

import abc
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from latax._errors import ConfigError

Latent = Float[Array, " n"]
Time = Float[Array, ""]
Scalar = Float[Array, ""]
#: A function u(z, t) of one point and one time.
PotentialFunction = Callable[[Latent, Time], Scalar]
#: A function v(z, t) of one point and one time.
Velocity = Callable[[Latent, Time], Latent]

#: Times go from 0 to here; a potential says nothing about later ones.
HORIZON = 1.0


class AbstractPotential(eqx.Module):
    """A potential u(z, t) for n latent coordinates."""

    size: eqx.AbstractVar[int]

    @abc.abstractmethod
    def __call__(self, z: Latent, t: Time) -> Scalar:
        """The value u(z, t)."""


class LinearPotential(AbstractPotential):
    """u(z, t) = d . z: the straight line, which is the flow of a constant direction d (n,)."""

    direction: Latent

    @property
    def size(self) -> int:
        """The number n of latent coordinates."""
        return self.direction.shape[0]

    def __call__(self, z: Latent, t: Time) -> Scalar:
        """d . z."""
        return jnp.vdot(self.direction, z)


Kind = TypeVar("Kind", bound=AbstractPotential)


class Potentials(eqx.Module, Generic[Kind]):
    """K potentials of one kind; every array of `stacked` has a leading axis of length K."""

    stacked: Kind
    count: int = eqx.field(static=True)

    def __check_init__(self):
        lengths = {leaf.shape[:1] for leaf in jax.tree.leaves(eqx.filter(self.stacked, eqx.is_array))}
        if lengths != {(self.count,)}:
            found = ", ".join(str(length[0]) if length else "none" for length in sorted(lengths))
            raise ConfigError(
                f"A stack of {self.count} potentials needs arrays with a leading axis of {self.count}; it is {found}. "
                "Make it by Potentials.of(lambda key: ..., count, key=key)."
            )

    @classmethod
    def of(cls, make: Callable[[PRNGKeyArray], Kind], count: int, *, key: PRNGKeyArray) -> "Potentials[Kind]":
        """`count` potentials, each made from a key of its own. Raises `ConfigError` for fewer than one."""
        if count < 1:
            raise ConfigError(f"count={count}: there has to be at least one potential.")
        return cls(eqx.filter_jit(eqx.filter_vmap(make))(jr.split(key, count)), count)

    def __getitem__(self, k: int) -> Kind:
        """The potential number k, from 0 on. Raises `ConfigError` for a number that is not there."""
        check_number(k, self.count)
        return self.at(jnp.asarray(k))

    def __len__(self) -> int:
        """K."""
        return self.count

    def __iter__(self) -> Iterator[Kind]:
        """The potentials, one after the other."""
        return (self[k] for k in range(self.count))

    def at(self, k: Int[Array, ""]) -> Kind:
        """The potential whose number k is known only when the program runs; it is not checked."""
        arrays, static = eqx.partition(self.stacked, eqx.is_array)
        return eqx.combine(jax.tree.map(lambda leaf: leaf[k], arrays), static)

    def values(self, z: Latent, t: Time) -> Float[Array, " {self.count}"]:
        """u^k(z, t) of all k."""
        return eqx.filter_vmap(lambda u: u(z, t))(self.stacked)

    def velocities(self, z: Latent, t: Time) -> Float[Array, "{self.count} n"]:
        """∇u^k(z, t) of all k."""
        return eqx.filter_vmap(lambda u: jax.grad(u)(z, t))(self.stacked)

    def combined(self, weights: Float[Array, " {self.count}"]) -> PotentialFunction:
        """The potential Σ a_k u^k, whose flow composes those of all k with weights a_k."""
        return lambda z, t: jnp.vdot(weights, self.values(z, t))


def check_number(k: Any, count: int) -> None:
    """Raise `ConfigError` unless k is a whole number with 0 <= k < count."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise ConfigError(f"k={k!r} must be a whole number, from 0 to {count - 1}: one of {count} potentials.")
    if not 0 <= k < count:
        raise ConfigError(f"k={k}: there is no such potential; there are {count}, numbered 0 to {count - 1}.")
