"""Pairs of near points of a manifold with their midpoint, drawn afresh for Monte Carlo estimates of a loss.

A point uniform on the manifold, a uniform direction, and a distance r by a law in units of length. The limit for small
distances is the same for all laws; what differs is the error before it, which is a multiple of E[r²] (bending) and of
E[r⁴] (distortion), and what is invisible. Two facts decide for the annulus: with one distance d only, waves of length
d/2 are seen by neither quotient, and laws that come near zero are ruined by rounding.
"""

import abc
import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.lax as lax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.geometry.manifold import AbstractManifold, Point, Scalar, Tangent

#: Tries for a pair within a region.
_TRIES = 10_000


class Pair(NamedTuple):
    """Two points, the one halfway between them, and how far they are from one another."""

    x: Point
    y: Point
    midpoint: Point
    distance: Scalar


class AbstractDistanceLaw(eqx.Module):
    """How the distance of a pair is drawn. No distance is greater than `outer`."""

    outer: eqx.AbstractVar[float]

    @abc.abstractmethod
    def quantile(self, share: Float[Array, "..."], dim: int) -> Float[Array, "..."]:
        """The distance below which this share of the pairs are, on a manifold of dimension `dim`."""

    def draw(self, key: PRNGKeyArray, dim: int, dtype: jnp.dtype) -> Scalar:
        """One distance."""
        return self.quantile(jr.uniform(key, (), dtype), dim)


class Annulus(AbstractDistanceLaw):
    """Uniform among the points between two distances, by the flat volume r^(n-1): the default."""

    outer: float = eqx.field(static=True, converter=float)
    inner: float = eqx.field(static=True, converter=float)

    def __check_init__(self):
        if not 0 < self.inner < self.outer < math.inf:
            raise ConfigError(
                f"Annulus: expected 0 < inner < outer, got inner = {self.inner:g}, outer = {self.outer:g}."
            )

    def quantile(self, share: Float[Array, "..."], dim: int) -> Float[Array, "..."]:
        """(inner^n + share (outer^n - inner^n))^(1/n)."""
        low, high = self.inner**dim, self.outer**dim
        return (low + share * (high - low)) ** (1 / dim)


class Ball(AbstractDistanceLaw):
    """Uniform among the points up to a distance, by the flat volume r^(n-1)."""

    outer: float = eqx.field(static=True, converter=float)

    def __check_init__(self):
        _check_outer("Ball", self.outer)

    def quantile(self, share: Float[Array, "..."], dim: int) -> Float[Array, "..."]:
        """outer share^(1/n)."""
        return self.outer * share ** (1 / dim)


class Radial(AbstractDistanceLaw):
    """The distance itself is uniform, from zero on if `inner` is left out: many pairs are very near."""

    outer: float = eqx.field(static=True, converter=float)
    inner: float = eqx.field(static=True, converter=float, default=0.0)

    def __check_init__(self):
        _check_outer("Radial", self.outer)
        if not 0 <= self.inner < self.outer:
            raise ConfigError(
                f"Radial: expected 0 <= inner < outer, got inner = {self.inner:g}, outer = {self.outer:g}."
            )

    def quantile(self, share: Float[Array, "..."], dim: int) -> Float[Array, "..."]:
        """inner + share (outer - inner)."""
        return self.inner + share * (self.outer - self.inner)


class Shell(AbstractDistanceLaw):
    """One distance for all pairs: waves of half its length along geodesics go unseen."""

    outer: float = eqx.field(static=True, converter=float)

    def __check_init__(self):
        _check_outer("Shell", self.outer)

    def quantile(self, share: Float[Array, "..."], dim: int) -> Float[Array, "..."]:
        """outer."""
        return jnp.full_like(share, self.outer)


class PairSampler(eqx.Module):
    """Pairs on a manifold by a law of their distances: see `pair_at`.

    Raises `ConfigError` where pairs may be as far from one another as the injectivity radius, since midpoints are not
    unique there, or farther than any two points of a region are.
    """

    manifold: AbstractManifold
    law: AbstractDistanceLaw

    def __check_init__(self):
        radius, widest = self.manifold.injectivity_radius, self.manifold.diameter
        if self.law.outer >= widest and widest < radius:
            raise ConfigError(
                f"Pairs up to a distance of {self.law.outer:g} were asked for, but no two points of {self.manifold!r} "
                f"are farther apart than {widest:g}. Give a smaller distance; {0.16 * widest:.2g} is a good one."
            )
        if self.law.outer >= radius:
            raise ConfigError(
                f"Pairs up to a distance of {self.law.outer:g} were asked for, but the midpoint of two points of "
                f"{self.manifold!r} is unique only below its injectivity radius, {radius:g}. Give a smaller distance; "
                f"{0.16 * radius:.2g} is a good one."
            )

    def __call__(self, key: PRNGKeyArray) -> Pair:
        """One pair."""
        first, second = jr.split(key)
        dtype = jax.eval_shape(self.manifold.sample, first).dtype
        return pair_at(self.manifold, self.law.draw(first, self.manifold.dim, dtype), second)


def pair_at(manifold: AbstractManifold, distance: Scalar, key: PRNGKeyArray) -> Pair:
    """A random pair at this distance: a point uniform on the manifold, and one in a uniform direction from it.

    Where the manifold has a boundary and the partner lies beyond, both are drawn again: so neither of the two is
    special, and pairs are at the distance that was asked for. Near the boundary there are fewer of them. NaN where a
    region has none in 10,000 tries.
    """

    def attempt(key: PRNGKeyArray) -> Pair:
        place, direction = jr.split(key)
        x = manifold.sample(place)
        return pair_along(manifold, x, manifold.direction(x, direction), distance)

    def again(state: tuple[Array, Pair]) -> tuple[Array, Pair]:
        count = state[0] + 1
        return count, attempt(jr.fold_in(key, count))

    def outside(state: tuple[Array, Pair]) -> Array:
        return ~manifold.contains(state[1].y) & (state[0] < _TRIES)

    pair = lax.while_loop(outside, again, (jnp.zeros((), jnp.int32), attempt(key)))[1]
    inside = manifold.contains(pair.y)
    return jax.tree.map(lambda leaf: jnp.where(inside, leaf, jnp.nan), pair)


def pair_along(manifold: AbstractManifold, x: Point, direction: Tangent, distance: Scalar) -> Pair:
    """The pair that begins at x and goes this far in a direction of length one."""
    v = distance * direction
    return Pair(x, manifold.exp(x, v), manifold.exp(x, 0.5 * v), distance)


def _check_outer(law: str, outer: float) -> None:
    if not 0 < outer < math.inf:
        raise ConfigError(f"{law}: outer = {outer:g} has to be a positive distance.")
