"""Products of manifolds, with a weight for each factor."""

import math
from collections.abc import Callable, Sequence

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.geometry.manifold import AbstractManifold, Scalar
from latax.geometry.smooth import root

Flat = Float[Array, " d"]
FlatTangent = Float[Array, " t"]


class Product(AbstractManifold):
    """Pairs, triples, ... of points, with d² = Σ w_i² d_i².

    A point is the vector of all coordinates of its parts one after the other; `split` takes it apart.

    **Arguments:**

    - `factors`: the manifolds.
    - `weights`: w_i, the length that one unit of distance in factor i counts for: 1 by default.

    Raises `ConfigError` for no factors, and for weights that are not positive or not one for each factor.
    """

    factors: tuple[AbstractManifold, ...]
    weights: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, factors: Sequence[AbstractManifold], weights: Sequence[float | int] | None = None):
        self.factors = tuple(factors)
        self.weights = (1.0,) * len(self.factors) if weights is None else tuple(float(w) for w in weights)

    def __check_init__(self):
        if not self.factors:
            raise ConfigError("Product([]): a product needs at least one factor, such as Product([Sphere(2), SO3()]).")
        if len(self.weights) != len(self.factors) or not all(0 < w < math.inf for w in self.weights):
            raise ConfigError(
                f"Product: weights = {self.weights} for {len(self.factors)} factors. Expected one positive number each."
            )

    @property
    def dim(self) -> int:
        """The sum of the dimensions."""
        return sum(factor.dim for factor in self.factors)

    @property
    def point_shape(self) -> tuple[int, ...]:
        """(the number of all coordinates,)."""
        return (sum(math.prod(factor.point_shape) for factor in self.factors),)

    @property
    def tangent_shape(self) -> tuple[int, ...]:
        """(the number of all coordinates of tangent vectors,)."""
        return (sum(math.prod(factor.tangent_shape) for factor in self.factors),)

    @property
    def injectivity_radius(self) -> float:
        """The smallest weighted one."""
        return min(w * factor.injectivity_radius for factor, w in self._weighted())

    @property
    def diameter(self) -> float:
        """√ Σ w² diameter²."""
        return math.hypot(*(w * factor.diameter for factor, w in self._weighted()))

    @property
    def volume(self) -> float:
        """The product of all w^n volume."""
        return math.prod(w**factor.dim * factor.volume for factor, w in self._weighted())

    def split(self, x: Flat) -> tuple[Float[Array, "..."], ...]:
        """The parts of a point, each in the shape of its factor."""
        return _split(x, [factor.point_shape for factor in self.factors])

    def split_tangent(self, v: FlatTangent) -> tuple[Float[Array, "..."], ...]:
        """The parts of a tangent vector, each in the shape of its factor."""
        return _split(v, [factor.tangent_shape for factor in self.factors])

    def join(self, parts: Sequence[Float[Array, "..."]]) -> Flat:
        """The point, or tangent vector, with these parts."""
        return jnp.concatenate([part.reshape(-1) for part in parts])

    def distance(self, x: Flat, y: Flat) -> Scalar:
        """√ Σ w² d²; its derivative where x = y is zero."""
        parts = zip(self._weighted(), self.split(x), self.split(y), strict=True)
        square = sum((w * factor.distance(a, b)) ** 2 for (factor, w), a, b in parts)
        return root(jnp.asarray(square))

    def midpoint(self, x: Flat, y: Flat) -> Flat:
        """The midpoints of the parts."""
        return self._each(lambda factor, a, b: factor.midpoint(a, b), self.split(x), self.split(y))

    def metric(self, x: Flat, v: FlatTangent, w: FlatTangent) -> Scalar:
        """Σ w² <v, w>."""
        parts = zip(self._weighted(), self.split(x), self.split_tangent(v), self.split_tangent(w), strict=True)
        return jnp.asarray(sum(weight**2 * factor.metric(a, b, c) for (factor, weight), a, b, c in parts))

    def basis(self, x: Flat) -> Float[Array, "n t"]:
        """The bases of the factors, divided by their weights."""
        blocks, column = [], 0
        for (factor, weight), part in zip(self._weighted(), self.split(x), strict=True):
            block = factor.basis(part).reshape(factor.dim, -1) / weight
            before, after = column, self.tangent_shape[0] - column - block.shape[1]
            blocks.append(jnp.pad(block, ((0, 0), (before, after))))
            column += block.shape[1]
        return jnp.concatenate(blocks)

    def exp(self, x: Flat, v: FlatTangent) -> Flat:
        """`exp` of the parts."""
        return self._each(lambda factor, a, b: factor.exp(a, b), self.split(x), self.split_tangent(v))

    def log(self, x: Flat, y: Flat) -> FlatTangent:
        """`log` of the parts."""
        return self._each(lambda factor, a, b: factor.log(a, b), self.split(x), self.split(y))

    def sample(self, key: PRNGKeyArray) -> Flat:
        """Uniform: the parts independently."""
        keys = jr.split(key, len(self.factors))
        return self.join([factor.sample(k) for factor, k in zip(self.factors, keys, strict=True)])

    def contains(self, x: Flat) -> Bool[Array, ""]:
        """Whether all parts are inside."""
        parts = zip(self.factors, self.split(x), strict=True)
        return jnp.all(jnp.stack([factor.contains(part) for factor, part in parts]))

    def _weighted(self) -> list[tuple[AbstractManifold, float]]:
        return list(zip(self.factors, self.weights, strict=True))

    def _each(self, operation: Callable, *parts: tuple[Float[Array, "..."], ...]) -> Flat:
        return self.join([operation(factor, *own) for factor, *own in zip(self.factors, *parts, strict=True)])


def _split(x: Flat, shapes: list[tuple[int, ...]]) -> tuple[Float[Array, "..."], ...]:
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    return tuple(part.reshape(shape) for part, shape in zip(jnp.split(x, ends), shapes, strict=True))
