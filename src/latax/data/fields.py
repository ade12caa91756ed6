"""The variables of an xarray dataset (NetCDF, Zarr) as stored arrays with named columns.

The samples are along the first dimension. A later one called time or times comes next, as for any sequences, wherever
the file has it; the columns are named by the coordinates of all dimensions but the first.
"""

import itertools
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from latax.data.arrays import StoredArray
from latax.data.truth import TIMES

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
    dims = _time_second(array.dims)
    axes = [array.dims.index(dim) for dim in dims]

    def read_rows(rows: slice | np.ndarray) -> np.ndarray:
        return array.isel({dims[0]: rows}).values.transpose(axes)

    shape = tuple(array.sizes[dim] for dim in dims)
    return StoredArray(shape, array.dtype, read_rows, _column_names(array, dims), is_coordinate)


def _time_second(dims: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """The dimensions with that of time after the first, if it is a later one."""
    times = [dim for dim in dims[1:] if dim in TIMES]
    return (*dims[:1], *times, *(dim for dim in dims[1:] if dim not in times))


def _column_names(array: "xarray.DataArray", dims: tuple[Hashable, ...]) -> tuple[str, ...]:
    """The coordinates of every column: text as it is, numbers as `depth=10`, of several dimensions `time=0 depth=10`;
    none if one is not known, or if they are not unique."""
    labels = [_labels(array, dim) for dim in dims[1:]]
    names = tuple(" ".join(parts) for parts in itertools.product(*labels)) if labels and all(labels) else ()
    return names if len(set(names)) == len(names) else ()


def _labels(array: "xarray.DataArray", dim: Hashable) -> list[str]:
    if dim not in array.coords:
        return []
    values = array.coords[dim].values
    return [str(v) if values.dtype.kind in "OUS" else f"{dim}={v}" for v in values]
