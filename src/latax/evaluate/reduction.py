"""By how much one model's errors are lower than another's, where both replicates and test samples are drawn."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from latax.evaluate.stats import Interval, Statistic

#: Errors of each replicate on each test sample.
Errors = Float[np.ndarray, "R N"]


def error_reduction(
    pairs: Sequence[tuple[Errors, Errors]],
    *,
    statistic: Statistic = "mean",
    level: float = 0.95,
    resamples: int = 500,
    seed: int = 0,
) -> Interval:
    """By how many per cent a statistic of errors over samples is lower for the first of two models; negative: higher.

    **Arguments:**

    - `pairs`: errors of both, with replicates of the same seed and the same samples in the same places; of several
      kinds of samples, of which the geometric mean is taken, with the same members in the same places.
    - `statistic`, `level`: as for `confidence_interval`.

    The interval is for other replicates and for other samples. Replicates on one test set have that set in common,
    however many they are, so the variance of the logarithm of the ratio is the sum of two: that of the mean over
    replicates, and that of a bootstrap over samples of all replicates together. What both have in common is counted
    twice, so it is rather too wide (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007); its width
    in standard errors is Student's with the degrees of freedom of Welch and Satterthwaite. The interval of a single
    replicate is for its samples alone.
    """
    over = np.mean if statistic == "mean" else np.median
    replicates, samples = pairs[0][0].shape

    def log_ratios(rows: np.ndarray | slice) -> Float[np.ndarray, " R"]:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = [np.log(over(a[:, rows], axis=1) / over(b[:, rows], axis=1)) for a, b in pairs]
        return np.mean(found, axis=0)

    found = log_ratios(slice(None))
    middle = float(np.mean(found))
    per_cent = lambda log_ratio: 100 * (1 - math.exp(log_ratio))
    if not np.isfinite(found).all() or samples < 2:
        return Interval(per_cent(middle) if math.isfinite(middle) else math.nan, None, None, level, replicates)
    random = np.random.default_rng(seed)
    again = [np.mean(log_ratios(random.integers(samples, size=samples))) for _ in range(resamples)]
    parts = [(float(np.var(again)), samples - 1)]
    if replicates > 1:
        parts.append((float(np.var(found, ddof=1)) / replicates, replicates - 1))
    variance = sum(part for part, _ in parts)
    if variance == 0 or not math.isfinite(variance):
        return Interval(per_cent(middle), None, None, level, replicates)
    freedom = variance**2 / sum(part**2 / count for part, count in parts)
    from scipy.special import stdtrit

    half = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(variance)
    return Interval(per_cent(middle), per_cent(middle + half), per_cent(middle - half), level, replicates)
