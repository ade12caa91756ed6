import numpy as np
import pytest

from latax._errors import DataError
from latax.evaluate import median_distance, nearest_neighbour_distance, two_sample_test, unbiased_mmd2


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_mmd_of_two_normals_has_its_closed_form(rng):
    """With bandwidth s, E k(a, b) for a - b ~ N(m, v) is s / sqrt(s² + v) exp(-m² / (2 (s² + v)))."""
    s, m = 1.0, 1.5
    exact = lambda m, v: 2 * s / np.sqrt(s**2 + v) * (1 - np.exp(-(m**2) / (2 * (s**2 + v))))
    values = [unbiased_mmd2(rng.normal(size=(300, 1)), m + rng.normal(size=(300, 1)), bandwidth=s) for _ in range(20)]
    error = 4 * np.std(values) / np.sqrt(20)
    assert np.mean(values) == pytest.approx(exact(m, 2), abs=error)
    # The controls: a difference with the variance of one of them, and means that are closer.
    assert abs(np.mean(values) - exact(m, 1)) > error
    assert abs(np.mean(values) - exact(m - 0.2, 2)) > error


def test_equal_distributions_are_inside_the_null_and_as_often_below_zero(rng):
    tests = [
        two_sample_test(rng.normal(size=(80, 2)), rng.normal(size=(60, 2)), permutations=99, seed=s) for s in range(60)
    ]
    assert np.mean([t.p_value <= 0.05 for t in tests]) < 0.15
    assert 0.2 < np.mean([t.mmd2 < 0 for t in tests]) < 0.85
    shifted = two_sample_test(rng.normal(size=(80, 2)), 0.8 + rng.normal(size=(60, 2)), permutations=99)
    assert shifted.p_value == 0.01
    assert shifted.mmd2 > shifted.null_quantile


def test_the_test_and_the_estimate_are_the_same_number_and_chunks_do_not_matter(rng):
    x, y = rng.normal(size=(70, 3)), 0.3 + rng.normal(size=(50, 3))
    whole = unbiased_mmd2(x, y, bandwidth=1.3)
    assert unbiased_mmd2(x, y, bandwidth=1.3, chunk=16) == pytest.approx(whole, rel=1e-12)
    assert two_sample_test(x, y, bandwidth=1.3, permutations=9).mmd2 == pytest.approx(whole, rel=1e-10)
    assert unbiased_mmd2(x, y, bandwidth=1.0) != pytest.approx(whole, rel=1e-3)


def test_constant_points_do_not_divide_by_zero():
    same = np.ones((10, 2))
    assert median_distance(same) == 1.0
    assert unbiased_mmd2(same, same) == pytest.approx(0.0)


def test_median_distance_is_that_of_a_square():
    assert median_distance(np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])) == 1.0


def test_nearest_neighbours():
    data = np.array([[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(
        nearest_neighbour_distance(np.array([[0.0, 1.0], [3.0, 4.0], [30.0, 40.0]]), data), [1, 0, 45]
    )


def test_bad_points_are_refused_with_their_number(rng):
    x = rng.normal(size=(10, 2))
    x[3, 0] = np.inf
    with pytest.raises(DataError, match="1 of the 10 points in x are not finite"):
        unbiased_mmd2(x, rng.normal(size=(10, 2)))
    with pytest.raises(DataError, match=r"y has 1 point\(s\), but 2 are needed"):
        two_sample_test(rng.normal(size=(10, 2)), np.zeros((1, 2)))
