"""Rows with names: read from any column of any table, kept with their rows, written, and not taken for data."""

import numpy as np
import pandas as pd
import pytest

from latax._errors import ConfigError, DataError
from latax.data import Samples, read, stacked, write

FRAME = pd.DataFrame({"who": ["zoe", "adam", "zoe"], "x": [1.0, 2.0, 3.0], "y": [4.0, 5.0, 6.0]})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_of_texts_names_the_rows(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    FRAME.to_csv(path, index=False) if suffix == "csv" else FRAME.to_parquet(path, index=False)
    found = read(path, labels="who")
    assert found.labels == ("zoe", "adam", "zoe")
    assert found.feature_names == ("x", "y")
    np.testing.assert_array_equal(found.X, FRAME[["x", "y"]])
    assert read(path, columns=["y"], labels="who").feature_names == ("y",)
    with pytest.raises(DataError, match="column 'who'"):
        read(path)
    with pytest.raises(ConfigError, match=r"has no column 'whom'\. Did you mean 'who'"):
        read(path, labels="whom")


def test_numbers_may_be_labels_too(tmp_path):
    np.save(tmp_path / "a.npy", [[7.0, 1.0], [8.5, 2.0]])
    found = read(tmp_path / "a.npy", labels="x0")
    assert found.labels == ("7", "8.5")
    np.testing.assert_array_equal(found.X, [[1.0], [2.0]])
    assert read(tmp_path / "a.npy", columns=["x1"], labels="x0").labels == ("7", "8.5")
    np.save(tmp_path / "narrow.npy", [[7.0], [8.5]])
    with pytest.raises(DataError, match=r"rows of at least two numbers"):
        read(tmp_path / "narrow.npy", labels="x0")


def test_every_row_needs_a_label(tmp_path):
    FRAME.assign(who=["zoe", None, "zoe"]).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=r"column 'who' of .*a\.csv has gaps: row 1 \(the first row is 0\)"):
        read(tmp_path / "a.csv", labels="who")
    FRAME[["who"]].to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match="no columns of data besides 'who'"):
        read(tmp_path / "b.csv", labels="who")
    with pytest.raises(DataError, match="2 labels were given for 3 rows"):
        Samples(np.ones((3, 1)), labels=("a", "b"))


def test_labels_stay_with_their_rows():
    rows = Samples(np.arange(3.0)[:, None], labels=("a", "b", "c"))
    assert rows.take(np.array([2, 0])).labels == ("c", "a")
    assert rows.take(slice(1, 3)).labels == ("b", "c")
    assert stacked(rows, rows).labels == ("a", "b", "c", "a", "b", "c")
    assert stacked(rows, Samples(np.ones((1, 1)))).labels == ()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_written_labels_are_no_data(suffix, tmp_path):
    rows = Samples(np.arange(6.0).reshape(3, 2), labels=("a", "b", "c"))
    back = read(write(rows, tmp_path / f"plain.{suffix}"))
    np.testing.assert_array_equal(back.X, rows.X)
    named = write(rows, tmp_path / f"named.{suffix}", label_name="who")
    assert read(named, labels="who").labels == rows.labels
    with pytest.raises(ConfigError, match="'x0' names both the labels and a column"):
        write(rows, tmp_path / f"clash.{suffix}", label_name="x0")
