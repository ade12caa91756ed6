import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latax._errors import ConfigError, DataError
from latax.data import check_disjoint, split


@given(
    st.integers(3, 300), st.integers(0, 10), st.sampled_from([(0.8, 0.2), (0.6, 0.3, 0.1), (0.98, 0.01, 0.01), (1.0,)])
)
def test_every_row_is_in_exactly_one_part(n, seed, fractions):
    parts = split(n, fractions, seed=seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    assert all(len(part) >= 1 and (np.diff(part) > 0).all() for part in parts)
    if min(fractions) * n >= 1:
        assert all(abs(len(part) - f * n) <= 1 for part, f in zip(parts, fractions, strict=True))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=200), st.integers(0, 10))
def test_groups_stay_together(labels, seed):
    groups = np.array(labels)
    count = len(np.unique(groups))
    if count < 3:
        with pytest.raises(DataError, match=r"cannot be split into 3 parts: .* Give more groups"):
            split(len(groups), (0.6, 0.2, 0.2), seed=seed, groups=groups)
        return
    parts = split(len(groups), (0.6, 0.2, 0.2), seed=seed, groups=groups)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(groups)))
    sides = [set(groups[part]) for part in parts]
    assert all(sides)
    assert sum(len(side) for side in sides) == count


def test_groups_meet_the_fractions_nearly():
    groups = np.repeat(np.arange(100), 10)
    train, test = split(1000, (0.75, 0.25), seed=0, groups=groups)
    assert abs(len(train) - 750) <= 10
    assert abs(len(test) - 250) <= 10


def test_groups_may_be_names():
    groups = np.array(["jo", "mo", "jo", "al"])
    parts = split(4, (0.5, 0.5), seed=0, groups=groups)
    assert not set(groups[parts[0]]) & set(groups[parts[1]])


def test_it_is_a_function_of_the_seed():
    first, again, other = (split(100, (0.5, 0.5), seed=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("fractions", [(0.8, 0.3), (1.2, -0.2), (), (0.5,), (1.0, 0.0)])
def test_fractions_that_are_none(fractions):
    with pytest.raises(ConfigError, match=r"must be positive and sum to 1, e\.g\. \(0\.8, 0\.2\); got "):
        split(10, fractions, seed=0)


def test_too_few_rows_and_wrong_groups():
    with pytest.raises(DataError, match=r"1 row cannot be split into 2 parts: each part needs at least one"):
        split(1, (0.9, 0.1), seed=0)
    with pytest.raises(DataError, match=r"groups has shape \(4,\); expected one label for each of the 5 rows"):
        split(5, (0.5, 0.5), seed=0, groups=np.zeros(4))


def test_parts_that_overlap_are_found():
    with pytest.raises(DataError, match=r"1 row in more than one part of the split, the first is .*2"):
        check_disjoint([np.array([0, 1, 2]), np.array([2, 3])])
    groups = np.array(["jo", "mo", "jo", "al"])
    check_disjoint([np.array([0]), np.array([2])])
    with pytest.raises(DataError, match=r"1 group in more than one part.*'jo'.*results on one part would not be"):
        check_disjoint([np.array([0]), np.array([2])], groups)
