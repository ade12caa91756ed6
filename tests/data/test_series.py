import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.data.series import fold

TABLE = np.array([[2, 0.0, 1.0, 10], [1, 0.0, 3.0, 30], [1, 0.5, 4.0, 40], [2, 0.5, 2.0, 20]])
NAMES = ("run", "t", "x", "v")


def table(rows=TABLE, names=NAMES):
    return Samples(np.asarray(rows, float), feature_names=names[: np.shape(rows)[1]], origin="springs.csv")


def test_rows_become_sequences_in_the_order_of_their_numbers():
    found = fold(table(), "run", "t")
    np.testing.assert_array_equal(found.X, [[3, 30, 4, 40], [1, 10, 2, 20]])
    np.testing.assert_array_equal(found.times, [0.0, 0.5])
    assert found.sample_shape == (2, 2)
    assert found.feature_names == ("x[t=0]", "v[t=0]", "x[t=0.5]", "v[t=0.5]")
    one = fold(table(TABLE[:, :3]), "run", "t")
    assert one.sample_shape == (2,)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (TABLE[[0, 2, 1, 3]], DataError, "sequence 1 of springs.csv do not increase"),
        (TABLE[:3], DataError, "sequence 2 of springs.csv has 1 times and the first one 2"),
        (np.vstack([TABLE[:3], [2, 0.6, 2, 20]]), DataError, "was observed at 0.6 where the first one was at 0.5"),
        (np.where(TABLE == 2, np.nan, TABLE), DataError, "column 'run' of springs.csv has gaps"),
        (TABLE[:, :2], ConfigError, "no column left to observe"),
    ],
)
def test_what_cannot_be_folded_is_named(rows, error, message):
    with pytest.raises(error, match=message):
        fold(table(rows), "run", "t")


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="has no column 'when'; there are run, t, x"):
        fold(table(), "run", "when")
