"""Does a point belong to the data? Scores for detection, without knowledge of the answer.

A model of a manifold gives two numbers: the log density at the projection, low where data are rare, and the
reconstruction error, large off the manifold. Neither is flipped in sign or chosen in hindsight here.
"""

import numpy as np
from jaxtyping import Float

from latax._errors import DataError


def auc(inliers: Float[np.ndarray, " N"], outliers: Float[np.ndarray, " M"]) -> float:
    """The probability that an outlier's score is above an inlier's (ties count half): the area under the ROC curve.

    Scores must grow with strangeness: a reconstruction error as it is, a log density with its sign changed, a p-value
    likewise. A result below one half means that the score points the wrong way, and is reported as it is.
    Raises `DataError` for an empty group or scores that are not numbers; infinite scores are ordered as they are.
    """
    from sklearn.metrics import roc_auc_score

    for name, scores in (("inliers", inliers), ("outliers", outliers)):
        if scores.size == 0 or np.isnan(scores).any():
            raise DataError(
                f"The scores of the {name} are {'missing' if scores.size == 0 else 'not all numbers'} "
                f"({np.count_nonzero(np.isnan(scores))} of {scores.size} are NaN): "
                "give both groups' scores, and count a point that cannot be scored as +inf."
            )
    # roc_auc_score refuses infinities; only the order matters.
    ranks = np.unique(np.concatenate([inliers, outliers]), return_inverse=True)[1]
    labels = np.concatenate([np.zeros(inliers.size, dtype=np.int64), np.ones(outliers.size, dtype=np.int64)])
    return float(roc_auc_score(labels, ranks))


def combined_p_value(
    log_prob: Float[np.ndarray, " N"],
    reconstruction_error: Float[np.ndarray, " N"],
    *,
    validation_log_prob: Float[np.ndarray, " V"],
    validation_reconstruction_error: Float[np.ndarray, " W"],
) -> Float[np.ndarray, " N"]:
    """The fraction of validation data at least as strange as each point, both scores taken together.

    Each score becomes a p-value by its rank among the validation data (a low density is strange, and a large error).
    The sum of the two logarithms (Fisher's statistic) is then ranked among the same sums of the validation data, so
    that no independence of the two scores is assumed: for new data of the same distribution the result is uniform,
    whatever their dependence. NaN scores count as strangest. The smallest possible value is 1/(V + 1).
    Raises `DataError` where validation scores are missing, of different lengths, or NaN.
    """
    if validation_log_prob.size == 0 or validation_log_prob.size != validation_reconstruction_error.size:
        raise DataError(
            "Both scores of the validation data are needed, in the same order: there are "
            f"{validation_log_prob.size} log densities "
            f"and {validation_reconstruction_error.size} reconstruction errors."
        )
    if np.isnan(validation_log_prob).any() or np.isnan(validation_reconstruction_error).any():
        raise DataError(
            "The validation scores contain NaN, so nothing can be calibrated on them. Score them again without."
        )
    pairs = (
        (-log_prob, -validation_log_prob),
        (reconstruction_error, validation_reconstruction_error),
    )
    # A validation point is ranked among the others and itself, exactly as a new point is among all and itself.
    validation = sum(np.log(_upper_tail(v, v, itself=0)) for _, v in pairs)
    new = sum(np.log(_upper_tail(s, v, itself=1)) for s, v in pairs)
    return _upper_tail(-np.asarray(new), -np.asarray(validation), itself=1)


def _upper_tail(scores: np.ndarray, reference: np.ndarray, *, itself: int) -> np.ndarray:
    """(itself + number of reference scores at least as large) / (itself + number of reference scores)."""
    scores = np.where(np.isnan(scores), np.inf, scores)
    above = reference.size - np.searchsorted(np.sort(reference), scores, side="left")
    return (above + itself) / (reference.size + itself)
