import numpy as np
import pytest

from latax._errors import DataError
from latax.evaluate import factor_purity

SPAN = np.array([1.0, 100.0, 0.1])


def changes(mixing, starts=20):
    """Paths that change factor f by mixing[k, f] times its span."""
    scale = np.random.default_rng(0).uniform(0.5, 1.5, size=(1, starts, 1))
    return mixing[:, None, :] * SPAN * scale * np.where(np.arange(starts) % 2, 1, -1)[None, :, None]


def test_paths_that_are_the_factors_in_another_order():
    found = factor_purity(changes(np.array([[0, 0.4, 0], [0, 0, 0.1], [0.9, 0, 0]])), SPAN)
    assert found.value == pytest.approx(1.0)
    assert found.match.tolist() == [1, 2, 0]
    assert found.covered == 3


def test_paths_that_change_all_alike_and_rotated_ones():
    found = factor_purity(changes(np.full((3, 3), 0.2)), SPAN)
    assert found.value == pytest.approx(1 / 3)
    np.testing.assert_allclose(found.shares, 1 / 3)
    half = np.sqrt(0.5)
    rotated = factor_purity(changes(np.array([[half, half, 0], [half, -half, 0], [0, 0, 1]])), SPAN)
    assert rotated.value == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_two_paths_cannot_have_the_same_factor():
    found = factor_purity(changes(np.array([[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1]])), SPAN)
    assert found.match.tolist() == [0, 1, 2]
    assert found.value == pytest.approx((1 + 0.1 + 1) / 3)
    # Without the assignment each path would count its best factor.
    assert np.mean(found.shares.max(axis=1)) > 0.95
    assert found.covered == 2


def test_a_path_that_does_nothing_counts_as_zero_and_further_paths_are_left_over():
    found = factor_purity(changes(np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 1]])), SPAN)
    assert found.value == pytest.approx(2 / 3)
    assert found.covered == 2
    more = factor_purity(changes(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0]])), SPAN)
    assert more.value == pytest.approx(1)
    assert more.match.tolist() == [0, 1, 2, -1]


@pytest.mark.parametrize(
    ("change", "span", "said"),
    [
        (np.full((2, 3, 3), np.nan), SPAN, "The changes from 3 of 3 starts are not finite"),
        (np.ones((2, 0, 3)), SPAN, r"The changes have shape \(2, 0, 3\): there is nothing to measure"),
        (np.ones((2, 3, 3)), 0 * SPAN, "expected positive numbers, the range of each factor"),
    ],
)
def test_what_cannot_be_measured(change, span, said):
    with pytest.raises(DataError, match=said):
        factor_purity(change, span)
