"""Embeddings: smooth maps g from latent coordinates u in R^n to data x in R^d, n <= d, and back.

The image of g is the manifold. An embedding also says, for any x, which point of the manifold it belongs to: its
projection is g(u) with (u, v) = project(x), where v are coordinates that vanish on the manifold (Brehmer and Cranmer
2020, arXiv 2003.13913, section 2).
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float

from latax._errors import ConfigError


class AbstractEmbedding(eqx.Module):
    """An embedding of R^n in R^d with its projection; both methods act on one sample."""

    in_size: eqx.AbstractVar[int]
    """Number n of latent coordinates."""
    out_size: eqx.AbstractVar[int]
    """Number d of data coordinates."""
    context_size: eqx.AbstractVar[int | None]
    """Length of the context the manifold depends on; None if it depends on none, and then any context is ignored."""

    @abc.abstractmethod
    def embed(self, u: Float[Array, " n"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The point of the manifold with latent coordinates u."""

    @abc.abstractmethod
    def project(
        self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None
    ) -> tuple[Float[Array, " n"], Float[Array, " m"]]:
        """Latent coordinates u of the manifold point that x belongs to, and m = d - n off-manifold coordinates v."""


class AbstractCover(AbstractEmbedding):
    """An embedding that reaches its points more than once, as angles reach a circle.

    The density of a point is then the sum over all latent points above it; counting one of them makes sampling and
    density disagree.
    """

    @abc.abstractmethod
    def preimages(self, u: Float[Array, " n"]) -> Float[Array, "k n"]:
        """All latent points with the image of u that lie within the window the class documents, each once."""


class FlowEmbedding(AbstractEmbedding):
    """The first n coordinates of a bijection f of R^d: g(u) = f(u, 0), and (u, v) = f^-1(x).

    Latent to data is the bijection's `transform`.
    """

    bijection: AbstractBijection
    in_size: int = eqx.field(static=True)

    def __check_init__(self):
        if len(self.bijection.shape) != 1 or not 1 <= self.in_size <= self.bijection.shape[0]:
            raise ConfigError(
                f"Cannot embed {self.in_size} latent coordinates by a bijection of shape {self.bijection.shape}. "
                "The shape must be (d,) with 1 <= n <= d."
            )

    @property
    def out_size(self) -> int:
        """Number d of data coordinates."""
        return self.bijection.shape[0]

    @property
    def context_size(self) -> int | None:
        """Length of the bijection's condition."""
        return None if self.bijection.cond_shape is None else self.bijection.cond_shape[0]

    def embed(self, u: Float[Array, " n"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """f(u, 0)."""
        padded = jnp.concatenate((u, jnp.zeros(self.out_size - self.in_size, u.dtype)))
        return self.bijection.transform(padded, context)

    def project(
        self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None
    ) -> tuple[Float[Array, " n"], Float[Array, " m"]]:
        """f^-1(x), cut after the first n coordinates."""
        coordinates = self.bijection.inverse(x, context)
        return coordinates[: self.in_size], coordinates[self.in_size :]


class AffineOutput(AbstractEmbedding):
    """Another embedding in the units of the data: x = loc + scale * inner(u), elementwise.

    The scaling is part of the map, so volumes, densities and reconstruction errors come out in data units.
    """

    embedding: AbstractEmbedding
    loc: Float[Array, " d"]
    scale: Float[Array, " d"]

    def __check_init__(self):
        expected = (self.embedding.out_size,)
        if self.loc.shape != expected or self.scale.shape != expected:
            raise ConfigError(
                f"loc and scale must have one entry per data coordinate, shape {expected}; "
                f"got {self.loc.shape} and {self.scale.shape}."
            )

    @property
    def in_size(self) -> int:
        """Number n of latent coordinates."""
        return self.embedding.in_size

    @property
    def out_size(self) -> int:
        """Number d of data coordinates."""
        return self.embedding.out_size

    @property
    def context_size(self) -> int | None:
        """The inner embedding's."""
        return self.embedding.context_size

    def embed(self, u: Float[Array, " n"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The inner point, scaled and shifted."""
        return self.loc + self.scale * self.embedding.embed(u, context)

    def project(
        self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None
    ) -> tuple[Float[Array, " n"], Float[Array, " m"]]:
        """The inner projection of the standardised point; v is in the inner embedding's units."""
        return self.embedding.project(self.standardise(x), context)

    def standardise(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        """The point in the inner embedding's units."""
        return (x - self.loc) / self.scale


def cover_of(embedding: AbstractEmbedding) -> AbstractCover | None:
    """The cover that an embedding is, whatever the units of its output; None if it reaches every point once."""
    while isinstance(embedding, AffineOutput):
        embedding = embedding.embedding
    return embedding if isinstance(embedding, AbstractCover) else None


def standardised(embedding: AbstractEmbedding, x: Float[Array, " d"]) -> tuple[AbstractEmbedding, Float[Array, " d"]]:
    """The embedding without its output scaling, and x in its units: where reconstruction is trained."""
    while isinstance(embedding, AffineOutput):
        embedding, x = embedding.embedding, embedding.standardise(x)
    return embedding, x
