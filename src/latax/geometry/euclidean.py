"""Euclidean space."""

import math

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.geometry.flat import AbstractFlatManifold

Vector = Float[Array, " n"]


class Euclidean(AbstractFlatManifold):
    """R^n, of which `sample` draws from the cube [lower, upper]^n and `volume` measures it.

    Raises `ConfigError` for n < 1, and for bounds in the wrong order.
    """

    dim: int = eqx.field(static=True)
    lower: float = eqx.field(static=True, default=0.0, converter=float)
    upper: float = eqx.field(static=True, default=1.0, converter=float)

    def __check_init__(self):
        if self.dim < 1:
            raise ConfigError(f"Euclidean({self.dim}): the dimension has to be at least 1.")
        if not self.lower < self.upper:
            raise ConfigError(f"Euclidean: lower = {self.lower:g} is not below upper = {self.upper:g}. Exchange them?")

    @property
    def injectivity_radius(self) -> float:
        """Infinite."""
        return float("inf")

    @property
    def diameter(self) -> float:
        """Of the cube: √n times its edge."""
        return math.sqrt(self.dim) * (self.upper - self.lower)

    @property
    def volume(self) -> float:
        """Of the cube."""
        return (self.upper - self.lower) ** self.dim

    def exp(self, x: Vector, v: Vector) -> Vector:
        """x + v."""
        return x + v

    def log(self, x: Vector, y: Vector) -> Vector:
        """y - x."""
        return y - x

    def sample(self, key: PRNGKeyArray) -> Vector:
        """Uniform in the cube."""
        return jr.uniform(key, (self.dim,), minval=self.lower, maxval=self.upper)

    def contains(self, x: Vector) -> Bool[Array, ""]:
        """Whether x is in the cube."""
        return jnp.all((x >= self.lower) & (x <= self.upper))
