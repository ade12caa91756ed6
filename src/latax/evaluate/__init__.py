"""Is a model right? Calibration, sample comparisons, detection, spectra, and a diagnosis, with uncertainties.

Everything takes plain NumPy arrays and numbers and knows no model.
"""

from latax.evaluate import rules
from latax.evaluate.calibration import Calibration, binomial_band, calibration
from latax.evaluate.detection import auc, combined_p_value
from latax.evaluate.diagnose import Diagnosis, Finding
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
    "Calibration",
    "Diagnosis",
    "Finding",
    "Interval",
    "MetricSpectrum",
    "PrincipalDirections",
    "TwoSampleTest",
    "auc",
    "binomial_band",
    "calibration",
    "combined_p_value",
    "confidence_interval",
    "format_number",
    "median_distance",
    "metric_spectrum",
    "nearest_neighbour_distance",
    "paired_difference",
    "principal_directions",
    "rules",
    "two_sample_test",
    "unbiased_mmd2",
]
