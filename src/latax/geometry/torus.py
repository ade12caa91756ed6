"""Flat tori: products of circles, as coordinates with a period each."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.geometry.flat import AbstractFlatManifold
from latax.geometry.manifold import AbstractHomogeneousManifold

Vector = Float[Array, " n"]


def _floats(periods: float | int | Sequence[float | int]) -> tuple[float, ...]:
    return (float(periods),) if isinstance(periods, float | int) else tuple(float(period) for period in periods)


class FlatTorus(AbstractFlatManifold, AbstractHomogeneousManifold):
    """R^n modulo a period in each coordinate; FlatTorus((2π,)) is the unit circle by its angle.

    Coordinates may be given in any period and are returned in [0, period). At half a period of distance there are two
    shortest paths; there the derivative of `distance` is that of one of them.

    Raises `ConfigError` where a period is not positive and finite, and where there is none.
    """

    periods: tuple[float, ...] = eqx.field(static=True, converter=_floats)

    def __check_init__(self):
        if not self.periods or not all(0 < period < math.inf for period in self.periods):
            raise ConfigError(
                f"FlatTorus({self.periods}): expected a positive period for each coordinate, such as (2π, 2π). "
                "For a coordinate without a period use Product([FlatTorus(...), Euclidean(...)])."
            )

    @property
    def dim(self) -> int:
        """The number of periods."""
        return len(self.periods)

    @property
    def injectivity_radius(self) -> float:
        """Half of the smallest period."""
        return min(self.periods) / 2

    @property
    def diameter(self) -> float:
        """√ Σ (period / 2)²."""
        return math.hypot(*self.periods) / 2

    @property
    def volume(self) -> float:
        """The product of the periods."""
        return math.prod(self.periods)

    def exp(self, x: Vector, v: Vector) -> Vector:
        """x + v, with every coordinate in [0, period)."""
        period = self._periods(x)
        wrapped = jnp.mod(x + v, period)
        return jnp.where(wrapped >= period, wrapped - period, wrapped)

    def log(self, x: Vector, y: Vector) -> Vector:
        """y - x, with every coordinate in [-period / 2, period / 2]."""
        period = self._periods(x)
        difference = y - x
        return difference - period * jnp.round(difference / period)

    def sample(self, key: PRNGKeyArray) -> Vector:
        """Uniform in every coordinate."""
        unit = jr.uniform(key, (self.dim,))
        return unit * self._periods(unit)

    def contains(self, x: Vector) -> Bool[Array, ""]:
        """True: a torus has no boundary."""
        return jnp.array(True)

    def embed(self, x: Vector) -> Float[Array, " l"]:
        """Clifford's torus: a circle of length `period` for each coordinate."""
        radii = self._periods(x) / (2 * math.pi)
        angles = x / radii
        return jnp.concatenate([radii * jnp.cos(angles), radii * jnp.sin(angles)])

    @property
    def embedding_is_lowest(self) -> bool:
        """Where all periods are equal: every wave is then at least as short as they are."""
        return len(set(self.periods)) == 1

    def _periods(self, like: Array) -> Vector:
        return jnp.asarray(np.array(self.periods), like.dtype)
