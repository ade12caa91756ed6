"""Does an attribute of the data follow the position along a path?"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError


class AttributeCorrelation(NamedTuple):
    """How attributes go with the position along N paths: three numbers that say different things, each (N, F).

    `pearson`: how straight the line is; `spearman`: how monotonic; both in [-1, 1], and not a number where the
    attribute does not vary. `slope`: how much the attribute changes per unit of position, by least squares. Published
    "correlations" of traversals are covariances divided by one standard deviation only, which are slopes.
    """

    pearson: Float[np.ndarray, "N F"]
    spearman: Float[np.ndarray, "N F"]
    slope: Float[np.ndarray, "N F"]


def attribute_correlation(
    attributes: Float[np.ndarray, "N T F"], position: Float[np.ndarray, " T"]
) -> AttributeCorrelation:
    """Correlations of F attributes with the position along N paths of T points, path by path.

    Raises `DataError` for fewer than three points, positions that are all equal, and values that are not finite.
    """
    from scipy.stats import rankdata

    if len(position) < 3 or np.ptp(position) == 0:
        raise DataError(f"A correlation needs at least three different positions along the path; there is {position}.")
    if not (np.isfinite(attributes).all() and np.isfinite(position).all()):
        raise DataError("Some attributes or positions are not finite. Leave these paths out, and say how many.")
    pearson, slope = _line(attributes, position)
    spearman, _ = _line(rankdata(attributes, axis=1), rankdata(position))
    return AttributeCorrelation(pearson, spearman, slope)


def _line(values: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(correlation, slope) of values (N, T, F) against position (T,)."""
    x = position - position.mean()
    y = values - values.mean(axis=1, keepdims=True)
    covariance = np.einsum("t,ntf->nf", x, y)
    spread = np.sqrt(np.sum(x**2) * np.sum(y**2, axis=1))
    # Rounding in the mean must not look like a correlation.
    varies = np.ptp(values, axis=1) > 0
    correlation = np.divide(covariance, spread, out=np.full_like(covariance, np.nan), where=varies & (spread > 0))
    return correlation, covariance / np.sum(x**2)
