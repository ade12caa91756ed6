"""Geometry: manifolds with exact distances and midpoints."""

from latax.geometry.euclidean import Euclidean
from latax.geometry.manifold import AbstractManifold, AbstractMetricSpace
from latax.geometry.metric_space import MetricSpace
from latax.geometry.product import Product
from latax.geometry.rotation import SO3
from latax.geometry.sphere import Sphere, SphericalCap
from latax.geometry.torus import FlatTorus

__all__ = [
    "SO3",
    "AbstractManifold",
    "AbstractMetricSpace",
    "Euclidean",
    "FlatTorus",
    "MetricSpace",
    "Product",
    "Sphere",
    "SphericalCap",
]
