"""Geometry: manifolds with exact distances, and the metric, curvature and geodesics of any decoder."""

from latax.geometry.curvature import (
    christoffel_symbols,
    gaussian_curvature,
    geodesic_acceleration,
    mean_curvature_vector,
    second_fundamental_form,
    second_fundamental_form_in_frame,
    sectional_curvature,
)
from latax.geometry.distances import distance_matrix
from latax.geometry.euclidean import Euclidean
from latax.geometry.geodesic import Geodesic, geodesic
from latax.geometry.length import length
from latax.geometry.manifold import AbstractManifold, AbstractMetricSpace
from latax.geometry.metric import condition_number, log_volume, pullback_metric, speed
from latax.geometry.metric_space import MetricSpace
from latax.geometry.product import Product
from latax.geometry.rotation import SO3
from latax.geometry.shooting import Path, shoot
from latax.geometry.sphere import Sphere, SphericalCap
from latax.geometry.torus import FlatTorus

__all__ = [
    "SO3",
    "AbstractManifold",
    "AbstractMetricSpace",
    "Euclidean",
    "FlatTorus",
    "Geodesic",
    "MetricSpace",
    "Path",
    "Product",
    "Sphere",
    "SphericalCap",
    "christoffel_symbols",
    "condition_number",
    "distance_matrix",
    "gaussian_curvature",
    "geodesic",
    "geodesic_acceleration",
    "length",
    "log_volume",
    "mean_curvature_vector",
    "pullback_metric",
    "second_fundamental_form",
    "second_fundamental_form_in_frame",
    "sectional_curvature",
    "shoot",
    "speed",
]
