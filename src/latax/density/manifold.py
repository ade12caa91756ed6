"""Densities on a manifold, with respect to its own n-dimensional volume (Hausdorff measure).

For x on the manifold, u its latent coordinates, J the Jacobian of the embedding at u (Brehmer and Cranmer 2020, arXiv
2003.13913, equation 5):

    log p(x) = log p_U(u) - 1/2 log det J^T J.

A point off the manifold gets two numbers: the density at its projection and the distance to it. The density is per
n-dimensional volume: it is not comparable with one of all of R^d, nor between different n.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flowjax.distributions import AbstractDistribution
from jaxtyping import Array, Float

from latax.density.embedding import AbstractCover, AbstractEmbedding, cover_of
from latax.density.volume import embed_and_log_volume, log_volume


class ManifoldLogProb(NamedTuple):
    """What is known about one point under a density on a manifold; natural logarithms, data units."""

    log_prob: Float[Array, "*batch"]
    """log density per n-dimensional volume of the manifold, at the projection: log_base - log_volume."""
    log_base: Float[Array, "*batch"]
    """log density of the latent coordinates; for a cover, of all latent points above x together."""
    log_volume: Float[Array, "*batch"]
    """1/2 log det J^T J: how much the embedding stretches n-dimensional volume at the latent coordinates."""
    reconstruction_error: Float[Array, "*batch"]
    """Euclidean distance from x to its projection."""
    latent: Float[Array, "*batch n"]
    """Latent coordinates of the projection."""


class AmbientLogProb(NamedTuple):
    """What is known about one point under a density of all of R^d; natural logarithms, data units."""

    log_prob: Float[Array, "*batch"]
    """log density per d-dimensional volume."""
    latent: Float[Array, "*batch d"]
    """The point of the base space, standard normal if the fit is right."""


def manifold_log_prob(
    embedding: AbstractEmbedding,
    latent: AbstractDistribution,
    x: Float[Array, " d"],
    context: Float[Array, " c"] | None = None,
) -> ManifoldLogProb:
    """The density at the projection of x, with its parts and the distance to the projection.

    `latent` is the distribution of the latent coordinates, of shape (n,). For an `AbstractCover`, in whatever units,
    the densities of all preimages are added, so that the density integrates to one and agrees with sampling. Where the
    volume vanishes (at the poles of a sphere) it is as large as floating-point numbers allow.
    """
    u, _ = embedding.project(x, context)

    def embed(u: Float[Array, " n"]) -> Float[Array, " d"]:
        return embedding.embed(u, context)

    projection, volume = embed_and_log_volume(embed, u)
    cover = cover_of(embedding)
    if cover is None:
        log_base = latent.log_prob(u, context)
    else:
        volume = jnp.maximum(volume, _least_volume(volume))
        log_base = volume + jax.nn.logsumexp(points_above(embedding, cover, latent, u, context)[1])
    return ManifoldLogProb(
        log_prob=log_base - volume,
        log_base=log_base,
        log_volume=volume,
        reconstruction_error=jnp.linalg.norm(x - projection),
        latent=u,
    )


def points_above(
    embedding: AbstractEmbedding,
    cover: AbstractCover,
    latent: AbstractDistribution,
    u: Float[Array, " n"],
    context: Float[Array, " c"] | None = None,
) -> tuple[Float[Array, "k n"], Float[Array, " k"]]:
    """All latent points with the image of u, and the log density on the manifold that each of them adds.

    `cover` is the one that `embedding` is (`cover_of`).
    """
    above = cover.preimages(u)
    log_bases = jax.vmap(lambda u: latent.log_prob(u, context))(above)
    volumes = jax.vmap(lambda u: log_volume(lambda u: embedding.embed(u, context), u))(above)
    return above, log_bases - jnp.maximum(volumes, _least_volume(volumes))


def _least_volume(volume: Array) -> float:
    return math.log(float(jnp.finfo(volume.dtype).tiny))
