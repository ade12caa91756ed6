"""HDF5 files with one group for each sample, as PDEBench's two-dimensional sets have: `0000/data`, `0001/data`, ..."""

from collections.abc import Mapping

import numpy as np

from latax.data.arrays import StoredArray

#: Where the axes of each sample are said, in every group the same: they are not stacked.
GRID = "grid/"


def stacked_groups(arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """The arrays of one name in all groups as one, along a new first axis, in the order of the groups' names.

    Unchanged unless there are two groups or more, each has the same names, and arrays of one name are alike in shape
    and type, and no single numbers.
    """
    split = [name.partition("/") for name in arrays]
    groups = sorted({group for group, _, rest in split if rest})
    names = sorted({rest for _, _, rest in split if rest})
    if len(groups) < 2 or len(arrays) != len(groups) * len(names):
        return dict(arrays)
    stacked: dict[str, StoredArray] = {}
    for name in names:
        parts = [arrays.get(f"{group}/{name}") for group in groups]
        found = [part for part in parts if part is not None]
        first = found[0]
        if (
            len(found) < len(parts)
            or not first.shape
            or any((p.shape, p.dtype) != (first.shape, first.dtype) for p in found)
        ):
            return dict(arrays)
        stacked[name] = first if name.startswith(GRID) else _stacked(found)
    return stacked


def _stacked(parts: list[StoredArray]) -> StoredArray:
    first = parts[0]

    def read_rows(rows: slice | np.ndarray) -> np.ndarray:
        numbers = np.arange(len(parts))[rows]
        return np.stack([np.asarray(parts[number].read(slice(0, first.shape[0]))) for number in numbers])

    return StoredArray((len(parts), *first.shape), first.dtype, read_rows)
