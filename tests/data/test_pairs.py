import numpy as np
import pytest

from latax._errors import DataError
from latax.data import Pairs, Samples, from_triples, stacked

X = np.arange(12.0).reshape(6, 2)


def pairs(first=(0, 1, 3), second=(2, 3, 5), midpoint=(1, 2, 4), distance=(0.5, 0.6, 0.7)) -> Pairs:
    return Pairs(*(np.array(rows) for rows in (first, second, midpoint)), np.array(distance))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"first": (0, 1)}, r"arrays of pairs have the shapes .*expected one row and one distance per pair"),
        ({"first": (0, -1, 3)}, r"pairs name row -1; rows count from 0"),
        ({"distance": (0.5, np.nan, 0.7)}, r"1 pair of 3 have a distance that is not finite: rows 1 and 3"),
        (
            {"distance": (0.5, 0.0, 0.0)},
            r"2 pairs of 3 have a distance of 0: their samples are said to be duplicates.*rows 1 and 3, rows 3 and 5",
        ),
        ({"distance": (0.5, -1.0, 0.7)}, r"a negative distance: rows 1 and 3\. A distance is a length"),
        ({"second": (2, 1, 5)}, r"join a row with itself: rows 1 and 1"),
        (
            {"first": (0, 2, 3), "second": (2, 0, 5), "midpoint": (1, 4, 4), "distance": (0.5, 3.5, 0.7)},
            r"1 pair of 3 are given several times with different distances: rows 0 and 2\. Two samples have one",
        ),
        ({"midpoint": (1, 3, 3)}, r"2 pairs of 3 have one of their ends for a midpoint.*leave the pair out"),
    ],
)
def test_pairs_that_cannot_be(changed, message):
    with pytest.raises(DataError, match=message):
        pairs(**changed)


def test_pairs_name_rows_that_there_are():
    assert Samples(X, pairs=pairs()).pairs is not None
    with pytest.raises(DataError, match=r"pairs name row 5, but there are 5 samples: rows go from 0 to 4"):
        Samples(X[:5], pairs=pairs())


@pytest.mark.parametrize("rows", [np.array([4, 3, 5, 1, 2]), slice(1, 6)])
def test_take_keeps_whole_pairs_and_renumbers_them(rows):
    samples = Samples(X, pairs=pairs())
    taken = samples.take(rows)
    assert len(taken.pairs) == 2  # the one that begins at row 0 is gone
    for name in ("first", "second", "midpoint"):
        before, after = getattr(samples.pairs, name)[1:], getattr(taken.pairs, name)
        np.testing.assert_array_equal(taken.X[after], X[before])
    np.testing.assert_array_equal(taken.pairs.distance, [0.6, 0.7])
    assert len(samples.take(slice(0, 2)).pairs) == 0


def test_stacked_samples_keep_their_pairs():
    samples = Samples(X, pairs=pairs())
    double = stacked(samples, Samples(X + 100, pairs=pairs()))
    np.testing.assert_array_equal(double.X[double.pairs.midpoint[3:]], 100 + X[pairs().midpoint])
    assert len(stacked(Samples(X), samples).pairs) == 3


def test_triples_are_stacked_and_equal_points_are_one():
    frames = np.random.default_rng(0).normal(size=(7, 2, 3))
    samples = from_triples(frames[:-2], frames[2:], frames[1:-1], 0.2)
    assert samples.X.shape == (7, 6)
    assert samples.sample_shape == (2, 3)
    for rows, wanted in zip(samples.pairs.rows, (frames[:-2], frames[2:], frames[1:-1]), strict=True):
        np.testing.assert_array_equal(samples.X[rows].reshape(-1, 2, 3), wanted)
    np.testing.assert_array_equal(samples.pairs.distance, np.full(5, 0.2))
    zeros = np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 2.0]])
    assert len(from_triples(zeros[:1], zeros[2:], [[3.0, 3.0]], 1.0)) == 3
    assert len(from_triples(zeros[:2], zeros[[2, 2]], [[3.0, 3.0]] * 2, 1.0)) == 3  # minus zero is zero


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((X, X[:3], X, 1.0), r"have the shapes \(6, 2\), \(3, 2\), \(6, 2\); expected one shape \(P, d\)"),
        ((X, X + 1, X + 2, np.ones(2)), r"distances have shape \(2,\); expected \(6,\), or one number"),
        ((X, X, X + 2, 1.0), r"6 pairs of 6 join a row with itself"),
        ((X, X + 1, X, 1.0), r"have one of their ends for a midpoint"),
    ],
)
def test_triples_that_do_not_belong_together(parts, message):
    with pytest.raises(DataError, match=message):
        from_triples(*parts)
