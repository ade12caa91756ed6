"""Is a density calibrated on data it has not seen? A test of the base points ũ that the model gives held-out data.

If the fit is right, ũ ~ N(0, I_n): then |ũ|² follows the chi-square distribution of n degrees of freedom, each
coordinate the standard normal one, and their probability integral transforms (PIT) are uniform on [0, 1]. The PIT of
|ũ|² says in which central region of the density a point lies, so its distribution function is the coverage curve:
nominal level against the fraction of held-out points inside.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError
from latax.evaluate.stats import Interval

_LEVELS = np.linspace(0.01, 0.99, 99)


class Calibration(NamedTuple):
    """How well N held-out base points of size n agree with N(0, I).

    `coverage[k]` is the fraction of points inside the central region of probability `levels[k]`; it lies between
    `band_low[k]` and `band_high[k]` with the band's probability if the model is right (binomial, level by level).
    `error` is the mean of |coverage - level| with its interval; `noise` is the value that a perfect model's error
    stays below with the same probability: an error under it is no evidence against the model. `coordinate_errors`
    are the same for each base coordinate, `worst_error` is the largest of all of them, and `worst_noise` what a
    perfect model's stays below. `p_value` and `coordinate_p_values` are Kolmogorov-Smirnov's.
    """

    radius_pit: Float[np.ndarray, " N"]
    coordinate_pit: Float[np.ndarray, "N n"]
    levels: Float[np.ndarray, " L"]
    coverage: Float[np.ndarray, " L"]
    band_low: Float[np.ndarray, " L"]
    band_high: Float[np.ndarray, " L"]
    error: Interval
    noise: float
    coordinate_errors: Float[np.ndarray, " n"]
    worst_error: float
    worst_noise: float
    p_value: float
    coordinate_p_values: Float[np.ndarray, " n"]
    excluded: int


def calibration(
    base: Float[np.ndarray, "N n"], *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Calibration:
    """Compares the base points ũ of held-out data with the standard normal distribution that they should follow.

    Points that are not finite are left out and counted in `excluded`. `level` is the probability of the bands and of
    the error's interval. Raises `DataError` if no point is left.

    The interval of the error is estimate ± q, where q is the bootstrap quantile of the mean |coverage* - coverage|
    between resample and sample: by the triangle inequality it covers the true error with at least `level`, also
    when that error is zero, where an interval of bootstrap quantiles never does.
    """
    finite = np.isfinite(base).all(axis=1)
    points = base[finite].astype(np.float64)
    if points.size == 0:
        raise DataError(
            f"None of the {base.shape[0]} base points is finite, so there is nothing to calibrate. "
            "Look at the encoder's output: training has diverged, or the data lie far outside what it has seen."
        )
    radius, coordinates = _transforms(points)
    coverage = _coverage(radius)
    rng = np.random.default_rng(seed)
    low, high = binomial_band(_LEVELS, points.shape[0], level=level)
    error = _error(radius, level, resamples, rng)
    null = _null_errors(points.shape[0], resamples, rng)
    coordinate_errors = np.array([_mean_gap(_coverage(column), _LEVELS) for column in coordinates.T])
    return Calibration(
        radius_pit=radius,
        coordinate_pit=coordinates,
        levels=_LEVELS,
        coverage=coverage,
        band_low=low,
        band_high=high,
        error=error,
        noise=float(np.quantile(null, level)),
        coordinate_errors=coordinate_errors,
        worst_error=max(error.estimate, float(coordinate_errors.max())),
        # Bonferroni's level: the largest of 1 + n errors exceeds it no more often than one error exceeds `noise`.
        worst_noise=float(np.quantile(null, 1 - (1 - level) / (1 + points.shape[1]))),
        p_value=_uniform_p(radius),
        coordinate_p_values=np.array([_uniform_p(column) for column in coordinates.T]),
        excluded=int(base.shape[0] - points.shape[0]),
    )


def binomial_band(
    probabilities: Float[np.ndarray, " L"], n: int, *, level: float = 0.95
) -> tuple[Float[np.ndarray, " L"], Float[np.ndarray, " L"]]:
    """Between which fractions of n draws an event of each probability falls with probability `level` at least."""
    from scipy.stats import binom

    tail = (1 - level) / 2
    return binom.ppf(tail, n, probabilities) / n, binom.ppf(1 - tail, n, probabilities) / n


def _transforms(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import chdtr, ndtr

    return chdtr(float(points.shape[1]), np.sum(points**2, axis=1)), ndtr(points)


def _coverage(pit: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(pit), _LEVELS, side="right") / pit.size


def _mean_gap(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(np.abs(a - b)))


def _resampled_gaps(cells: np.ndarray, n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Mean |coverage* - coverage| of resamples of n points; only the counts between levels matter, so draw those."""
    counts = rng.multinomial(n, cells, size=resamples)
    drawn = np.cumsum(counts, axis=1)[:, :-1] / n
    return np.mean(np.abs(drawn - np.cumsum(cells)[:-1]), axis=1)


def _error(pit: np.ndarray, level: float, resamples: int, rng: np.random.Generator) -> Interval:
    coverage = _coverage(pit)
    estimate = _mean_gap(coverage, _LEVELS)
    if pit.size == 1:
        return Interval(estimate, None, None, level, 1)
    cells = np.diff(coverage, prepend=0.0, append=1.0)
    half = float(np.quantile(_resampled_gaps(cells, pit.size, resamples, rng), level))
    return Interval(estimate, max(estimate - half, 0.0), estimate + half, level, pit.size)


def _null_errors(n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    return _resampled_gaps(np.diff(_LEVELS, prepend=0.0, append=1.0), n, resamples, rng)


def _uniform_p(pit: np.ndarray) -> float:
    from scipy.stats import kstest

    p = float(kstest(pit, "uniform").pvalue)
    return p if math.isfinite(p) else 0.0
