"""The rules of a diagnosis: plain numbers in, a `Finding` out. Each threshold is given with its reason.

Numbers are of held-out data unless a name says otherwise; lengths are in one unit, that of the data or the
standardised one.
"""

from latax.evaluate.rules.densities import (
    density_calibration,
    log_prob_gap,
    not_finite,
    thin_density,
)
from latax.evaluate.rules.embeddings import (
    covered_twice,
    energy_against_lowest,
)
from latax.evaluate.rules.forecasts import (
    flow_residual,
    forecast_against_nearest,
    latent_size_against_prior,
    manifold_condition,
    metric_mismatch,
    order_violation,
)
from latax.evaluate.rules.paths import (
    drift,
    paths_mistaken,
    paths_that_stand_still,
    paths_without_change,
    reversibility,
)
from latax.evaluate.rules.physics import (
    identifiable,
    interval_coverage,
    physics_share,
    within_bounds,
)
from latax.evaluate.rules.reconstructions import (
    error_gap,
    metric_condition,
    off_manifold,
    off_manifold_fraction,
    reconstruction_against_pca,
    reconstruction_against_scale,
    unused_latents,
)
from latax.evaluate.rules.trainings import (
    still_improving,
)

__all__ = [
    "covered_twice",
    "density_calibration",
    "drift",
    "energy_against_lowest",
    "error_gap",
    "flow_residual",
    "forecast_against_nearest",
    "identifiable",
    "interval_coverage",
    "latent_size_against_prior",
    "log_prob_gap",
    "manifold_condition",
    "metric_condition",
    "metric_mismatch",
    "not_finite",
    "off_manifold",
    "off_manifold_fraction",
    "order_violation",
    "paths_mistaken",
    "paths_that_stand_still",
    "paths_without_change",
    "physics_share",
    "reconstruction_against_pca",
    "reconstruction_against_scale",
    "reversibility",
    "still_improving",
    "thin_density",
    "unused_latents",
    "within_bounds",
]
