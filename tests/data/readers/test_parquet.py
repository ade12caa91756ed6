import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latax._errors import ConfigError, DataError, FileError
from latax.data import read


@pytest.fixture
def parquet(tmp_path):
    """Writes columns as Parquet; returns the path."""

    def written(columns):
        pq.write_table(pa.table(columns), tmp_path / "a.parquet")
        return tmp_path / "a.parquet"

    return written


def test_round_trip_with_context(parquet):
    rng = np.random.default_rng(0)
    a, b, theta = rng.normal(size=(3, 50)).astype(np.float32)
    samples = read(parquet({"a": a, "theta": theta, "b": b}), context="theta")
    np.testing.assert_array_equal(samples.X, np.stack([a, b], axis=1))
    np.testing.assert_array_equal(samples.context[:, 0], theta)
    assert samples.X.dtype == np.float32
    assert samples.feature_names == ("a", "b")
    assert "Parquet" in samples.origin


def test_numbers_of_every_kind(parquet):
    columns = {
        "double": [0.5, 1.5],
        "long": [3, 4],
        "truth": [True, False],
        "money": [decimal.Decimal("1.25"), decimal.Decimal("2.50")],
        "half": np.array([1, 2], np.float16),
    }
    samples = read(parquet(columns))
    assert samples.X.dtype == np.float64
    np.testing.assert_array_equal(samples.X, [[0.5, 3, 1, 1.25, 1], [1.5, 4, 0, 2.5, 2]])


def test_the_index_of_pandas_is_left_out(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}, index=[7, 3])
    frame.to_parquet(tmp_path / "a.parquet")
    samples = read(tmp_path / "a.parquet")
    assert samples.feature_names == ("a", "b")
    assert "left out" in samples.origin
    frame.rename_axis("subject").to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", context="subject").context.tolist() == [[7], [3]]


def test_only_an_index(tmp_path):
    pd.DataFrame(index=pd.Index([1, 2], name="subject")).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"has no columns of data\. latax expects one column per variable"):
        read(tmp_path / "a.parquet")


def test_text_and_dates(parquet):
    path = parquet({"a": [1.0, 2.0], "who": [None, "jo"], "when": [datetime.date(2020, 1, 1)] * 2})
    with pytest.raises(
        DataError, match=r"column 'who' of .* the first is 'jo' in row 1 \(the first row is 0; type string\)"
    ) as raised:
        read(path)
    assert (
        "The same holds for 'when'. Keep the others (columns=['a'] in Python, --columns a on the command line)"
        in str(raised.value)
    )
    assert read(path, columns="a").X.tolist() == [[1], [2]]


def test_gaps_and_identifiers(parquet):
    with pytest.raises(DataError, match=r"1 value NaN or missing and 0 infinite, in 1 of 2 rows.*column 'b'"):
        read(parquet({"a": [1, 2], "b": [None, 3]}))
    with pytest.raises(DataError, match=r"column 'id' of .* integers too big .*If they are identifiers, leave"):
        read(parquet({"a": [1, 2], "id": [2**60, 1]}))


def test_no_rows_and_no_such_column(parquet):
    with pytest.raises(DataError, match=r"has the columns a and no rows"):
        read(parquet({"a": pa.array([], pa.float64())}))
    with pytest.raises(ConfigError, match=r"has no column 'thta'\. Did you mean 'theta'"):
        read(parquet({"a": [1.0], "theta": [2.0]}), context="thta")
    with pytest.raises(ConfigError, match=r"cannot be read by blocks of rows"):
        read(parquet({"a": [1.0]}), lazy=True)


def test_cut_short(parquet):
    path = parquet({"a": np.arange(1000.0)})
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(FileError, match=r"a\.parquet cannot be read as Parquet: it is damaged, cut short"):
        read(path)
