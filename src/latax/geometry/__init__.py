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
from latax.geometry.directions import direction_rule
from latax.geometry.distances import distance_matrix
from latax.geometry.distortion import (
    DISTORTIONS,
    AbstractDistortion,
    Inverse,
    Logarithmic,
    Quadratic,
    Regularised,
    distortion_named,
)
from latax.geometry.energy import (
    Energy,
    Terms,
    derivatives,
    limit_energy,
    limit_terms,
    mean_bending,
    mean_distortion,
    pair_energy,
    pair_terms,
    probed_terms,
)
from latax.geometry.euclidean import Euclidean
from latax.geometry.geodesic import Geodesic, geodesic
from latax.geometry.length import length
from latax.geometry.lowest import Lowest, lowest_energy, lowest_is_known
from latax.geometry.manifold import AbstractHomogeneousManifold, AbstractManifold, AbstractMetricSpace
from latax.geometry.metric import condition_number, log_volume, pullback_metric, speed
from latax.geometry.metric_space import MetricSpace
from latax.geometry.pairs import AbstractDistanceLaw, Annulus, Ball, Pair, PairSampler, Radial, Shell
from latax.geometry.product import Product
from latax.geometry.quotient import first_quotient, second_quotient
from latax.geometry.rotation import SO3
from latax.geometry.shooting import Path, shoot
from latax.geometry.sphere import Sphere, SphericalCap
from latax.geometry.stencil import Stencils, hessian_stencils, stencil_hessian, stencil_unknowns
from latax.geometry.torus import FlatTorus

__all__ = [
    "DISTORTIONS",
    "SO3",
    "AbstractDistanceLaw",
    "AbstractDistortion",
    "AbstractHomogeneousManifold",
    "AbstractManifold",
    "AbstractMetricSpace",
    "Annulus",
    "Ball",
    "Energy",
    "Euclidean",
    "FlatTorus",
    "Geodesic",
    "Inverse",
    "Logarithmic",
    "Lowest",
    "MetricSpace",
    "Pair",
    "PairSampler",
    "Path",
    "Product",
    "Quadratic",
    "Radial",
    "Regularised",
    "Shell",
    "Sphere",
    "SphericalCap",
    "Stencils",
    "Terms",
    "christoffel_symbols",
    "condition_number",
    "derivatives",
    "direction_rule",
    "distance_matrix",
    "distortion_named",
    "first_quotient",
    "gaussian_curvature",
    "geodesic",
    "geodesic_acceleration",
    "hessian_stencils",
    "length",
    "limit_energy",
    "limit_terms",
    "log_volume",
    "lowest_energy",
    "lowest_is_known",
    "mean_bending",
    "mean_curvature_vector",
    "mean_distortion",
    "pair_energy",
    "pair_terms",
    "probed_terms",
    "pullback_metric",
    "second_fundamental_form",
    "second_fundamental_form_in_frame",
    "second_quotient",
    "sectional_curvature",
    "shoot",
    "speed",
    "stencil_hessian",
    "stencil_unknowns",
]
