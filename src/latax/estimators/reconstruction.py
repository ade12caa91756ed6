"""What is known about a model that only rebuilds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.data import Samples
from latax.estimators.assessment import Assessment, against_scale, history_findings, pca_error, spread
from latax.evaluate import Diagnosis, rules


@dataclass(frozen=True, kw_only=True)
class ReconstructionAssessment(Assessment):
    """Errors of held-out rows.

    - `errors`: Euclidean distance of each row to its reconstruction, in data units; `data_scale`: root mean square
        distance of the rows from their mean; `pca_error`: that of PCA with as many coordinates, where training rows
        were given.
    """

    errors: Float[np.ndarray, " N"]
    data_scale: float
    pca_error: float | None = None


def assess_reconstruction(
    estimator: Any, held_out: Samples, training: Samples | None, *, latent_size: int
) -> ReconstructionAssessment:
    """Judges a fit by how well it rebuilds held-out rows, beside PCA with as many coordinates."""
    held_out = held_out.take(spread(np.arange(len(held_out))))
    x = np.asarray(held_out.X, np.float64)
    errors = estimator.reconstruction_error(held_out)
    scale = float(np.sqrt(np.mean(np.sum((x - x.mean(axis=0)) ** 2, axis=1))))
    rms = float(np.sqrt(np.mean(errors**2)))
    findings, pca = [against_scale(rms, scale, len(x))], None
    if training is not None:
        pca = pca_error(training, held_out, latent_size)
        findings.append(rules.reconstruction_against_pca(rms, pca, scale))
    diagnosis = Diagnosis((*findings, *history_findings(estimator)))
    return ReconstructionAssessment(diagnosis=diagnosis, errors=errors, data_scale=scale, pca_error=pca)
