import numpy as np
import pandas as pd
import pytest

from latax._errors import ConfigError, DataError
from latax.data import Samples, read
from latax.data.series import at_times, fold, unfold

TABLE = np.array([[0.0, 1.0, 10], [0.0, 3.0, 30], [0.5, 4.0, 40], [0.5, 2.0, 20]])
LABELS = ("10", "2", "2.0", "10")
NAMES = ("t", "x", "v")


def table(rows=TABLE, labels=LABELS, names=NAMES):
    rows = np.asarray(rows, float)
    return Samples(rows, feature_names=names[: rows.shape[1]], origin="springs.csv", labels=labels)


def test_rows_become_sequences_in_the_order_of_their_numbers():
    found = fold(table(), "t")
    np.testing.assert_array_equal(found.X, [[3, 30, 4, 40], [1, 10, 2, 20]])
    np.testing.assert_array_equal(found.times, [0.0, 0.5])
    assert found.sample_shape == (2, 2)
    assert found.feature_names == ("x[t=0]", "v[t=0]", "x[t=0.5]", "v[t=0.5]")
    assert found.labels == ("2", "10")
    one = fold(table(TABLE[:, :2]), "t")
    assert one.sample_shape == (2,)


def test_names_keep_the_order_of_the_table():
    found = fold(table(labels=("zoe", "adam", "adam", "zoe")), "t")
    assert found.labels == ("zoe", "adam")
    np.testing.assert_array_equal(found.X[:, 0], [1, 3])
    # As text, 1 and 1.0 are two; the control of the numbers above.
    with pytest.raises(DataError, match=r"sequence 2 of springs\.csv has 1 times and the first one 2"):
        fold(table(labels=("zoe", "2", "2.0", "zoe")), "t")


def test_a_folded_table_unfolds_to_itself():
    rows = fold(table(), "t")
    back = unfold(rows, "t")
    np.testing.assert_array_equal(back.X, TABLE[[1, 2, 0, 3]])
    assert back.feature_names == NAMES
    assert back.labels == ("2", "2", "10", "10")
    again = fold(back, "t")
    np.testing.assert_array_equal(again.X, rows.X)
    assert again.feature_names == rows.feature_names
    with pytest.raises(ConfigError, match="has no times to write in a column 't'"):
        unfold(table(), "t")


def test_a_context_is_that_of_a_whole_sequence(tmp_path):
    rows = pd.DataFrame(TABLE, columns=NAMES).assign(who=["b", "a", "a", "b"], mass=[2.0, 1.0, 1.0, 2.0])
    rows.to_csv(tmp_path / "a.csv", index=False)
    found = read(tmp_path / "a.csv", labels="who", time="t", context="mass")
    assert found.feature_names == ("x[t=0]", "v[t=0]", "x[t=0.5]", "v[t=0.5]")
    assert found.context_names == ("mass",)
    np.testing.assert_array_equal(found.context, [[2.0], [1.0]])
    back = unfold(found, "t")
    np.testing.assert_array_equal(back.context, [[2.0], [2.0], [1.0], [1.0]])
    rows.assign(mass=[2.0, 1.0, 1.0, 2.0 + 1e-8]).to_csv(tmp_path / "rounded.csv", index=False)
    np.testing.assert_allclose(
        read(tmp_path / "rounded.csv", labels="who", time="t", context="mass").context, [[2], [1]]
    )
    for wrong, said in ((3.0, "from 2 to 3"), (2.0001, "from 2 to 2.0001"), (np.nan, "from nan to nan")):
        rows.assign(mass=[2.0, 1.0, 1.0, wrong]).to_csv(tmp_path / "b.csv", index=False)
        with pytest.raises(DataError, match=rf"sequence b of .* has values {said} of 'mass', of which a sequence"):
            read(tmp_path / "b.csv", labels="who", time="t", context="mass")


def test_sequences_are_read_from_a_table_in_long_form(tmp_path):
    rows = pd.DataFrame(TABLE, columns=NAMES).assign(who=["b", "a", "a", "b"])
    rows.to_csv(tmp_path / "a.csv", index=False)
    found = read(tmp_path / "a.csv", labels="who", time="t")
    np.testing.assert_array_equal(found.X, [[1, 10, 2, 20], [3, 30, 4, 40]])
    assert found.labels == ("b", "a")
    one = read(tmp_path / "a.csv", labels="who", time="t", columns=["v"])
    assert one.feature_names == ("v[t=0]", "v[t=0.5]")
    np.testing.assert_array_equal(one.X, read(tmp_path / "a.csv", labels="who", time="t", columns=["t", "v"]).X)
    with pytest.raises(ConfigError, match=r"time='t', the times of sequences in a table, goes with labels, the column"):
        read(tmp_path / "a.csv", time="t")
    with pytest.raises(ConfigError, match=r"time='t', .* goes with no position"):
        read(tmp_path / "a.csv", labels="who", time="t", position="v")


def test_a_gap_in_a_long_table_is_found_in_its_sequence(tmp_path):
    rows = pd.DataFrame(TABLE, columns=NAMES).assign(who=["b", "subject d3", "subject d3", "b"])
    rows.loc[2, "v"] = np.nan
    rows.to_csv(tmp_path / "a.csv", index=False)
    said = r"1 value NaN .* in 1 of 2 sequences; the first is nan in sequence 'subject d3' at t=0\.5, column 'v'\."
    with pytest.raises(DataError, match=said) as raised:
        read(tmp_path / "a.csv", labels="who", time="t")
    assert "NumPy" not in str(raised.value)
    rows.assign(t=[0, np.nan, 0.5, 0.5]).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match=r"sequence subject d3 of .* has no time in 1 row of 2\. Fill it in, or leave"):
        read(tmp_path / "b.csv", labels="who", time="t")


def test_other_times_of_the_same_sequences():
    rows = fold(table(), "t")
    values = np.arange(12.0).reshape(2, 3, 2)
    found = at_times(rows, np.array([0.0, 0.25, 1.0]), values)
    assert found.feature_names == ("x[t=0]", "v[t=0]", "x[t=0.25]", "v[t=0.25]", "x[t=1]", "v[t=1]")
    assert found.sample_shape == (3, 2)
    assert found.labels == rows.labels
    np.testing.assert_array_equal(unfold(found, "t").X[:, 1:], values.reshape(6, 2))


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (TABLE[[0, 2, 1, 3]], DataError, "sequence 2 of springs.csv do not increase"),
        (TABLE[:3], DataError, "sequence 10 of springs.csv has 1 times and the first one 2"),
        (np.vstack([TABLE[:3], [0.6, 2, 20]]), DataError, "was observed at 0.6 where the first one was at 0.5"),
        (TABLE[:, :1], ConfigError, "no column left to observe"),
    ],
)
def test_what_cannot_be_folded_is_named(rows, error, message):
    with pytest.raises(error, match=message):
        fold(table(rows, LABELS[: len(rows)]), "t")


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="has no column 'when'; there are t, x, v"):
        fold(table(), "when")
