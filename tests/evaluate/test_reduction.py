"""Reductions of errors by hand, and how often their intervals say that there is one where there is none."""

import numpy as np
import pytest
from scipy.stats import t as student

from latax.evaluate.reduction import error_reduction

RANDOM = np.random.default_rng(0)


def test_replicates_that_differ_by_factors():
    """Then all samples have the same ratio, and the interval is Student's of the factors' logarithms."""
    b = RANDOM.uniform(0.1, 1, (3, 40))
    factors = np.array([0.7, 0.75, 0.8])
    logs = np.log(factors)
    half = student.ppf(0.975, 2) * logs.std(ddof=1) / 3**0.5
    for statistic in ("mean", "median"):
        found = error_reduction([(b * factors[:, None], b)], statistic=statistic)
        assert found.estimate == pytest.approx(100 * (1 - np.exp(logs.mean())))
        assert found.low == pytest.approx(100 * (1 - np.exp(logs.mean() + half)))
        assert found.high == pytest.approx(100 * (1 - np.exp(logs.mean() - half)))
    same = error_reduction([(b, b)])
    assert (same.estimate, same.low, same.high) == (0, None, None)


def test_several_kinds_count_by_their_geometric_mean():
    b = RANDOM.uniform(0.1, 1, (2, 30))
    found = error_reduction([(0.5 * b, b), (2 * b, b), (0.8 * b, b)])
    assert found.estimate == pytest.approx(100 * (1 - 0.8 ** (1 / 3)))


def test_one_replicate_has_the_interval_of_its_samples():
    a, b = RANDOM.lognormal(size=(2, 1, 4000))
    found = error_reduction([(a, b)], resamples=2000)
    spread = np.sqrt((np.var(a) / a.mean() ** 2 + np.var(b) / b.mean() ** 2) / 4000)
    wanted = 100 * (1 - np.exp(np.log(a.mean() / b.mean()) + 1.96 * spread * np.array([1, -1])))
    assert (found.low, found.high) == pytest.approx(tuple(wanted), abs=0.5)


def test_equal_models_are_seldom_told_apart():
    """Both have the same errors in the mean over all samples that there are, and each is better on some of them."""

    def experiment(random):
        hard, apart = random.normal(size=(2, 80))
        model = lambda sign: np.exp(hard + 0.25 * sign * apart + 0.02 * random.normal(size=(5, 1)))
        return model(1), model(-1)

    pairs = [experiment(np.random.default_rng(i)) for i in range(200)]
    told = lambda low, high: low > 0 or high < 0
    crossed = np.mean([told(*error_reduction([pair], resamples=200)[1:3]) for pair in pairs])
    assert crossed < 0.1
    # The control: intervals over replicates alone speak of this test set only.
    ratios = [np.log(np.mean(a, axis=1) / np.mean(b, axis=1)) for a, b in pairs]
    halves = [student.ppf(0.975, 4) * r.std(ddof=1) / 5**0.5 for r in ratios]
    alone = np.mean([told(r.mean() - half, r.mean() + half) for r, half in zip(ratios, halves, strict=True)])
    assert alone > 0.3


def test_errors_of_zero_have_no_ratio():
    found = error_reduction([(np.zeros((2, 3)), np.ones((2, 3)))])
    assert found.low is None
    assert error_reduction([(np.ones((2, 1)), 2 * np.ones((2, 1)))]).low is None
