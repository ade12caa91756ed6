"""The variables of an xarray dataset (NetCDF, Zarr) as stored arrays with named columns."""

from typing import TYPE_CHECKING

import numpy as np

from latax.data.arrays import StoredArray

if TYPE_CHECKING:
    import xarray


def stored_variables(dataset: "xarray.Dataset") -> dict[str, StoredArray]:
    """Every data variable, and the one-dimensional coordinates, which can serve as context."""
    coordinates = {name: array for name, array in dataset.coords.items() if array.ndim == 1}
    return {
        str(name): _stored(array, is_coordinate=name in coordinates)
        for name, array in {**dataset.data_vars, **coordinates}.items()
    }


def _stored(array: "xarray.DataArray", is_coordinate: bool) -> StoredArray:
    def read_rows(rows: slice | np.ndarray) -> np.ndarray:
        return array.isel({array.dims[0]: rows}).values

    return StoredArray(array.shape, array.dtype, read_rows, _column_names(array), is_coordinate)


def _column_names(array: "xarray.DataArray") -> tuple[str, ...]:
    """The labels of the second dimension of a table: text as it is, numbers as `depth=10`; none if not unique."""
    if array.ndim != 2 or array.dims[1] not in array.coords:
        return ()
    values = array.coords[array.dims[1]].values
    names = tuple(str(v) if values.dtype.kind in "OUS" else f"{array.dims[1]}={v}" for v in values)
    return names if len(set(names)) == len(names) else ()
