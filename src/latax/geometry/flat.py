"""What flat manifolds share: points and tangent vectors are coordinates, and the metric is the plain one."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.geometry.manifold import AbstractManifold, Scalar
from latax.geometry.smooth import norm

Vector = Float[Array, " n"]


class AbstractFlatManifold(AbstractManifold):
    """R^n or a quotient of it: everything but `log`, `exp` and the region follows from the coordinates."""

    @property
    def point_shape(self) -> tuple[int, ...]:
        """(n,)."""
        return (self.dim,)

    @property
    def tangent_shape(self) -> tuple[int, ...]:
        """(n,)."""
        return (self.dim,)

    def distance(self, x: Vector, y: Vector) -> Scalar:
        """The length of `log`, the shortest straight way."""
        return norm(self.log(x, y))

    def midpoint(self, x: Vector, y: Vector) -> Vector:
        """Halfway on the shortest straight way."""
        return self.exp(x, 0.5 * self.log(x, y))

    def metric(self, x: Vector, v: Vector, w: Vector) -> Scalar:
        """v . w."""
        return jnp.dot(v, w)

    def basis(self, x: Vector) -> Float[Array, "n n"]:
        """The unit vectors."""
        return jnp.eye(self.dim, dtype=x.dtype)
