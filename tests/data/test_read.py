import subprocess
import sys

import numpy as np
import pytest

from latax._errors import ConfigError, DataError, FileError
from latax.data import read
from latax.data.memory import _room_in_group, available_memory
from latax.data.read import READERS


def test_missing_file(tmp_path):
    (tmp_path / "strides.npz").touch()
    with pytest.raises(FileError, match=r"stride\.npz does not exist in .*\. Did you mean 'strides\.npz'\?"):
        read(tmp_path / "stride.npz")
    with pytest.raises(FileError, match=r"quite-another\.csv does not exist in .* Check the name and the folder"):
        read(tmp_path / "quite-another.csv")
    with pytest.raises(FileError, match=r"there is no folder .*inputs.*; the path ends at "):
        read(tmp_path / "inputs" / "new" / "a.csv")
    with pytest.raises(FileError, match=r"is an address, not a file; latax reads local files\. Download it first"):
        read("https://example.org/a.csv")


@pytest.mark.parametrize(("name", "said"), [("a.xlsx", r"extension '\.xlsx'"), ("data", "no extension")])
def test_unknown_extension(tmp_path, name, said):
    (tmp_path / name).write_text("a")
    with pytest.raises(FileError, match=rf"{name} has (the )?{said}, which latax does not know; it reads") as raised:
        read(tmp_path / name)
    assert all(
        extension in str(raised.value) for extension in (".npy", ".npz", ".csv", ".parquet", ".nc", ".h5", ".zarr")
    )


@pytest.mark.parametrize("extension", list(READERS))
def test_empty_file_and_web_page(tmp_path, extension):
    path = tmp_path / f"a{extension}"
    path.touch()
    with pytest.raises(FileError, match=r"is empty \(0 bytes\)\. Was it still being written"):
        read(path)
    path.write_text("\n<!DOCTYPE html>\n<html><body>Sign in</body></html>")
    with pytest.raises(FileError, match=r"is a web page \(HTML\), not data: the download probably stopped"):
        read(path)


def test_the_path_may_be_text_or_begin_at_home(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    assert len(read(str(tmp_path / "a.npy"))) == 2
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(read("~/a.npy")) == 2


def test_constant_columns_are_allowed(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((4, 2)))
    assert read(tmp_path / "a.npy").X.tolist() == [[1, 1]] * 4


def test_memory_is_a_sensible_number():
    assert 2**20 < available_memory() < 2**50


def test_the_limit_of_a_container_counts(tmp_path):
    membership, group = tmp_path / "cgroup", tmp_path / "groups" / "job"
    group.mkdir(parents=True)
    membership.write_text("0::/job\n")
    (group / "memory.max").write_text("1000\n")
    (group / "memory.current").write_text("900\n")
    (group / "memory.stat").write_text("anon 500\ninactive_file 300\nactive_file 50\n")
    assert _room_in_group(tmp_path / "groups", membership) == 450
    (group / "memory.max").write_text("max\n")
    assert _room_in_group(tmp_path / "groups", membership) is None
    assert _room_in_group(tmp_path / "nowhere", membership) is None


def test_nothing_heavy_is_imported_before_it_is_needed():
    heavy = ["jax", "pandas", "pyarrow", "xarray", "h5py", "zarr", "sklearn", "scipy", "PIL"]
    code = (
        "import sys, latax; before = set(sys.modules)\n"
        "import latax.data, latax.data.catalogue; latax.data.catalogue.describe()\n"
        f"print([name for name in {heavy} if name in sys.modules and name not in before])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_positions_are_no_data(tmp_path):
    (tmp_path / "a.csv").write_text("x,angle,y,t\n1,0.5,2,7\n3,1.5,4,8\n5,2.5,6,9\n")
    samples = read(tmp_path / "a.csv", position="angle", context="t")
    assert samples.feature_names == ("x", "y")
    np.testing.assert_array_equal(samples.truth["position"], [[0.5], [1.5], [2.5]])
    np.testing.assert_array_equal(samples.context, [[7], [8], [9]])
    assert read(tmp_path / "a.csv", position=["t", "angle"]).context is None
    with pytest.raises(ConfigError, match=r"no column 'angel'.*Did you mean 'angle'"):
        read(tmp_path / "a.csv", position="angel")
    (tmp_path / "gap.csv").write_text("x,angle\n1,0.5\n2,nan\n")
    with pytest.raises(DataError, match=r"^the position of .*gap\.csv .*not finite .* row 1 .* column 'angle'"):
        read(tmp_path / "gap.csv", position="angle")
