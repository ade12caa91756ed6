"""What a report shows of a fitted density."""

import numpy as np

from latax.data import Samples
from latax.estimators.assessment import DensityAssessment
from latax.estimators.density_verbs import DensityVerbs
from latax.report import figures
from latax.report.content import Figure


def density_figures(found: DensityAssessment, estimator: DensityVerbs, held_out: Samples) -> list[Figure]:
    """Every picture that the model can be asked for."""
    shown = held_out.take(slice(0, 2000))
    draws = estimator.sample(len(shown), context=shown.context, seed=1).reshape(len(shown), -1)
    data = np.asarray(shown.X, np.float64)
    pictures = [figures.samples_figure(data, draws, sample_shape=held_out.sample_shape, names=held_out.feature_names)]
    if found.errors is not None:
        groups = {"held out": found.errors}
        if found.training_errors is not None:
            groups = {"training": found.training_errors, **groups}
        lines = {} if found.pca_error is None else {"PCA of the same size (root mean square)": found.pca_error}
        projected = estimator.project(shown).reshape(len(shown), -1)
        pictures += [
            figures.samples_figure(
                data, projected, sample_shape=held_out.sample_shape, names=held_out.feature_names,
                labels=("data", "projected"), title="Data beside their projections",
            ),
            figures.error_figure(groups, lines=lines),
            figures.latent_figure(found.scored.latent, found.scored.log_base),
        ]  # fmt: skip
    pictures.append(figures.calibration_figure(found.calibration))
    if found.spectrum is not None:
        pictures.append(figures.spectrum_figure(found.spectrum))
    return pictures
