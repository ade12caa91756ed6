import numpy as np
import pytest

from latax._errors import DataError
from latax.data import LazyRows, Samples, check_finite, row_blocks

X = np.arange(60.0).reshape(20, 3)


def lazily(array, requests=None):
    def read(rows):
        if requests is not None:
            requests.append(rows)
        return array[rows]

    return LazyRows(read, array.shape, array.dtype, "data.h5")


def test_names_and_shape_are_filled_in():
    samples = Samples(X, context=X[:, :2])
    assert samples.feature_names == ("x0", "x1", "x2")
    assert samples.context_names == ("context0", "context1")
    assert samples.sample_shape == (3,)
    assert (len(samples), samples.is_lazy) == (20, False)
    images = Samples(np.zeros((2, 6)), sample_shape=(2, 3))
    assert images.feature_names == ("x0_0", "x0_1", "x0_2", "x1_0", "x1_1", "x1_2")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"context": X[:7]}, r"the context has 7 rows and the data have 20; there must be one row of context for each"),
        ({"sample_shape": (2, 2)}, r"3 columns do not fit a sample shape of \(2, 2\)"),
        ({"feature_names": ("a", "b")}, r"3 columns do not fit .* and 2 feature names"),
        ({"groups": np.zeros(7)}, r"7 groups were given for 20 rows; expected one label for each row"),
        ({"context": X, "context_names": ("a",)}, r"1 context names were given for 3 context columns"),
    ],
)
def test_parts_that_do_not_belong_together(parts, message):
    with pytest.raises(DataError, match=message):
        Samples(X, **parts)


def test_take():
    samples = Samples(X, context=-X[:, :1], origin="here", groups=np.arange(20) // 3).take(np.array([4, 2]))
    np.testing.assert_array_equal(samples.X, X[[4, 2]])
    np.testing.assert_array_equal(samples.context, -X[[4, 2], :1])
    assert samples.origin == "here"
    assert samples.groups is not None
    np.testing.assert_array_equal(samples.groups, [1, 0])


def test_check_finite_goes_through_lazy_data_by_blocks(monkeypatch):
    monkeypatch.setattr("latax.data.samples.BLOCK_BYTES", 1)
    broken = X.copy()
    broken[3, 1], broken[17, 0], broken[17, 2] = np.nan, np.inf, -np.inf
    for values in (broken, lazily(broken)):
        with pytest.raises(DataError, match=r"here is not finite everywhere: 1 value NaN .* and 2 inf") as raised:
            check_finite(Samples(values, origin="here"))
        assert "in 2 of 20 rows; the first is nan in row 3 (the first row is 0), column 'x1'" in str(raised.value)
    check_finite(Samples(lazily(X)))


def test_check_finite_calls_rows_as_the_user_does():
    broken = np.arange(12.0).reshape(2, 6)
    broken[1, 3] = np.inf
    names = tuple(f"{x}[t={t}]" for t in (0, 0.5, 1) for x in "xv")
    more = {"feature_names": names, "sample_shape": (3, 2), "times": np.array([0, 0.5, 1.0])}
    place = (
        "in 1 of 2 sequences; the first is inf in sequence 'subject d3' at t=0.5, column 'v'. Remove these sequences, "
    )
    with pytest.raises(DataError) as raised:
        check_finite(Samples(broken, labels=("subject b1", "subject d3"), origin="long.csv", **more))
    assert place in str(raised.value)
    assert "NumPy" not in str(raised.value)
    with pytest.raises(
        DataError, match=r"in row 1 \(the first row is 0\) at t=0\.5, column 'v'\. Remove these rows, with NumPy"
    ):
        check_finite(Samples(broken, **more))
    with pytest.raises(
        DataError, match=r"in row 1 \(the first row is 0\), that of 'zoe', column 'x3'\. Remove these rows, fi"
    ):
        check_finite(Samples(broken, labels=("zoe", "zoe"), origin="table.csv"))


def test_check_finite_of_the_context():
    context = np.zeros((20, 2))
    context[19, 1] = np.nan
    with pytest.raises(DataError, match=r"the context of here is not finite .* row 19 .*, column 'mass'"):
        check_finite(Samples(X, context=context, context_names=("theta", "mass"), origin="here"))


@pytest.mark.parametrize("values", [X, lazily(X)])
def test_row_blocks(values):
    starts, blocks = zip(*row_blocks(values, block_bytes=7 * 3 * 8), strict=True)
    assert starts == (0, 7, 14)
    np.testing.assert_array_equal(np.concatenate(blocks), X)
    assert [len(block) for _, block in row_blocks(values, block_bytes=1)] == [1] * 20


def test_lazy_rows_reads_only_what_is_asked_for():
    requests = []
    rows = lazily(X, requests)
    rows[4:6]
    assert requests.pop() == slice(4, 6)
    # Rows close together are read in one stretch, far ones one by one, each once.
    np.testing.assert_array_equal(rows[np.array([9, 3, 5, 9])], X[[9, 3, 5, 9]])
    assert requests.pop() == slice(3, 10)
    np.testing.assert_array_equal(rows[np.array([19, 0, 19])], X[[19, 0, 19]])
    np.testing.assert_array_equal(requests.pop(), [0, 19])
    assert requests == []


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (20, IndexError, r"row 20 of data\.h5, which has 20 rows"),
        (-21, IndexError, r"row -21 of data\.h5"),
        ([1, 25], IndexError, r"row 25 of data\.h5"),
        ([0.5], DataError, r"chosen by integers, a slice or a mask, not by \[0\.5\]"),
        ([[1, 2]], DataError, r"chosen by integers, a slice or a mask"),
        (np.ones(3, bool), DataError, r"a mask of shape \(3,\) cannot choose among 20 rows"),
    ],
)
def test_rows_that_are_not_there(rows, error, message):
    with pytest.raises(error, match=message):
        lazily(X)[rows]


def test_a_file_that_shrinks_while_it_is_read():
    with pytest.raises(DataError, match=r"data\.h5 gave 1 rows where 5 were asked for: was the file changed"):
        LazyRows(lambda rows: X[:1], X.shape, X.dtype, "data.h5")[0:5]


def test_scattered_rows_are_read_a_few_at_a_time(monkeypatch):
    requests = []
    rows = np.array([1, 2, 4, 9, 9, 11, 17, 0, 19])
    whole = lazily(X, requests)[rows]
    monkeypatch.setattr("latax.data.lazy._STRETCH_BYTES", 5 * X[0].nbytes)
    few = lazily(X, requests)[rows]
    np.testing.assert_array_equal(whole, X[rows])
    np.testing.assert_array_equal(few, X[rows])
    read = [request.stop - request.start for request in requests]
    assert read[0] == 20
    assert len(read) == 5
    assert max(read[1:]) <= 5
