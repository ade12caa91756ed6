"""Figures of a fit: complete ones with captions (`gallery`), made of panels that draw plain arrays on an `ax`.

Importing this package imports Matplotlib; nothing else in `latax` does.
"""

from latax.report.figures.calibration import coordinate_errors, coverage_curve, pit_histogram
from latax.report.figures.curves import PhaseHistory, loss_terms, validation_curve
from latax.report.figures.distributions import density_histogram, forest, log_histogram
from latax.report.figures.embedding import (
    convergence_figure,
    halfway_figure,
    interpolation_figure,
    lengths_figure,
    path_figure,
    shape_figure,
    trade_figure,
)
from latax.report.figures.forecasts import (
    forecast_error_figure,
    forecasts_figure,
    manifold_figure,
    manifold_numbers_figure,
)
from latax.report.figures.gallery import (
    calibration_figure,
    comparison_figure,
    error_figure,
    latent_figure,
    loss_figure,
    parts_figure,
    record_figure,
    samples_figure,
    spectrum_figure,
)
from latax.report.figures.images import image_mosaic, image_size, is_image, picture_grid, value_range
from latax.report.figures.paths import paths_figure
from latax.report.figures.points import latent_curve, latent_scatter, scatter, scatter_3d
from latax.report.figures.sequences import (
    corrections_figure,
    estimates_figure,
    extrapolation_figure,
    sequences_figure,
    shares_figure,
)
from latax.report.figures.spectrum import condition_histogram, singular_value_bands

__all__ = [
    "PhaseHistory",
    "calibration_figure",
    "comparison_figure",
    "condition_histogram",
    "convergence_figure",
    "coordinate_errors",
    "corrections_figure",
    "coverage_curve",
    "density_histogram",
    "error_figure",
    "estimates_figure",
    "extrapolation_figure",
    "forecast_error_figure",
    "forecasts_figure",
    "forest",
    "halfway_figure",
    "image_mosaic",
    "image_size",
    "interpolation_figure",
    "is_image",
    "latent_curve",
    "latent_figure",
    "latent_scatter",
    "lengths_figure",
    "log_histogram",
    "loss_figure",
    "loss_terms",
    "manifold_figure",
    "manifold_numbers_figure",
    "parts_figure",
    "path_figure",
    "paths_figure",
    "picture_grid",
    "pit_histogram",
    "record_figure",
    "samples_figure",
    "scatter",
    "scatter_3d",
    "sequences_figure",
    "shape_figure",
    "shares_figure",
    "singular_value_bands",
    "spectrum_figure",
    "trade_figure",
    "validation_curve",
    "value_range",
]
