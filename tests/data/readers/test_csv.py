import gzip

import numpy as np
import pandas as pd
import pytest

from latax._errors import ConfigError, DataError, FileError
from latax.data import read


@pytest.fixture
def csv(tmp_path):
    """Writes a CSV file and reads it."""

    def written(text, name="a.csv", **options):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return read(tmp_path / name, **options)

    return written


@pytest.mark.parametrize(
    ("text", "names", "note"),
    [
        ("a,b\n1,2.5\n3,-4e1\n", ("a", "b"), "(CSV)"),
        ("1,2.5\n3,-4e1\n", ("x0", "x1"), "no header: columns named x0 to x1"),
        ("a;b\n1;2.5\n3;-4e1\n", ("a", "b"), "separator ';'"),
        ("a;b\n1;2,5\n3;-4e1\n", ("a", "b"), "decimal commas"),
        ("1;2,5\n3;-4e1\n", ("x0", "x1"), "separator ';', decimal commas, no header"),
        ("a\tb\n1\t2.5\n3\t-40\n", ("a", "b"), "separator '\\t'"),
        ("a|b\n1|2.5\n3|-40\n", ("a", "b"), "separator '|'"),
        ("a b\n1 2.5\n3 -40\n", ("a", "b"), "separator ' '"),
        ("# a b\n1 2.5\n3 -40\n", ("a", "b"), "separator ' '"),
        ("# made by hand\n\n1,2.5\n3,-40\n", ("x0", "x1"), "no header"),
        (",a,b\n7,1,2.5\n9,3,-40\n", ("a", "b"), "the unnamed first column taken as row labels and left out"),
        (",a,b\njo,1,2.5\nmo,3,-40\n", ("a", "b"), "row labels and left out"),
        ('"a","b"\n"jo",1,2.5\n"mo",3,-40\n', ("a", "b"), "row labels and left out"),
        ("index,a,b\n0,1,2.5\n1,3,-40\n", ("a", "b"), "the row numbers in column 'index' left out"),
        ("a,b,\n1,2.5,\n3,-40,\n", ("a", "b"), "1 empty column left out"),
        (",0,1\n0,1,2.5\n1,3,-40\n", ("0", "1"), "row labels"),
        ("0,1\n1,2.5\n3,-40\n", ("0", "1"), "(CSV)"),
        ("a,a\n1,2.5\n3,-40\n", ("a", "a.1"), "(CSV)"),
        ("first value,second value\n1,2.5\n3,-40\n", ("first value", "second value"), "(CSV)"),
        ("\ufeffa,b\r\n1,2.5\r\n3,-40\r\n", ("a", "b"), "(CSV)"),
        ("a,b\n1,2.5\n\n3,-40", ("a", "b"), "(CSV)"),
        ('a,b\n"1"," 2.5"\n"3",-40\n', ("a", "b"), "(CSV)"),
        ("température,b\n1,2.5\n3,-40\n".encode("latin-1"), ("température", "b"), "(CSV)"),
        ("a,b\n1,2.5\n3,-40\n".encode("utf-16"), ("a", "b"), "(CSV)"),
    ],
)
def test_what_a_person_would_read(csv, text, names, note):
    samples = csv(text)
    np.testing.assert_array_equal(samples.X, [[1, 2.5], [3, -40]])
    assert samples.feature_names == names
    assert note in samples.origin


def test_tsv_and_gzip(csv):
    for name in ("a.tsv", "a.tsv.gz", "A.CSV", "a.csv.gz"):
        separator = "\t" if "tsv" in name else ","
        assert csv(f"a{separator}b\n1{separator}2\n", name).X.tolist() == [[1, 2]]
    # With one line and a comma in the text, only the extension says what separates.
    assert csv("1,5\t2,5\n2,5\t3,5\n", "a.tsv").X.tolist() == [[1.5, 2.5], [2.5, 3.5]]


def test_one_column_and_one_row(csv):
    assert csv("height\n1.5\n2.5\n").X.tolist() == [[1.5], [2.5]]
    assert csv("my height\n1.5\n2.5\n").feature_names == ("my height",)
    assert csv("1,2,3\n").X.tolist() == [[1, 2, 3]]


def test_a_first_line_that_counts_the_columns_is_a_header_and_said_to_be(csv):
    found = csv("0,1,2\n5,3,8\n4,4,9\n")
    assert found.X.tolist() == [[5, 3, 8], [4, 4, 9]]
    assert found.feature_names == ("0", "1", "2")
    assert "the first line, 0 to 2, taken as numbers of the columns and not as a row" in found.origin
    # Two may be a row, as may three that do not count, or those of the only line.
    assert csv("0,1\n5,3\n").X.tolist() == [[0, 1], [5, 3]]
    assert csv("0,2,1\n5,3,8\n").X.shape == (2, 3)
    assert csv("0,1,2\n").X.shape == (1, 3)


def test_index_that_is_data(csv):
    """A column called index that does not count the rows, or the only one, or one asked for, is data."""
    assert csv("index,a\n4,1\n2,3\n").feature_names == ("index", "a")
    assert csv("index\n0\n1\n").feature_names == ("index",)
    assert csv("index,a\n0,1\n1,3\n", columns=["index", "a"]).feature_names == ("index", "a")
    assert csv(",a\n0,1\n1,3\n", columns=["row label", "a"]).X.tolist() == [[0, 1], [1, 3]]


def test_context_columns(csv):
    samples = csv("a,theta,b\n1,0.5,2\n3,-0.5,4\n", context="theta")
    assert samples.X.tolist() == [[1, 2], [3, 4]]
    assert samples.context.tolist() == [[0.5], [-0.5]]
    assert (samples.feature_names, samples.context_names) == (("a", "b"), ("theta",))


def test_columns_by_name_and_number_skip_text(csv):
    text = "name,a,b\njo,1,2\nmo,3,4\n"
    assert csv(text, columns=["b", "a"]).X.tolist() == [[2, 1], [4, 3]]
    assert csv(text, columns=[2]).X.tolist() == [[2], [4]]


def test_true_and_false_are_one_and_zero(csv):
    assert csv("a,b\n1,True\n2,false\n").X.tolist() == [[1, 1], [2, 0]]


def test_text_column(csv):
    with pytest.raises(DataError, match=r"column 'b' of .*a\.csv holds text") as raised:
        csv("a,b,c,d\n1,5,2,x\n3,oops,4,y\n")
    assert "the first is 'oops' in row 1 (the first row is 0; line 3 of the file). The same holds for 'd'." in str(
        raised.value
    )
    assert (
        "(columns=['a', 'c'] in Python, --columns a --columns c on the command line), or encode the values as numbers"
        in str(raised.value)
    )


def test_text_deep_in_a_large_file(csv):
    lines = [f"{i},{i / 7}" for i in range(60_000)]
    lines[50_000] = "1,n.a."
    with pytest.raises(
        DataError, match=r"column 'b' .* the first is 'n\.a\.' in row 50000 \(the first row is 0; line 50002"
    ):
        csv("\n".join(["a,b", *lines]))


def test_long_files_and_lines(csv):
    """What is seen of the file first ends within a line, and within a character."""
    rows = 30_000
    for encoding in ("utf-8", "utf-16"):
        samples = csv(("größe;ü\n" + "1,25;2\n" * rows).encode(encoding))
        assert samples.X.shape == (rows, 2)
        assert samples.X[-1].tolist() == [1.25, 2]
    wide = [f"a_rather_long_name_{j}" for j in range(20_000)]
    samples = csv("\n".join([",".join(wide), *[",".join(["1.5"] * 20_000)] * 3]))
    assert samples.X.shape == (3, 20_000)
    assert samples.feature_names == tuple(wide)


def test_text_that_is_not_in_the_encoding_of_the_beginning(csv):
    text = b"a,b\n" + b"1,2\n" * 100_000 + "größe,2\n".encode("latin-1")
    with pytest.raises(FileError, match=r"cannot be read as CSV.*UTF8"):
        csv(text)


def test_missing_and_text_together(csv):
    with pytest.raises(DataError, match=r"column 'b' .* the first is 'x' in row 1"):
        csv("a,b\n1,\n2,x\n")


def test_missing_values(csv):
    with pytest.raises(DataError, match=r"3 values NaN or missing and 1 infinite, in 3 of 4 rows") as raised:
        csv("a,b\n1,2\n,NaN\n3,inf\nNA,4\n")
    assert "the first is nan in row 1 (the first row is 0), column 'a'" in str(raised.value)


def test_ragged(csv):
    with pytest.raises(DataError, match=r"has 3 columns, but 2 rows of another length; the first is line 3") as raised:
        csv("a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11,12\n")
    assert "with 2 values: '4,5'. The separator was taken to be ','" in str(raised.value)


def test_unknown_columns(csv):
    with pytest.raises(
        ConfigError, match=r"has no column 'hieght'\. Did you mean 'height'\? Its columns are height, mass"
    ):
        csv("height,mass\n1,2\n", columns=["hieght"])
    with pytest.raises(ConfigError, match=r"has no column 'Mas'\. Did you mean 'mass'"):
        csv("height,mass\n1,2\n", context="Mas")
    with pytest.raises(ConfigError, match=r"mass: given more than once among columns and context"):
        csv("height,mass\n1,2\n", columns=["mass"], context="mass")
    with pytest.raises(ConfigError, match=r"no data column is left in .*: all of height, mass are used as context"):
        csv("height,mass\n1,2\n", context=["height", "mass"])
    with pytest.raises(ConfigError, match=r"an empty list of columns was given"):
        csv("height,mass\n1,2\n", columns=[])


def test_nothing_in_it(csv):
    with pytest.raises(DataError, match=r"has the columns a, b and no rows"):
        csv("a,b\n")
    with pytest.raises(DataError, match=r"has no rows, only blank lines or comments"):
        csv("# nothing\n\n")


def test_not_text(csv):
    with pytest.raises(FileError, match=r"is not a text file, so it is not CSV\. Spreadsheets .* must be exported"):
        csv(b"PK\x03\x04\x00\x00")


def test_gzip_cut_short(tmp_path):
    whole = gzip.compress(("a,b\n" + "1,2\n" * 100_000).encode())
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"a\.csv\.gz cannot be read as CSV: it is damaged, cut short"):
        read(tmp_path / "a.csv.gz")


def test_pandas_round_trip(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 4)), columns=list("abcd"))
    for index in (True, False):
        frame.to_csv(tmp_path / "a.csv", index=index)
        np.testing.assert_array_equal(read(tmp_path / "a.csv").X, frame.to_numpy())
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").feature_names == ("a", "b", "c", "d")
