"""What only NetCDF, Zarr and HDF5 have: named dimensions, packing, groups."""

import h5py
import numpy as np
import pytest
import xarray
import zarr

from latax._errors import ConfigError, DataError
from latax.data import read

TABLE = np.arange(12.0).reshape(4, 3)


@pytest.fixture(params=["h5netcdf", "scipy", "zarr"])
def save(request, tmp_path):
    def saved(dataset, **options):
        number = len(list(tmp_path.iterdir()))  # Lazy data keep their file open.
        if request.param == "zarr":
            dataset.to_zarr(tmp_path / f"{number}.zarr", mode="w", consolidated=False, zarr_format=2, **options)
            return tmp_path / f"{number}.zarr"
        dataset.to_netcdf(tmp_path / f"{number}.nc", engine=request.param, **options)
        return tmp_path / f"{number}.nc"

    return saved


def test_columns_are_named_by_their_coordinate(save):
    depth = xarray.DataArray(TABLE, dims=("time", "depth"), coords={"depth": [5.0, 10.0, 20.0]})
    assert read(save(depth.to_dataset(name="t"))).feature_names == ("depth=5", "depth=10", "depth=20")
    channel = xarray.DataArray(TABLE, dims=("time", "channel"), coords={"channel": ["a", "b", "c"]})
    assert read(save(channel.to_dataset(name="t")), columns=["c", "a"]).X[1].tolist() == [5.0, 3.0]


def test_fields_keep_their_coordinates_and_time_comes_first(save):
    """Wherever the file has the dimension of time, and even if there are as many places as times."""
    values = np.arange(24.0).reshape(2, 3, 4)
    coords = {"time": [0.0, 0.5, 2.0], "x": [0.0, 0.25, 0.5, 0.75]}
    fields = xarray.DataArray(values, dims=("run", "time", "x"), coords=coords)
    for given in (fields, fields.transpose("run", "x", "time")):
        path = save(given.to_dataset(name="u"))
        for lazy in (False, True):
            samples = read(path, lazy=lazy)
            assert samples.sample_shape == (3, 4)
            np.testing.assert_array_equal(samples.X[:], values.reshape(2, 12))
            np.testing.assert_array_equal(samples.times, [0.0, 0.5, 2.0])
            assert samples.feature_names[:2] == ("time=0 x=0", "time=0 x=0.25")
            assert samples.feature_names[-1] == "time=2 x=0.75"
    square = xarray.DataArray(values[:, :, :3].swapaxes(1, 2), dims=("run", "x", "time"), coords={"time": [0, 1, 2.0]})
    samples = read(save(square.to_dataset(name="u")))
    np.testing.assert_array_equal(samples.X, values[:, :, :3].reshape(2, 9))
    assert samples.feature_names[0] == "x0_0"  # Not all coordinates are known.


def test_coordinates_are_context_and_not_data(save):
    series = xarray.DataArray(TABLE[:, 0], dims="time", coords={"time": [0.0, 0.5, 1.0, 1.5]}).to_dataset(name="height")
    samples = read(save(series), context="time")
    np.testing.assert_array_equal(samples.X[:, 0], TABLE[:, 0])
    np.testing.assert_array_equal(samples.context[:, 0], [0.0, 0.5, 1.0, 1.5])


def test_packed_values_are_unpacked_and_gaps_reported(save):
    values = np.array([[0.5, 1.0], [1.5, 2.0]])
    encoding = {"t": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -9999}}
    path = save(xarray.Dataset({"t": (("time", "x"), values)}), encoding=encoding)
    np.testing.assert_allclose(read(path).X, values)
    np.testing.assert_allclose(read(path, lazy=True).X[:], values)
    values[1, 0] = np.nan
    with pytest.raises(DataError, match=r"1 value NaN or missing and 0 infinite, in 1 of 2 rows"):
        read(save(xarray.Dataset({"t": (("time", "x"), values)}), encoding=encoding))


def test_times_stay_numbers(save):
    time = np.array(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"], "datetime64[ns]")
    dataset = xarray.Dataset({"t": (("time", "x"), TABLE)}, coords={"time": time})
    samples = read(save(dataset, encoding={"time": {"units": "days since 2020-01-01"}}), context="time")
    np.testing.assert_array_equal(samples.context[:, 0], [0, 1, 2, 3])


def test_groups_of_hdf5(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["t0_fields/density"] = TABLE
        file["scalars/theta"] = np.arange(4.0)
        file["note"] = "text"
        file["nothing"] = h5py.Empty("f")
    samples = read(tmp_path / "a.hdf5", name="t0_fields/density", context="scalars/theta")
    np.testing.assert_array_equal(samples.X, TABLE)
    assert samples.context_names == ("scalars/theta",)
    with pytest.raises(ConfigError, match=r"Did you mean 't0_fields/density'\? It holds: .*theta \(4,\) float64"):
        read(tmp_path / "a.hdf5", name="fields/density")


def test_a_group_for_each_sample(tmp_path):
    """As in PDEBench's two-dimensional sets."""
    values = np.random.default_rng(0).normal(size=(12, 3, 4, 5)).astype(np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number, one in enumerate(values):
            file[f"{number:04}/data"] = one
            for axis, size in (("t", 3), ("x", 4), ("y", 5)):
                file[f"{number:04}/grid/{axis}"] = np.arange(size) / size
    for lazy in (False, True):
        samples = read(tmp_path / "a.h5", lazy=lazy)
        assert samples.sample_shape == (3, 4, 5)
        np.testing.assert_array_equal(samples.X[:], values.reshape(12, -1))
        np.testing.assert_array_equal(samples.X[np.array([2, 7])], values[[2, 7]].reshape(2, -1))
        np.testing.assert_allclose(samples.times, np.arange(3) / 3)
    with h5py.File(tmp_path / "b.h5", "w") as file:  # of different shapes
        file["a/data"], file["b/data"] = values[0], values[0, :2]
    with pytest.raises(ConfigError, match=r"several arrays: a/data .*; b/data"):
        read(tmp_path / "b.h5")


def test_big_integers_of_a_lazy_file_are_found_when_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ids"] = np.array([[1], [2**60]])
    samples = read(tmp_path / "a.h5", lazy=True)
    assert samples.X[:1].dtype == np.float64
    with pytest.raises(DataError, match=r"array 'ids' of .* holds integers too big"):
        samples.X[:]


def test_a_single_zarr_array_under_any_name(tmp_path):
    zarr.save_array(tmp_path / "store", TABLE)
    for lazy in (True, False):
        np.testing.assert_array_equal(read(tmp_path / "store", lazy=lazy).X[:], TABLE)
    with pytest.raises(ConfigError, match=r"single array or table, so name='a' has no meaning"):
        read(tmp_path / "store", name="a")


def test_groups_of_zarr(tmp_path):
    root = zarr.open_group(tmp_path / "a.zarr", mode="w")
    root.create_group("fields").create_array("u", data=TABLE)
    root.create_array("theta", data=np.arange(4.0))
    np.testing.assert_array_equal(read(tmp_path / "a.zarr", name="fields/u", context="theta").X, TABLE)
    assert read(tmp_path / "a.zarr").sample_shape == (3,)
