import math

import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.evaluate import Interval, confidence_interval, format_number, paired_difference


def test_few_values_have_students_interval_of_the_mean():
    found = confidence_interval([1.0, 2.0, 3.0])
    half = 4.302652729749462 / math.sqrt(
        3
    )  # t quantile of 0.975 with two degrees of freedom, times s/sqrt(n) with s = 1
    assert found.estimate == 2.0
    assert found.low == pytest.approx(2 - half)
    assert found.high == pytest.approx(2 + half)
    assert (found.n, found.level) == (3, 0.95)


@pytest.mark.parametrize(("n", "level"), [(2, 0.5), (3, 0.75), (5, 0.9375), (6, 0.95), (9, 0.95)])
def test_the_median_of_few_values_says_which_level_its_interval_really_has(n, level):
    found = confidence_interval(np.arange(n, dtype=float), statistic="median")
    assert found.level == pytest.approx(level)
    assert found.covers(float(np.median(np.arange(n))))


def test_many_values_agree_with_the_normal_interval():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=400)
    found = confidence_interval(values)
    half = 1.96 * values.std(ddof=1) / 20
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)
    assert found.covers(float(values.mean()))


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("n", [4, 12])
def test_intervals_cover_the_truth_as_often_as_they_say(statistic, n):
    rng = np.random.default_rng(1)
    found = [confidence_interval(rng.normal(size=n), statistic=statistic, resamples=300) for _ in range(400)]
    covered = np.mean([f.covers(0.0) for f in found])
    # Four standard errors of the fraction, and the bootstrap's own deviation at n = 12.
    assert abs(covered - found[0].level) < 4 * math.sqrt(0.95 * 0.05 / 400) + 0.03 * (n == 12) + 0.04 * (
        found[0].level < 0.9
    )
    # Negative control: a percentile bootstrap of four values covers clearly less than 95 %.
    if statistic == "mean" and n == 4:
        percentile = [
            np.quantile(x[rng.integers(4, size=(300, 4))].mean(1), [0.025, 0.975]) for x in rng.normal(size=(400, 4))
        ]
        assert np.mean([low <= 0 <= high for low, high in percentile]) < 0.88


def test_one_value_has_no_interval_and_says_so():
    found = confidence_interval([4.25])
    assert (found.low, found.high) == (None, None)
    assert str(found) == "4.25 (n = 1, no interval)"
    assert found.covers(1e9)


def test_values_that_are_not_finite_are_left_out_and_counted():
    found = confidence_interval([1.0, math.nan, 2.0, math.inf])
    assert (found.n, found.excluded, found.estimate) == (2, 2, 1.5)
    assert "2 not finite, left out" in str(found)
    assert math.isnan(confidence_interval([math.nan]).estimate)


def test_equal_values_have_no_interval():
    assert confidence_interval([2.0] * 20).low is None


def test_the_interval_is_written_with_sensible_digits():
    assert str(Interval(4.11039, 4.0951, 4.1257, 0.95, 5)) == "4.110 [4.095, 4.126] (95 %, n = 5)"
    assert Interval(0.0041, 0.0032, 0.005, 0.95, 5).short() == "0.00410 [0.00320, 0.00500]"
    assert Interval(12.0, -100.0, 100.0, 0.95, 5).short() == "12 [−100, 100]"
    # Narrower than anyone reads.
    assert Interval(0.4999999981, 0.4999999972, 0.4999999994, 0.95, 5).short() == "0.500000"
    assert Interval(1.000012, 1.000001, 1.00002, 0.95, 5).short() == "1.00001 [1.00000, 1.00002]"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.5, "0.500"),
        (123456.0, "123456"),
        (1.5e7, "1.50e+07"),
        (-2e-6, "−2.00e−06"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_are_short(value, text):
    assert format_number(value) == text


def test_a_paired_difference_removes_what_both_have_in_common():
    rng = np.random.default_rng(2)
    common = rng.normal(0, 10, size=30)
    a, b = common + rng.normal(0.5, 0.2, size=30), common + rng.normal(0, 0.2, size=30)
    found = paired_difference(a, b)
    assert found.covers(0.5)
    assert not found.covers(0.0)
    # Negative control: with the pairs torn apart nothing is seen.
    assert paired_difference(a, rng.permutation(b)).covers(0.0)


def test_errors_name_the_value_and_the_cure():
    with pytest.raises(DataError, match=r"there are 3 and 2\. Give both models' values on the same samples"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(DataError, match="There is no value to average"):
        confidence_interval([])
    with pytest.raises(ConfigError, match=r"level=95\.0 is not a probability: take one between 0 and 1"):
        confidence_interval([1.0, 2.0], level=95.0)
