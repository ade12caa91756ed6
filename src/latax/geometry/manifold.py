"""What a manifold is: distances and midpoints, and with a Riemannian metric also exp, log, frames and a volume.

Two storeys. An `AbstractMetricSpace` knows what a loss on pairs of points needs, `distance` and `midpoint`; a user's
own is a `MetricSpace`. An `AbstractManifold` knows everything. All methods take single points; use `jax.vmap` for many.
"""

import abc
import math

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, PRNGKeyArray

Point = Float[Array, "..."]
Tangent = Float[Array, "..."]
Scalar = Float[Array, ""]


class AbstractMetricSpace(eqx.Module):
    """Points with a geodesic distance, and a midpoint of two points that are not too far apart."""

    point_shape: eqx.AbstractVar[tuple[int, ...]]
    """The shape of the array that stands for one point."""
    injectivity_radius: eqx.AbstractVar[float]
    """Below this distance the shortest path between two points, and so their midpoint, is unique."""

    @abc.abstractmethod
    def distance(self, x: Point, y: Point) -> Scalar:
        """The length of the shortest path from x to y. Where x = y its derivative is taken to be zero."""

    @abc.abstractmethod
    def midpoint(self, x: Point, y: Point) -> Point:
        """The point halfway on the shortest path from x to y, if they are closer than the injectivity radius."""


class AbstractManifold(AbstractMetricSpace):
    """A Riemannian manifold of finite volume, or a convex region of one.

    Tangent vectors at x are arrays of shape `tangent_shape`; how they are to be read is for each manifold to say.
    `metric` is their inner product, in units of squared distance.
    """

    dim: eqx.AbstractVar[int]
    """The dimension n of the manifold, not of the array that stands for a point."""
    tangent_shape: eqx.AbstractVar[tuple[int, ...]]
    volume: eqx.AbstractVar[float]
    """The n-dimensional volume of what `sample` draws from."""

    @abc.abstractmethod
    def metric(self, x: Point, v: Tangent, w: Tangent) -> Scalar:
        """The inner product of two tangent vectors at x."""

    @abc.abstractmethod
    def basis(self, x: Point) -> Float[Array, "n *tangent"]:
        """n orthonormal tangent vectors at x; they need not depend continuously on x."""

    @abc.abstractmethod
    def exp(self, x: Point, v: Tangent) -> Point:
        """Where the geodesic from x with initial velocity v is after unit time."""

    @abc.abstractmethod
    def log(self, x: Point, y: Point) -> Tangent:
        """The initial velocity of the shortest geodesic from x that reaches y after unit time."""

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray) -> Point:
        """A point drawn uniformly with respect to the volume."""

    @abc.abstractmethod
    def contains(self, x: Point) -> Bool[Array, ""]:
        """Whether x, a point of the surrounding manifold, is in the region; true where there is no boundary."""

    @property
    def diameter(self) -> float:
        """The greatest distance of two points; infinite where nothing is known of it."""
        return math.inf

    @property
    def reach(self) -> float:
        """Pairs below this distance are there, and have one shortest path: the injectivity radius, or the diameter of a
        region that is smaller."""
        return min(self.injectivity_radius, self.diameter)

    @property
    def length_scale(self) -> float:
        """The unit in which near is measured: `reach` / π. Where a region of flat space has no injectivity radius, the
        n-th root of its volume / π. 1 for a unit circle, a unit sphere and SO(3)."""
        finite = math.isfinite(self.injectivity_radius)
        return (self.reach if finite else self.volume ** (1 / self.dim)) / math.pi

    def tangent(self, x: Point, coordinates: Float[Array, " n"]) -> Tangent:
        """The tangent vector at x with these coordinates in `basis(x)`."""
        return jnp.tensordot(coordinates, self.basis(x), axes=1)

    def direction(self, x: Point, key: PRNGKeyArray) -> Tangent:
        """A tangent vector of length one, all directions being equally likely."""
        coordinates = jr.normal(key, (self.dim,), x.dtype)
        return self.tangent(x, coordinates / jnp.linalg.norm(coordinates))


class AbstractHomogeneousManifold(AbstractManifold):
    """A manifold on which every point and direction is like every other up to isometries, with its classical embedding.

    On these the lowest energy that any map can have is known: see `latax.geometry.lowest_energy`.
    """

    @abc.abstractmethod
    def embed(self, x: Point) -> Float[Array, " l"]:
        """The isometric embedding in a Euclidean space that is bent the least."""

    @property
    @abc.abstractmethod
    def embedding_is_lowest(self) -> bool:
        """Whether it is proved that no map into any space has less energy than a multiple of `embed`."""
