"""Estimates with their uncertainty: means, medians and paired differences over samples or replicates.

A percentile bootstrap of few values is far too narrow: of its "95 %" intervals for a mean, 75 % cover the truth with
three normal values and 83 % with five (1,500 simulated experiments). So up to nine values a mean has Student's
interval (96 % in the same simulation) and a median the interval between order statistics, whose true level is
reported; from ten values on, both have the bootstrap with the expanded percentiles of Hesterberg (2015, section 5.3),
which cover 95 to 96 % there.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from latax._errors import ConfigError, DataError

Statistic = Literal["mean", "median"]
Values = np.ndarray | Sequence[float]

_FEW = 10
_DRAWS = 20_000_000


class Interval(NamedTuple):
    """An estimate and its confidence interval.

    `low` and `high` are None where there is no interval, as for a single value. `n` counts the values used and
    `excluded` those left out because they were not finite. `level` is the probability with which such intervals cover
    the truth; it is lower than the one asked for where so few values cannot give more.
    """

    estimate: float
    low: float | None
    high: float | None
    level: float
    n: int
    excluded: int = 0

    def __str__(self) -> str:
        left_out = f"; {self.excluded} not finite, left out" if self.excluded else ""
        if self.low is None or self.high is None:
            return f"{format_number(self.estimate)} (n = {self.n}, no interval{left_out})"
        return f"{self.short()} ({100 * self.level:.3g} %, n = {self.n}{left_out})"

    def short(self) -> str:
        """The estimate and its bounds alone, as for the cell of a table."""
        if self.low is None or self.high is None:
            return format_number(self.estimate)
        resolution = (self.high - self.low) / 2
        estimate, low, high = (format_number(v, resolution=resolution) for v in (self.estimate, self.low, self.high))
        return estimate if low == high else f"{estimate} [{low}, {high}]"

    def covers(self, value: float) -> bool:
        """Whether the interval contains `value`; an estimate without an interval excludes nothing."""
        if self.low is None or self.high is None:
            return True
        return bool(self.low <= value <= self.high)


#: Digits beyond which a number says nothing to a reader, however well it is known.
_MOST_DIGITS = 6


def format_number(value: float, *, digits: int = 3, resolution: float = 0.0) -> str:
    """A number with sensible digits: `digits` significant ones, or down to two digits of its `resolution` if given, but
    no more than six.

    >>> format_number(0.0123456), format_number(4.1103991, resolution=0.02), format_number(1.5e-7)
    ('0.0123', '4.110', '1.50e−07')
    >>> format_number(0.4999999981, resolution=2e-9)
    '0.500000'
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    resolution = resolution if math.isfinite(resolution) else 0.0
    exponent = _exponent(max(abs(value), resolution))
    last = max(_exponent(resolution) - 1, exponent - _MOST_DIGITS + 1) if resolution > 0 else exponent - digits + 1
    if value == 0 and resolution <= 0:
        text = "0"
    elif -5 < exponent < 6:
        text = f"{value:.{max(-last, 0)}f}"
    else:
        text = f"{value:.{min(max(exponent - last, 0), 9)}e}"
    return text.replace("-", "−")


def _exponent(value: float) -> int:
    return math.floor(math.log10(value)) if value > 0 else 0


def confidence_interval(
    values: Values, *, statistic: Statistic = "mean", level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The mean or median of values of shape (n,), with its confidence interval.

    Values that are not finite are left out and counted. One value, or values that are all equal, have no interval.
    Above 10⁴ values fewer resamples are drawn, at least 200, so that the work stays bounded.

    Raises `DataError` for no values at all, `ConfigError` for an unknown statistic or a level outside (0, 1).
    Source: Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69 (2015).
    """
    if statistic not in ("mean", "median"):
        raise ConfigError(f'statistic={statistic!r} is not known: take "mean" or "median".')
    if not 0 < level < 1:
        raise ConfigError(f"level={level} is not a probability: take one between 0 and 1, for instance 0.95.")
    given = np.asarray(values, dtype=np.float64).ravel()
    if given.size == 0:
        raise DataError("There is no value to average: an interval needs one value at least, and two to have bounds.")
    used = given[np.isfinite(given)]
    excluded = given.size - used.size
    if used.size == 0:
        return Interval(math.nan, None, None, level, 0, excluded)
    estimate = float(np.mean(used) if statistic == "mean" else np.median(used))
    if used.size == 1 or np.ptp(used) == 0:
        return Interval(estimate, None, None, level, used.size, excluded)
    if used.size >= _FEW:
        low, high = _bootstrap(used, statistic, level, resamples, seed)
    elif statistic == "mean":
        low, high = _student(used, level)
    else:
        low, high, level = _order_statistics(used, level)
    return Interval(estimate, low, high, level, used.size, excluded)


def paired_difference(
    first: Values,
    second: Values,
    *,
    statistic: Statistic = "mean",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """The mean or median of `first - second`, pair by pair, with its confidence interval.

    Pairs are of the same sample or the same replicate, so what both have in common (a hard sample, an unlucky seed)
    drops out. Raises `DataError` where the two have different lengths.
    """
    a, b = (np.asarray(v, dtype=np.float64).ravel() for v in (first, second))
    if a.size != b.size:
        raise DataError(
            f"Paired values must come in pairs: there are {a.size} and {b.size}. "
            "Give both models' values on the same samples, or the same seeds, in the same order."
        )
    with np.errstate(invalid="ignore"):
        differences = a - b
    return confidence_interval(differences, statistic=statistic, level=level, resamples=resamples, seed=seed)


def _student(values: np.ndarray, level: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    half = float(stdtrit(values.size - 1, (1 + level) / 2)) * float(np.std(values, ddof=1)) / math.sqrt(values.size)
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def _order_statistics(values: np.ndarray, level: float) -> tuple[float, float, float]:
    """[x_(k), x_(n+1-k)] covers the median with probability 1 - 2 P(Binomial(n, 1/2) < k) for any distribution."""
    from scipy.special import bdtr

    ordered = np.sort(values)
    coverage = {k: 1 - 2 * float(bdtr(k - 1, values.size, 0.5)) for k in range(1, values.size // 2 + 1)}
    k = max((k for k, c in coverage.items() if c >= level), default=1)
    return float(ordered[k - 1]), float(ordered[-k]), min(level, coverage[k])


def _bootstrap(
    values: np.ndarray, statistic: Statistic, level: float, resamples: int, seed: int
) -> tuple[float, float]:
    from scipy.special import ndtr, stdtrit
    from scipy.stats import bootstrap

    n = values.size
    # A resample's spread is too small by sqrt((n-1)/n), and normal quantiles stand for Student's: widen the level.
    expanded = 2 * float(ndtr(math.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 + level) / 2))) - 1
    result = bootstrap(
        (values,),
        np.mean if statistic == "mean" else np.median,
        n_resamples=max(200, min(resamples, _DRAWS // n)),
        batch=max(1, 1_000_000 // n),
        confidence_level=expanded,
        method="percentile",
        vectorized=True,
        # SciPy calls it rng from 1.15 on, and still takes the older name.
        random_state=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
