"""HDF5: named arrays in groups, read by blocks of rows when they are large."""

from pathlib import Path
from typing import TYPE_CHECKING

from latax.data.arrays import StoredArray, assemble
from latax.data.damage import damage_reported
from latax.data.fields import stored_variables
from latax.data.readers.hdf5_groups import stacked_groups
from latax.data.request import Request
from latax.data.samples import Samples

if TYPE_CHECKING:
    import h5py


def read(path: Path, request: Request) -> Samples:
    """The array `name` ("group/array" inside groups), or the only one, samples along its first axis.

    Files whose dimensions have scales, as NetCDF's have, are read by xarray: coordinates name the columns. Where there
    is one group for each sample, these are stacked.
    """
    import h5py

    with damage_reported(path, "HDF5", (OSError, KeyError, RuntimeError)):
        file = h5py.File(path, "r")  # Stays open as long as an array of it is in use.
        arrays: dict[str, StoredArray] = {}
        if _has_scales(file):
            return assemble(path, "HDF5", _by_xarray(path), request, in_blocks=True)

        def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Dataset) and item.shape is not None:
                arrays[name] = StoredArray(item.shape, item.dtype, item.__getitem__)

        file.visititems(note)
        return assemble(path, "HDF5", stacked_groups(arrays), request, in_blocks=True)


def _has_scales(file: "h5py.File") -> bool:
    """Whether all arrays are at the top, and all dimensions of some are named by others: xarray takes no halves."""
    import h5py

    items = list(file.values())
    flat = all(isinstance(item, h5py.Dataset) and item.shape is not None for item in items)
    if not flat:
        return False
    scaled = [[len(dim) > 0 for dim in item.dims] for item in items if not item.is_scale]
    return any(map(any, scaled)) and all(all(dims) or not any(dims) for dims in scaled)


def _by_xarray(path: Path) -> dict[str, StoredArray]:
    import xarray

    options = {"decode_times": False, "cache": False, "phony_dims": "access"}
    return stored_variables(xarray.open_dataset(path, engine="h5netcdf", **options))
