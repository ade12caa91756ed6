"""The variables of an xarray dataset (NetCDF, Zarr, HDF5 with scales) as stored arrays with named columns.

The samples are along the first dimension, or along the one of `RUNS` where that of time is the first. A later one
called time or times comes next, as for any sequences, wherever the file has it; the columns are named by the
coordinates of all dimensions but that of the samples.
"""

from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from latax.data.arrays import StoredArray
from latax.data.coordinates import names_of
from latax.data.truth import TIMES

if TYPE_CHECKING:
    import xarray

#: Dimensions that count trajectories and not places.
RUNS = (
    *("sample", "samples", "run", "runs", "trajectory", "trajectories", "traj", "realization", "realisation", "member"),
    *("ensemble", "ensemble_member", "batch", "case", "simulation", "experiment", "seed"),
)


def stored_variables(dataset: "xarray.Dataset") -> dict[str, StoredArray]:
    """Every data variable, and the one-dimensional coordinates, which can serve as context."""
    coordinates = {name: array for name, array in dataset.coords.items() if array.ndim == 1}
    return {
        str(name): _stored(array, is_coordinate=name in coordinates)
        for name, array in {**dataset.data_vars, **coordinates}.items()
    }


def _stored(array: "xarray.DataArray", is_coordinate: bool) -> StoredArray:
    dims = _samples_first(array.dims)
    axes = [array.dims.index(dim) for dim in dims]

    def read_rows(rows: slice | np.ndarray) -> np.ndarray:
        return array.isel({dims[0]: rows}).values.transpose(axes)

    shape = tuple(array.sizes[dim] for dim in dims)
    return StoredArray(shape, array.dtype, read_rows, _column_names(array, dims), is_coordinate)


def _samples_first(dims: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """The dimensions with that of the samples first, and then that of time, if there is another."""
    runs = [dim for dim in dims[1:] if str(dim).lower() in RUNS]
    first = runs[:1] if runs and dims[0] in TIMES else dims[:1]
    others = [dim for dim in dims if dim not in first]
    times = [dim for dim in others if dim in TIMES]
    return (*first, *times, *(dim for dim in others if dim not in times))


def _column_names(array: "xarray.DataArray", dims: tuple[Hashable, ...]) -> tuple[str, ...]:
    """The coordinates of every column: text as it is, numbers as `depth=10`, of several dimensions `time=0 depth=10`;
    none if one is not known, or if they are not unique."""
    if len(dims) < 2 or any(dim not in array.coords for dim in dims[1:]):
        return ()
    names = names_of({str(dim): array.coords[dim].values for dim in dims[1:]})
    return names if len(set(names)) == len(names) else ()
