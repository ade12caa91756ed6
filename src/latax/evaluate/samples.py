"""Are a model's samples like the data? Two-sample comparisons that need no density."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError


class TwoSampleTest(NamedTuple):
    """Squared MMD of two samples against what two samples of one distribution would give.

    `mmd2` may be negative (it is unbiased); `null_quantile` is the 95 % quantile of its value for equal distributions
    and `p_value` the probability of a value as large as `mmd2` then, both from random exchanges between the samples.
    """

    mmd2: float
    p_value: float
    null_quantile: float
    bandwidth: float


def median_distance(points: Float[np.ndarray, "N d"], *, max_points: int = 1000, seed: int = 0) -> float:
    """The median distance between two points: the usual bandwidth of a Gaussian kernel.

    Computed on `max_points` of the points. Where more than half of the distances are zero it is their mean, and one if
    all points are equal, so that the result can always be divided by.
    """
    from scipy.spatial.distance import pdist

    chosen = _at_most(_checked(points, "points", least=1), max_points, seed)
    distances = pdist(chosen)
    if distances.size == 0:
        return 1.0
    return float(np.median(distances)) or float(np.mean(distances)) or 1.0


def unbiased_mmd2(
    x: Float[np.ndarray, "N d"], y: Float[np.ndarray, "M d"], *, bandwidth: float | None = None, chunk: int = 2048
) -> float:
    """The unbiased squared maximum mean discrepancy under the kernel exp(-|a - b|² / (2 bandwidth²)).

    Zero in the mean for equal distributions, and then as often negative as positive. `bandwidth` in the units of the
    data; by default the median distance of the pooled points. Memory is that of a (chunk, chunk) matrix.
    Raises `DataError` for fewer than two points or values that are not finite.
    Source: Gretton et al., "A Kernel Two-Sample Test", JMLR 13 (2012), equation 3.
    """
    a, b = _checked(x, "x"), _checked(y, "y")
    scale = median_distance(np.concatenate([a, b])) if bandwidth is None else bandwidth
    n, m = a.shape[0], b.shape[0]
    within_a = (_kernel_sum(a, a, scale, chunk) - n) / (n * (n - 1))
    within_b = (_kernel_sum(b, b, scale, chunk) - m) / (m * (m - 1))
    return within_a + within_b - 2 * _kernel_sum(a, b, scale, chunk) / (n * m)


def two_sample_test(
    x: Float[np.ndarray, "N d"],
    y: Float[np.ndarray, "M d"],
    *,
    bandwidth: float | None = None,
    permutations: int = 500,
    max_points: int = 1000,
    seed: int = 0,
) -> TwoSampleTest:
    """Tests by permutations of the squared MMD whether x and y can be draws of one distribution.

    At most `max_points` of each are used. The p-value is exact for independent points: (1 + exceedances) / (1 +
    permutations).
    """
    a, b = (_at_most(_checked(v, name), max_points, seed) for v, name in ((x, "x"), (y, "y")))
    pooled = np.concatenate([a, b])
    scale = median_distance(pooled) if bandwidth is None else bandwidth
    kernel = _kernel(pooled, pooled, scale)
    rng = np.random.default_rng(seed)
    first = np.arange(pooled.shape[0]) < a.shape[0]
    groups = np.stack([first] + [rng.permutation(first) for _ in range(permutations)], axis=1).astype(np.float64)
    values = _grouped_mmd2(kernel, groups)
    p = (1 + np.count_nonzero(values[1:] >= values[0])) / (1 + permutations)
    return TwoSampleTest(float(values[0]), float(p), float(np.quantile(values[1:], 0.95)), scale)


def nearest_neighbour_distance(
    samples: Float[np.ndarray, "N d"], data: Float[np.ndarray, "M d"]
) -> Float[np.ndarray, " N"]:
    """How far each sample is from the nearest point of `data`, in the units of the data.

    Large: the sample is like no data. Much smaller than from held-out data to `data`: the model repeats its training
    set.
    """
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=1).fit(_checked(data, "data", least=1))
    distances, _ = index.kneighbors(_checked(samples, "samples", least=1))
    return distances[:, 0]


def _grouped_mmd2(kernel: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The unbiased MMD² of each column of zero-one `groups` (N, P) from one kernel matrix with ones on its diagonal."""
    n = groups[:, 0].sum()
    m = groups.shape[0] - n
    rows = kernel @ groups
    within_a = np.sum(groups * rows, axis=0)
    across = np.sum((1 - groups) * rows, axis=0)
    within_b = kernel.sum() - within_a - 2 * across
    return (within_a - n) / (n * (n - 1)) + (within_b - m) / (m * (m - 1)) - 2 * across / (n * m)


def _kernel(a: np.ndarray, b: np.ndarray, bandwidth: float) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return np.exp(-0.5 * cdist(a, b, "sqeuclidean") / bandwidth**2)


def _kernel_sum(a: np.ndarray, b: np.ndarray, bandwidth: float, chunk: int) -> float:
    rows = [a[i : i + chunk] for i in range(0, a.shape[0], chunk)]
    columns = [b[i : i + chunk] for i in range(0, b.shape[0], chunk)]
    return float(sum(np.sum(_kernel(r, c, bandwidth)) for r in rows for c in columns))


def _at_most(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    if points.shape[0] <= count:
        return points
    return points[np.random.default_rng(seed).choice(points.shape[0], count, replace=False)]


def _checked(points: np.ndarray, name: str, least: int = 2) -> np.ndarray:
    bad = int(np.count_nonzero(~np.isfinite(points).all(axis=1)))
    if bad:
        raise DataError(
            f"{bad} of the {points.shape[0]} points in {name} are not finite. Leave them out and say how many."
        )
    if points.shape[0] < least:
        raise DataError(f"{name} has {points.shape[0]} point(s), but {least} are needed to compare two samples.")
    return points.astype(np.float64)
