"""Densities: invertible flows, embeddings of a latent space in data space, and the volumes that relate the two."""

from latax.density.charts import Sphere
from latax.density.coupling import SplineCoupling
from latax.density.embedding import AbstractCover, AbstractEmbedding, AffineOutput, FlowEmbedding, cover_of
from latax.density.manifold import AmbientLogProb, ManifoldLogProb, manifold_log_prob
from latax.density.mixing import LUMixing, Permutation
from latax.density.spline_flow import spline_coupling_flow
from latax.density.volume import embed_and_log_volume, log_volume

__all__ = [
    "AbstractCover",
    "AbstractEmbedding",
    "AffineOutput",
    "AmbientLogProb",
    "FlowEmbedding",
    "LUMixing",
    "ManifoldLogProb",
    "Permutation",
    "Sphere",
    "SplineCoupling",
    "cover_of",
    "embed_and_log_volume",
    "log_volume",
    "manifold_log_prob",
    "spline_coupling_flow",
]
