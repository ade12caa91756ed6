"""What npy, npz, HDF5, Zarr and NetCDF have in common: round trips, choice of arrays, laziness, refusals."""

import h5py
import numpy as np
import pytest
import xarray
import zarr

from latax._errors import ConfigError, DataError, FileError
from latax.data import LazyRows, read

RNG = np.random.default_rng(0)
FIELD = RNG.normal(size=(20, 3, 4)).astype(np.float32)
THETA = RNG.normal(size=20)


def write_npz(path, arrays):
    np.savez(path, **arrays)


def write_hdf5(path, arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, chunks=True if np.ndim(array) else None)


def write_zarr(path, arrays):
    group = zarr.open_group(path, mode="w")
    for name, array in arrays.items():
        group.create_array(name, data=np.asarray(array))


def as_dataset(arrays):
    return xarray.Dataset(
        {name: ([f"axis{k}_{n}" for k, n in enumerate(array.shape)], array) for name, array in arrays.items()}
    )


def write_netcdf4(path, arrays):
    as_dataset(arrays).to_netcdf(path, engine="h5netcdf")


def write_netcdf3(path, arrays):
    as_dataset(arrays).to_netcdf(path, engine="scipy")


def write_xarray_zarr(path, arrays):
    as_dataset(arrays).to_zarr(path, mode="w", consolidated=False)


CONTAINERS = {
    "npz": ("a.npz", write_npz),
    "hdf5": ("a.h5", write_hdf5),
    "zarr": ("a.zarr", write_zarr),
    "zarr of xarray": ("a.zarr", write_xarray_zarr),
    "netcdf 4": ("a.nc", write_netcdf4),
    "netcdf 3": ("a.nc", write_netcdf3),
}
LAZY = [name for name in CONTAINERS if name != "npz"]


@pytest.fixture(params=list(CONTAINERS))
def container(request, tmp_path):
    """Writes a dictionary of arrays in each format; returns the path."""
    return _writer(request.param, tmp_path)


@pytest.fixture(params=LAZY)
def lazy_container(request, tmp_path):
    return _writer(request.param, tmp_path)


def _writer(kind, tmp_path):
    name, write = CONTAINERS[kind]

    def written(arrays):
        write(tmp_path / name, arrays)
        return tmp_path / name

    return written


def test_the_only_array_of_numbers_is_taken(container):
    path = container({"field": FIELD, "theta": THETA})
    samples = read(path)
    np.testing.assert_array_equal(samples.X, FIELD.reshape(20, 12))
    assert samples.X.dtype == np.float32
    assert samples.sample_shape == (3, 4)
    assert samples.context is None
    assert str(path) in samples.origin
    assert "field" in samples.origin


def test_context_by_name(container):
    arrays = {"field": FIELD, "theta": THETA, "pair": np.stack([THETA, -THETA], axis=1)}
    samples = read(container(arrays), name="field", context=["theta", "pair"])
    np.testing.assert_array_equal(samples.context, np.stack([THETA, THETA, -THETA], axis=1))
    assert samples.context_names == ("theta", "pair0", "pair1")


def test_several_arrays_and_none_named(container):
    path = container({"train": FIELD, "valid": FIELD[:5].astype(float)})
    with pytest.raises(ConfigError, match=r"holds several arrays: ") as raised:
        read(path)
    assert "train (20, 3, 4) float32" in str(raised.value)
    assert "valid (5, 3, 4) float64" in str(raised.value)
    assert "Say which is the data, e.g. name='" in str(raised.value)
    with pytest.raises(ConfigError, match=r"has no array 'trian'. Did you mean 'train'"):
        read(path, name="trian")
    assert read(path, name="valid").X.shape == (5, 12)


def test_only_one_dimensional_arrays(container):
    path = container({"a": THETA, "b": -THETA})
    with pytest.raises(ConfigError, match=r"several one-dimensional arrays and no table.*name='a'.*numpy.stack"):
        read(path)
    single = read(path, name="b")
    np.testing.assert_array_equal(single.X, -THETA[:, None])
    # With one of them the context, the other can only be the data.
    assert read(path, context="a").context_names == ("a",)


def test_context_that_does_not_fit(container):
    path = container({"field": FIELD, "short": THETA[:7]})
    with pytest.raises(DataError, match=r"context array 'short' of .* has 7 rows and the data have 20"):
        read(path, context="short")
    with pytest.raises(ConfigError, match=r"no array or column 'shart' to use as context. Did you mean 'short'"):
        read(path, context="shart")
    cube = container({"cube": FIELD, "field": FIELD})
    with pytest.raises(DataError, match=r"context array 'cube' of .* has shape \(20, 3, 4\); a context is one number"):
        read(cube, name="field", context="cube")


def test_columns_and_context_columns_of_one_array(container):
    table = FIELD.reshape(20, 12)
    path = container({"table": table})
    samples = read(path, columns=["x3", 1], context="x0")
    np.testing.assert_array_equal(samples.X, table[:, [3, 1]])
    np.testing.assert_array_equal(samples.context, table[:, [0]])
    assert samples.feature_names == ("x3", "x1")
    assert samples.context_names == ("x0",)
    rest = read(path, context="x0")
    np.testing.assert_array_equal(rest.X, table[:, 1:])
    assert rest.sample_shape == (11,)
    with pytest.raises(ConfigError, match=r"has no column 'xx3'. Did you mean 'x3'"):
        read(path, columns="xx3")


def test_not_finite(container):
    broken = FIELD.astype(float)
    broken[4, 1, 2], broken[4, 0, 0], broken[9, 2, 3] = np.nan, np.inf, np.nan
    with pytest.raises(DataError, match=r"2 values NaN or missing and 1 infinite, in 2 of 20 rows") as raised:
        read(container({"field": broken}))
    assert "the first is inf in row 4 (the first row is 0), column 'x0_0'" in str(raised.value)
    assert "Remove these rows" in str(raised.value)


def test_no_rows(container):
    with pytest.raises(DataError, match=r"is empty: its shape is \(0, 3\). latax needs at least one row"):
        read(container({"field": np.zeros((0, 3))}))


def test_no_arrays(container):
    with pytest.raises(DataError, match=r"holds no arrays"):
        read(container({}))


def test_no_array_of_numbers(tmp_path):
    np.savez(tmp_path / "a.npz", names=np.array(["a", "b"]), count=np.array(3))
    with pytest.raises(DataError, match=r"no array of numbers .* only: names \(2,\) <U1; count \(\) int64"):
        read(tmp_path / "a.npz")


def test_integers(container):
    small = read(container({"a": np.arange(6, dtype=np.int16).reshape(3, 2)}))
    assert small.X.dtype == np.float32
    counts = read(container({"a": np.arange(6, dtype=np.int32).reshape(3, 2)}))
    assert counts.X.dtype == np.float64
    np.testing.assert_array_equal(counts.X, np.arange(6).reshape(3, 2))


def test_truncated(container):
    path = container({"field": RNG.normal(size=(500, 40))})
    largest = max((file for file in [path, *path.rglob("*")] if file.is_file()), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    with pytest.raises(FileError, match=r"cannot be read as .*damaged, cut short or another kind.*download it again"):
        read(path)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.h5", "a.nc", "a.parquet"])
def test_another_kind_of_file_under_this_name(name, tmp_path):
    path = tmp_path / name
    path.write_text("a,b\n1,2\n" * 100)
    with pytest.raises(FileError, match=r"cannot be read as|is not a NetCDF file: it begins with b'a,b"):
        read(path)


# Reading by blocks of rows


def test_lazy_rows_are_those_of_the_file(lazy_container):
    samples = read(lazy_container({"field": FIELD, "theta": THETA}), context="theta", lazy=True)
    X, whole = samples.X, FIELD.reshape(20, 12)
    assert isinstance(X, LazyRows)
    assert samples.is_lazy
    assert "read by blocks" in samples.origin
    assert (X.shape, X.dtype, X.ndim, len(X), X.nbytes) == ((20, 12), np.float32, 2, 20, 960)
    for rows in (slice(3, 9), slice(None), slice(15, 3, -4), slice(30, 40), slice(-3, None)):
        np.testing.assert_array_equal(X[rows], whole[rows])
    for rows in ([3, 1, 3, 19, -1], [0, 17], [], list(range(19, -1, -1))):
        np.testing.assert_array_equal(X[np.array(rows, int)], whole[np.array(rows, int)])
    np.testing.assert_array_equal(X[THETA > 0], whole[THETA > 0])
    np.testing.assert_array_equal(X[-2], whole[-2])
    np.testing.assert_array_equal(np.asarray(X), whole)
    np.testing.assert_array_equal(samples.context[:, 0], THETA)
    taken = samples.take(np.array([4, 2]))
    assert not taken.is_lazy
    np.testing.assert_array_equal(taken.X, whole[[4, 2]])
    np.testing.assert_array_equal(taken.context[:, 0], THETA[[4, 2]])


def test_lazy_columns(lazy_container):
    table = FIELD.reshape(20, 12)
    samples = read(lazy_container({"table": table}), columns=["x5", "x2"], context="x0", lazy=True)
    assert samples.is_lazy
    np.testing.assert_array_equal(samples.X[4:7], table[4:7, [5, 2]])
    np.testing.assert_array_equal(samples.context, table[:, [0]])


def test_a_few_columns_of_a_large_file_are_read_by_blocks(lazy_container, monkeypatch):
    monkeypatch.setattr("latax.data.samples.BLOCK_BYTES", 100)
    asked = []
    read_rows = LazyRows._read_rows
    monkeypatch.setattr(LazyRows, "_read_rows", lambda self, rows: asked.append(rows) or read_rows(self, rows))
    table = FIELD.reshape(20, 12)
    samples = read(lazy_container({"table": table}), columns=["x5", "x2"], context="x0")
    np.testing.assert_array_equal(samples.X, table[:, [5, 2]])
    np.testing.assert_array_equal(samples.context, table[:, [0]])
    assert asked == [slice(start, start + 2) for start in range(0, 20, 2)] * 2


def test_large_arrays_are_lazy_by_themselves(lazy_container, monkeypatch):
    path = lazy_container({"field": FIELD})
    assert not read(path).is_lazy
    monkeypatch.setattr("latax.data.memory.available_memory", lambda: 2 * FIELD.nbytes - 1)
    assert read(path).is_lazy
    assert not read(path, lazy=False).is_lazy
    monkeypatch.setattr("latax.data.memory.available_memory", lambda: FIELD.nbytes // 2)
    with pytest.raises(DataError, match=r"GiB of memory.*HDF5 or Zarr, which latax reads by blocks"):
        read(path, lazy=False)


def test_lazy_is_not_for_archives(tmp_path):
    write_npz(tmp_path / "a.npz", {"a": FIELD})
    with pytest.raises(ConfigError, match=r"cannot be read by blocks of rows \(lazy=True\). Drop lazy, or convert"):
        read(tmp_path / "a.npz", lazy=True)
