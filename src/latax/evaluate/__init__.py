"""Is a model right? Calibration, sample comparisons, detection, spectra, disentanglement, and a diagnosis.

Everything takes plain NumPy arrays and numbers and knows no model.
"""

from latax.evaluate import rules
from latax.evaluate.attributes import AttributeCorrelation, attribute_correlation
from latax.evaluate.calibration import Calibration, binomial_band, calibration
from latax.evaluate.detection import auc, combined_p_value
from latax.evaluate.diagnose import Diagnosis, Finding
from latax.evaluate.disentanglement import DCI, dci, dci_scores, mutual_information_gap
from latax.evaluate.image_attributes import ImageAttributes, image_attributes
from latax.evaluate.likelihood import LikelihoodBounds, gaussian_ceiling, likelihood_bounds
from latax.evaluate.paths import EquivarianceError, equivariance_error, norm_drift, path_energy, round_trip_error
from latax.evaluate.predictability import VariationPredictability, variation_predictability
from latax.evaluate.purity import FactorPurity, factor_purity
from latax.evaluate.reduction import error_reduction
from latax.evaluate.samples import (
    TwoSampleTest,
    median_distance,
    nearest_neighbour_distance,
    two_sample_test,
    unbiased_mmd2,
)
from latax.evaluate.spectrum import MetricSpectrum, PrincipalDirections, metric_spectrum, principal_directions
from latax.evaluate.stats import Interval, confidence_interval, format_number, paired_difference

__all__ = [
    "DCI",
    "AttributeCorrelation",
    "Calibration",
    "Diagnosis",
    "EquivarianceError",
    "FactorPurity",
    "Finding",
    "ImageAttributes",
    "Interval",
    "LikelihoodBounds",
    "MetricSpectrum",
    "PrincipalDirections",
    "TwoSampleTest",
    "VariationPredictability",
    "attribute_correlation",
    "auc",
    "binomial_band",
    "calibration",
    "combined_p_value",
    "confidence_interval",
    "dci",
    "dci_scores",
    "equivariance_error",
    "error_reduction",
    "factor_purity",
    "format_number",
    "gaussian_ceiling",
    "image_attributes",
    "likelihood_bounds",
    "median_distance",
    "metric_spectrum",
    "mutual_information_gap",
    "nearest_neighbour_distance",
    "norm_drift",
    "paired_difference",
    "path_energy",
    "principal_directions",
    "round_trip_error",
    "rules",
    "two_sample_test",
    "unbiased_mmd2",
    "variation_predictability",
]
