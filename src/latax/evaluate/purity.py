"""Does each path change one true factor of the data, and each a different one?"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from latax._errors import DataError


class FactorPurity(NamedTuple):
    """How well K paths and F true factors belong together one to one.

    `shares[k, f]`: the share of factor f in what path k changes; rows add up to one, or are zero for a path that
    changes nothing. `match[k]`: the factor that path k is given by the best assignment, -1 for one left over. `value`:
    the mean share of the assigned factors: 1 for paths that are the factors, 1 / F for paths that change all alike.
    `covered`: how many factors are the strongest of some path.
    """

    value: float
    shares: Float[np.ndarray, "K F"]
    match: Int[np.ndarray, " K"]
    covered: int


def factor_purity(change: Float[np.ndarray, "K N F"], span: Float[np.ndarray, " F"]) -> FactorPurity:
    """The purity of K paths from the changes of F factors along them, from N starts each.

    **Arguments:**

    - `change`: the factors' values at the end of a path less those at its start, in any unit, unwrapped where a factor
        is circular.
    - `span`: the range of each factor in its unit, by which changes of different factors are compared.

    The assignment maximises the sum of the shares (Kuhn 1955, by SciPy), so two paths cannot both count the same
    factor. Raises `DataError` for values that are not finite and spans that are not positive.
    """
    from scipy.optimize import linear_sum_assignment

    if not np.isfinite(change).all():
        bad = int(np.count_nonzero(~np.isfinite(change).all(axis=(0, 2))))
        raise DataError(f"The changes from {bad} of {change.shape[1]} starts are not finite. Leave these starts out.")
    if change.size == 0:
        raise DataError(f"The changes have shape {change.shape}: there is nothing to measure.")
    if not (np.isfinite(span) & (span > 0)).all():
        raise DataError(f"The spans of the factors are {span}; expected positive numbers, the range of each factor.")
    effect = np.mean(np.abs(change), axis=1) / span
    total = effect.sum(axis=1, keepdims=True)
    shares = np.divide(effect, total, out=np.zeros_like(effect), where=total > 0)
    paths, factors = linear_sum_assignment(shares, maximize=True)
    match = np.full(len(shares), -1)
    match[paths] = factors
    strongest = {int(np.argmax(row)) for row in shares if row.any()}
    return FactorPurity(float(np.mean(shares[paths, factors])), shares, match, len(strongest))
