"""Zarr (a folder): one array or named arrays in groups, read by blocks of rows when they are large."""

from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latax.data.arrays import StoredArray, assemble
from latax.data.damage import damage_reported
from latax.data.fields import stored_variables
from latax.data.request import Request
from latax.data.samples import Samples

if TYPE_CHECKING:
    import zarr


def read(path: Path, request: Request) -> Samples:
    """The array `name` ("group/array" inside groups), or the only one, samples along its first axis.

    Folders that xarray wrote are read by xarray: packed values are unpacked and fill values become NaN.
    """
    import zarr

    with damage_reported(path, "Zarr", (OSError, ValueError, KeyError, RuntimeError, TypeError)):
        root = zarr.open(path, mode="r")
        if isinstance(root, zarr.Array):
            request.refuse_name(str(path))
            arrays = {"": _stored(root)}
        else:
            members = sorted(root.members(max_depth=None), key=itemgetter(0))
            found = {name: item for name, item in members if isinstance(item, zarr.Array)}
            arrays = _by_xarray(path) if _is_dataset(found) else {name: _stored(a) for name, a in found.items()}
        return assemble(path, "Zarr", arrays, request, in_blocks=True)


def _is_dataset(arrays: "dict[str, zarr.Array[Any]]") -> bool:
    """Whether xarray wrote the group: every array is at the top and names its dimensions."""
    return bool(arrays) and all(
        "/" not in name and (getattr(a.metadata, "dimension_names", None) or "_ARRAY_DIMENSIONS" in a.attrs)
        for name, a in arrays.items()
    )


def _by_xarray(path: Path) -> dict[str, StoredArray]:
    import xarray

    dataset = xarray.open_dataset(path, engine="zarr", chunks=None, consolidated=False, decode_times=False, cache=False)
    return dict(sorted(stored_variables(dataset).items()))


def _stored(array: "zarr.Array[Any]") -> StoredArray:
    def read_rows(rows: slice | np.ndarray) -> np.ndarray:
        return np.asarray(array[rows] if isinstance(rows, slice) else array.oindex[rows])

    return StoredArray(array.shape, np.dtype(array.dtype), read_rows)
