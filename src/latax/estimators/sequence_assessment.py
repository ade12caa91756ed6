"""Is a fit of sequences any good? Numbers on held-out ones that say so."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.data import Samples
from latax.estimators.assessment import Assessment, against_scale, history_findings, pca_error, spread
from latax.evaluate import Diagnosis, Finding, rules


@dataclass(frozen=True, kw_only=True)
class SequenceAssessment(Assessment):
    """What is known about the fit of sequences, on held-out rows.

    - `errors`: the reconstruction error of each row, a Euclidean norm in data units; `data_scale`: root mean square
        distance of the rows from their mean; `pca_error`: that from PCA with as many coordinates, where training rows
        were given.
    """

    errors: Float[np.ndarray, " N"]
    data_scale: float
    pca_error: float | None = None


def assess_sequences(estimator: Any, held_out: Samples, training: Samples | None) -> SequenceAssessment:
    """Judges a fit by held-out sequences."""
    numbers, findings = judge_sequences(estimator, chosen(held_out), training)
    return SequenceAssessment(diagnosis=Diagnosis((*findings, *history_findings(estimator))), **numbers)


def chosen(held_out: Samples) -> Samples:
    """As many held-out rows as are looked at."""
    return held_out.take(spread(np.arange(len(held_out))))


def judge_sequences(
    estimator: Any, held_out: Samples, training: Samples | None
) -> tuple[dict[str, Any], list[Finding]]:
    """(numbers of a `SequenceAssessment` by name, findings on the reconstruction)."""
    x = np.asarray(held_out.X, np.float64)
    errors = estimator.reconstruction_error(held_out)
    scale = float(np.sqrt(np.mean(np.sum((x - x.mean(axis=0)) ** 2, axis=1))))
    rms = float(np.sqrt(np.mean(errors**2)))
    findings = [against_scale(rms, scale, len(x))]
    pca = None
    if training is not None:
        module = estimator._centred
        count = module.physics.parameters.size + module.inside_size + module.outside_size
        pca = pca_error(training, held_out, max(count, 1))
        findings.append(rules.reconstruction_against_pca(rms, pca, scale))
    return {"errors": errors, "data_scale": scale, "pca_error": pca}, findings
