import numpy as np
import pytest

from latax._errors import ConfigError, FileError
from latax.data import Samples, catalogue, read, write

LARGE = {"burgers", "allen-cahn", "porous-medium"}  # Tens of thousands of columns.


@pytest.mark.parametrize("name", list(catalogue.ENTRIES))
@pytest.mark.parametrize("extension", [".npz", ".nc", ".csv", ".parquet"])
def test_every_set_survives_every_format(name, extension, tmp_path):
    if name in LARGE and extension in (".csv", ".parquet"):
        pytest.skip("tables of so many columns are of no use")
    made = catalogue.make(name, size=3 if name in LARGE else 30, seed=1)
    again = read(write(made, tmp_path / f"a{extension}"), context=made.context_names or None)
    # Text knows no float32: its digits come back as float64 and stand for the same number.
    np.testing.assert_array_equal(again.X.astype(made.X.dtype), made.X)
    assert again.context_names == made.context_names
    if made.context is not None:
        np.testing.assert_array_equal(again.context, made.context)
    if extension in (".npz", ".nc"):
        assert again.sample_shape == made.sample_shape
        np.testing.assert_array_equal(again.times, made.times)
        assert again.truth.keys() == made.truth.keys()
        for label, values in made.truth.items():
            np.testing.assert_array_equal(again.truth[label], values)
    else:
        assert again.feature_names == made.feature_names
    assert [file.name for file in tmp_path.iterdir()] == [f"a{extension}"]


def test_every_set_is_described_in_one_line():
    described = catalogue.describe()
    assert list(described) == [
        "circle",
        "sphere",
        "conditional-sphere",
        "polynomial-surface",
        "pendulum",
        "advection-diffusion",
        "burgers",
        "allen-cahn",
        "porous-medium",
        "galaxies",
        "digits",
        "blobs",
        "sprites",
        "digit-sequences",
        "sundial",
        "rotating-object",
        "translations",
        "ellipses",
        "rotated-digits",
    ]
    assert all("\n" not in text and text.endswith("rows)") and len(text) < 120 for text in described.values())


@pytest.mark.parametrize("name", ["circle", "sphere", "conditional-sphere", "digits"])
def test_default_size_and_seed(name):
    samples = catalogue.make(name)
    assert f"({len(samples):,} rows)" in catalogue.describe()[name]
    np.testing.assert_array_equal(catalogue.make(name, size=5).X, catalogue.make(name, size=5, seed=0).X)
    assert "seed 0" in samples.origin


def test_wrong_requests():
    with pytest.raises(ConfigError, match=r"no built-in data set 'cirlce'\. Did you mean 'circle'\? There"):
        catalogue.make("cirlce")
    with pytest.raises(ConfigError, match=r"at least one row; size = 0"):
        catalogue.make("circle", size=0)
    with pytest.raises(ConfigError, match=r"a seed is 0 or a positive whole number; got -1"):
        catalogue.make("circle", size=1, seed=-1)


def test_npy_holds_the_data_alone(tmp_path):
    circle = catalogue.make("circle", size=7)
    np.testing.assert_array_equal(read(write(circle, tmp_path / "a.npy")).X, circle.X)
    with pytest.raises(ConfigError, match=r"a \.npy file holds one array, and the context \(label\) would be lost"):
        write(catalogue.make("digits", size=7), tmp_path / "b.npy")
    assert not (tmp_path / "b.npy").exists()


def test_nothing_is_overwritten_silently(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("precious")
    circle = catalogue.make("circle", size=7)
    with pytest.raises(FileError, match=r"a\.csv exists already and is left as it is\. Give another name"):
        write(circle, path)
    assert path.read_text() == "precious"
    write(circle, path, overwrite=True)
    assert len(read(path)) == 7


def test_where_it_cannot_be_written(tmp_path, monkeypatch):
    circle = catalogue.make("circle", size=7)
    with pytest.raises(ConfigError, match=r"extension '\.xlsx', which latax does not write; end the name"):
        write(circle, tmp_path / "a.xlsx")
    with pytest.raises(FileError, match=r"there is no folder .*new to write a\.csv into\. Make it first"):
        write(circle, tmp_path / "new" / "a.csv")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    with pytest.raises(FileError, match=r"a\.npy cannot be written: No space left on device\. Free some space"):
        write(circle, tmp_path / "a.npy")
    assert list(tmp_path.iterdir()) == []


def test_names_that_clash():
    X = np.zeros((3, 2))
    with pytest.raises(ConfigError, match=r"x1 names both a data column and a context column; rename one"):
        write(Samples(X, context=X[:, :1], context_names=("x1",)), "unwritten.csv")
    with pytest.raises(ConfigError, match=r"a context named x cannot be written as \.npz; rename it"):
        write(Samples(X, context=X[:, :1], context_names=("x",)), "unwritten.npz")
