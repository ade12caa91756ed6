"""Does each latent coordinate stand for one true factor? DCI and the mutual information gap."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError


class DCI(NamedTuple):
    """Disentanglement, completeness and informativeness of codes (Eastwood and Williams 2018, section 2).

    `importance[i, j]`: how much code i matters for predicting factor j. `disentanglement`: 1 where every code matters
    for one factor only; `completeness`: 1 where one code is enough for every factor; `informativeness` (F,): the R² of
    the prediction on held-out samples.
    """

    disentanglement: float
    completeness: float
    informativeness: Float[np.ndarray, " F"]
    importance: Float[np.ndarray, "K F"]


def dci(codes: Float[np.ndarray, "N K"], factors: Float[np.ndarray, "M F"], *, trees: int = 30, seed: int = 0) -> DCI:
    """DCI of codes by the importances of random forests, trained on half of the samples.

    Raises `DataError` for values that are not finite, fewer than 20 samples, and factors that do not vary.
    """
    from sklearn.ensemble import RandomForestRegressor

    _check(codes, factors, least=20)
    order = np.random.default_rng(seed).permutation(len(codes))
    train, test = order[: len(codes) // 2], order[len(codes) // 2 :]
    importance, informativeness = np.zeros((codes.shape[1], factors.shape[1])), np.zeros(factors.shape[1])
    for j in range(factors.shape[1]):
        forest = RandomForestRegressor(trees, random_state=seed, min_samples_leaf=2)
        forest.fit(codes[train], factors[train, j])
        importance[:, j] = forest.feature_importances_
        informativeness[j] = forest.score(codes[test], factors[test, j])
    disentanglement, completeness = dci_scores(importance)
    return DCI(disentanglement, completeness, informativeness, importance)


def dci_scores(importance: Float[np.ndarray, "K F"]) -> tuple[float, float]:
    """(disentanglement, completeness) of importances that are not negative.

    Each is 1 - an entropy in units of the largest possible one: of a code's row for the first, of a factor's column for
    the second, averaged with the weights of their sums.
    """
    return _concentration(importance), _concentration(importance.T)


def mutual_information_gap(
    codes: Float[np.ndarray, "N K"], factors: Float[np.ndarray, "M F"], *, bins: int = 20
) -> Float[np.ndarray, " F"]:
    """For each factor, how much more the best code tells about it than the second best, in units of its entropy.

    1 where one code tells all and the others nothing, 0 where two tell the same (Chen et al. 2018, arXiv 1802.04942,
    section 4.1). Values are put in `bins` bins of equal counts; a factor with no more than `bins` different values
    keeps them. With few samples for bins² cells, mutual information is too large; take many. With a single code the
    second best is nothing. Raises `DataError` for values that are not finite and factors that do not vary.
    """
    from sklearn.metrics import mutual_info_score

    _check(codes, factors, least=bins)
    binned = [_binned(column, bins) for column in codes.T]
    gaps = []
    for column in factors.T:
        labels = _binned(column, bins)
        told = sorted([0.0, *(float(mutual_info_score(labels, code)) for code in binned)])
        gaps.append((told[-1] - told[-2]) / float(mutual_info_score(labels, labels)))
    return np.array(gaps)


def _concentration(weights: np.ndarray) -> float:
    """1 - the entropy of a row relative to log(columns), averaged over rows with their sums as weights."""
    totals = weights.sum(axis=1)
    if weights.shape[1] == 1 or not totals.any():
        return float(totals.any())
    shares = np.divide(weights, totals[:, None], out=np.zeros_like(weights), where=totals[:, None] > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy = -np.sum(shares * logs, axis=1) / np.log(weights.shape[1])
    return float(np.average(1 - entropy, weights=totals))


def _binned(values: np.ndarray, bins: int) -> np.ndarray:
    different, labels = np.unique(values, return_inverse=True)
    if len(different) <= bins:
        return labels
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def _check(codes: np.ndarray, factors: np.ndarray, least: int) -> None:
    if len(codes) != len(factors) or len(codes) < least:
        raise DataError(
            f"There are {len(codes)} codes and {len(factors)} factors' values; expected as many of both, and at least "
            f"{least}."
        )
    if not (np.isfinite(codes).all() and np.isfinite(factors).all()):
        raise DataError("Some codes or factors are not finite. Leave these samples out, and say how many.")
    constant = np.flatnonzero(np.ptp(factors, axis=0) == 0)
    if constant.size:
        raise DataError(f"Factor {constant[0]} (the first is 0) does not vary: no code can tell anything about it.")
