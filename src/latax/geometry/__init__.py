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
from latax.geometry.evolving import (
    MovingFrame,
    MovingMap,
    MovingMetric,
    induced_metric,
    metric_and_rate,
    moving_frame,
)
from latax.geometry.geodesic import Geodesic, geodesic
from latax.geometry.intrinsic import ricci_tensor, scalar_curvature
from latax.geometry.length import length
from latax.geometry.loewner import negative_energy, negative_part, order_penalty, order_violation
from latax.geometry.lowest import Lowest, best_multiple, lowest_energy, lowest_is_known
from latax.geometry.manifold import AbstractHomogeneousManifold, AbstractManifold, AbstractMetricSpace
from latax.geometry.metric import condition_number, log_volume, pullback_metric, speed
from latax.geometry.metric_flow import (
    AbstractCurvatureFlow,
    AbstractLinearFlow,
    AbstractMetricFlow,
    AbstractSolvableFlow,
    FlowContext,
    LiteralFlow,
    RicciFlow,
    StaticFlow,
    SymmetricFlow,
    entropy,
    entropy_rate,
)
from latax.geometry.metric_space import MetricSpace
from latax.geometry.pairs import AbstractDistanceLaw, Annulus, Ball, Pair, PairSampler, Radial, Shell, pair_at
from latax.geometry.product import Product
from latax.geometry.quotient import first_quotient, second_quotient
from latax.geometry.reference_metric import AbstractEmbeddedReference, AbstractReferenceMetric, OwnReference
from latax.geometry.rotation import SO3
from latax.geometry.round_metrics import EllipsoidMetric, SphereMetric
from latax.geometry.shooting import Path, shoot
from latax.geometry.sphere import Sphere, SphericalCap
from latax.geometry.stencil import Stencils, hessian_stencils, stencil_hessian, stencil_unknowns
from latax.geometry.torus import FlatTorus
from latax.geometry.torus_metrics import FlatTorusMetric, RevolutionTorusMetric

__all__ = [
    "DISTORTIONS",
    "SO3",
    "AbstractCurvatureFlow",
    "AbstractDistanceLaw",
    "AbstractDistortion",
    "AbstractEmbeddedReference",
    "AbstractHomogeneousManifold",
    "AbstractLinearFlow",
    "AbstractManifold",
    "AbstractMetricFlow",
    "AbstractMetricSpace",
    "AbstractReferenceMetric",
    "AbstractSolvableFlow",
    "Annulus",
    "Ball",
    "EllipsoidMetric",
    "Energy",
    "Euclidean",
    "FlatTorus",
    "FlatTorusMetric",
    "FlowContext",
    "Geodesic",
    "Inverse",
    "LiteralFlow",
    "Logarithmic",
    "Lowest",
    "MetricSpace",
    "MovingFrame",
    "MovingMap",
    "MovingMetric",
    "OwnReference",
    "Pair",
    "PairSampler",
    "Path",
    "Product",
    "Quadratic",
    "Radial",
    "Regularised",
    "RevolutionTorusMetric",
    "RicciFlow",
    "Shell",
    "Sphere",
    "SphereMetric",
    "SphericalCap",
    "StaticFlow",
    "Stencils",
    "SymmetricFlow",
    "Terms",
    "best_multiple",
    "christoffel_symbols",
    "condition_number",
    "derivatives",
    "direction_rule",
    "distance_matrix",
    "entropy",
    "entropy_rate",
    "first_quotient",
    "gaussian_curvature",
    "geodesic",
    "geodesic_acceleration",
    "hessian_stencils",
    "induced_metric",
    "length",
    "limit_energy",
    "limit_terms",
    "log_volume",
    "lowest_energy",
    "lowest_is_known",
    "mean_bending",
    "mean_curvature_vector",
    "mean_distortion",
    "metric_and_rate",
    "moving_frame",
    "negative_energy",
    "negative_part",
    "order_penalty",
    "order_violation",
    "pair_at",
    "pair_energy",
    "pair_terms",
    "probed_terms",
    "pullback_metric",
    "ricci_tensor",
    "scalar_curvature",
    "second_fundamental_form",
    "second_fundamental_form_in_frame",
    "second_quotient",
    "sectional_curvature",
    "shoot",
    "speed",
    "stencil_hessian",
    "stencil_unknowns",
]
