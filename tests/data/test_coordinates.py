"""Names of columns that say where they are, and back."""

import numpy as np
import pytest
import xarray

from latax.data import Samples, burgers, read, write
from latax.data.coordinates import axes_of, names_of
from latax.data.series import at_times


def test_names_and_back():
    axes = {"t": np.linspace(0, 1, 7), "x": np.array([0.0, 0.125, 0.25]), "y": np.array([-1, 3])}
    names = names_of(axes)
    assert names[:2] == ("t=0 x=0 y=-1", "t=0 x=0 y=3")
    again = axes_of(names, (7, 3, 2))
    assert list(again) == ["t", "x", "y"]
    for name, values in axes.items():
        np.testing.assert_allclose(again[name], values, atol=1e-6)


def test_as_many_digits_as_tell_places_apart():
    near = 1 + 1e-8 * np.arange(3)
    np.testing.assert_allclose(axes_of(names_of({"x": near}), (3,))["x"], near, atol=1e-11, rtol=0)
    assert names_of({"x": np.array([0, 1 / 3])}) == ("x=0", "x=0.333333")


@pytest.mark.parametrize(
    ("names", "shape"),
    [
        (("x0", "x1"), (2,)),
        (("x=0", "y=1"), (2,)),
        (("x=a", "x=b"), (2,)),
        (("t=0 x=0", "t=0 x=1", "t=1 x=0", "t=1 x=2"), (2, 2)),  # no grid
        (("t=0 x=0", "t=0 x=1", "t=1 x=0", "t=1 x=1"), (4,)),
        (("t=0 t=0", "t=0 t=1", "t=1 t=0", "t=1 t=1"), (2, 2)),
    ],
)
def test_names_that_say_no_coordinates(names, shape):
    assert axes_of(names, shape) is None


def test_netcdf_keeps_the_coordinates_of_fields(tmp_path):
    fields = burgers.make(3, 0, times=4, nodes=9)
    path = write(fields, tmp_path / "a.nc")
    with xarray.open_dataset(path, engine="h5netcdf") as written:
        assert written["field"].dims == ("sample", "t", "x")
        np.testing.assert_array_equal(written["t"], fields.times)
        np.testing.assert_allclose(written["x"], np.linspace(0, 1, 9))
    again = read(path)
    assert again.feature_names == fields.feature_names
    np.testing.assert_array_equal(again.X, fields.X)
    np.testing.assert_array_equal(again.times, fields.times)


def test_fields_at_other_times_keep_their_places():
    fields = burgers.make(2, 0, times=3, nodes=8)
    later = at_times(fields, np.array([0.1, 2.0]), np.zeros((2, 2, 8)))
    assert later.feature_names == names_of({"t": np.array([0.1, 2.0]), "x": np.linspace(0, 1, 8)})


def test_runs_come_first_even_after_time(tmp_path):
    """Many files have time as their first dimension; what counts trajectories then is told by its name."""
    values = np.arange(24.0).reshape(3, 2, 4)
    coords = {"time": [0.0, 0.5, 2.0], "x": [0.0, 0.25, 0.5, 0.75]}
    for run in ("run", "Trajectory"):
        fields = xarray.DataArray(values, dims=("time", run, "x"), coords=coords)
        fields.to_dataset(name="u").to_netcdf(tmp_path / f"{run}.nc", engine="h5netcdf")
        samples = read(tmp_path / f"{run}.nc")
        assert samples.sample_shape == (3, 4)
        np.testing.assert_array_equal(samples.X.reshape(2, 3, 4), values.swapaxes(0, 1))
        np.testing.assert_array_equal(samples.times, coords["time"])


def test_rows_with_times_of_their_own(tmp_path):
    """The states of a single trajectory."""
    np.savez(tmp_path / "a.npz", u=np.ones((5, 4)), t=np.arange(5.0))
    samples = read(tmp_path / "a.npz")
    assert samples.times is None
    np.testing.assert_array_equal(samples.truth["t"], np.arange(5.0))
    assert "t" not in read(tmp_path / "a.npz", context="t").truth
    write(Samples(np.ones((5, 4)), truth=samples.truth), tmp_path / "b.npz")
    np.testing.assert_array_equal(read(tmp_path / "b.npz").truth["t"], np.arange(5.0))


def test_hdf5_with_scales(tmp_path):
    """Dimensions that are named by others, as h5py and NetCDF write them."""
    import h5py

    axes = (("run", [0, 1]), ("x", [0, 0.5, 1, 2]), ("time", [0, 1, 4.0]))
    for first in (0, 1):  # All dimensions have one, or only some: those are left as they are.
        with h5py.File(tmp_path / f"{first}.h5", "w") as file:
            file["u"] = np.arange(24.0).reshape(2, 4, 3)
            for axis, (name, values) in list(enumerate(axes))[first:]:
                file[name] = np.asarray(values)
                file[name].make_scale(name)
                file["u"].dims[axis].attach_scale(file[name])
    assert read(tmp_path / "1.h5").sample_shape == (4, 3)
    samples = read(tmp_path / "0.h5")
    assert samples.sample_shape == (3, 4)
    np.testing.assert_array_equal(samples.times, [0, 1, 4])
    assert samples.feature_names[1] == "time=0 x=0.5"
    np.testing.assert_array_equal(samples.X[0].reshape(3, 4), np.arange(12.0).reshape(4, 3).T)
