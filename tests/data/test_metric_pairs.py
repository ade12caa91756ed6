import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.data.metric_pairs import from_metric_space
from latax.geometry import MetricSpace

LINE = MetricSpace(lambda x, y: jnp.abs(x - y), lambda x, y: (x + y) / 2, point_shape=(), injectivity_radius=2.0)


def test_pairs_have_the_distances_and_midpoints_of_the_space():
    points = np.arange(20) * 0.25
    samples = from_metric_space(LINE, points, lambda p: np.stack([p, p**2], axis=1), farthest=1.0, partners=3)
    first, second, middle = (samples.X[rows, 0] for rows in samples.pairs.rows)
    np.testing.assert_allclose(samples.pairs.distance, np.abs(first - second))
    np.testing.assert_allclose(middle, (first + second) / 2)
    assert samples.pairs.distance.min() == 0.25
    assert samples.pairs.distance.max() == 1.0
    assert 30 <= len(samples.pairs) <= 60
    assert len({frozenset(ends) for ends in zip(first, second, strict=True)}) == len(samples.pairs)


def shown(p):
    return p[:, None]


def test_functions_that_are_no_distance_or_no_midpoint_are_refused():
    points = np.arange(8) * 0.25
    near_end = MetricSpace(
        LINE.distance_function, lambda x, y: 0.8 * x + 0.2 * y, point_shape=(), injectivity_radius=2.0
    )
    with pytest.raises(
        DataError, match=r"midpoints of \d+ are not halfway: that of points 0 and 1, 0.25 apart, is 0.05"
    ):
        from_metric_space(near_end, points, shown, farthest=1.0)
    one_way = MetricSpace(
        lambda x, y: jnp.abs(x - y) + jnp.where(x > y, 1.0, 0.0),
        LINE.midpoint_function,
        point_shape=(),
        injectivity_radius=2.0,
    )
    with pytest.raises(DataError, match=r"distance from point 0 to point 1 is 0.25, and the other way 1.25"):
        from_metric_space(one_way, points, shown, farthest=1.0)
    broken = MetricSpace(lambda x, y: jnp.log(x - y), LINE.midpoint_function, point_shape=(), injectivity_radius=2.0)
    with pytest.raises(DataError, match=r"is nan.*Expected a finite length"):
        from_metric_space(broken, points, shown, farthest=1.0)


@pytest.mark.parametrize(
    ("points", "changed", "error", "message"),
    [
        (np.zeros((4, 2)), {}, DataError, r"points have shape \(4, 2\); expected \(N, \)"),
        (np.array([0.0, 0.5, 9.0]), {}, DataError, r"1 point of 3 have no others at a distance of 0\.2 to 1.*point 2"),
        (np.arange(4.0), {"farthest": 2.0}, ConfigError, r"farthest below the injectivity radius, 2"),
        (np.arange(4.0), {"nearest": 1.5}, ConfigError, r"expected 0 < nearest < farthest"),
        (np.arange(4.0), {"partners": 0}, ConfigError, r"partners=0: every point needs at least one"),
    ],
)
def test_points_that_have_no_pairs(points, changed, error, message):
    with pytest.raises(error, match=message):
        from_metric_space(LINE, points, lambda p: p[:, None], **{"farthest": 1.0, **changed})
