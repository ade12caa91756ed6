"""Rows that stay in their file until they are asked for, so that data may be larger than memory."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from latax._errors import DataError
from latax.data.damage import damage_reported
from latax.data.numeric import as_float, float_dtype

RowReader = Callable[[slice | np.ndarray], np.ndarray]

# Asking HDF5 for scattered rows one by one is slower than reading the stretch that contains them, up to about here.
_DENSE_STRETCH = 4
#: And no more at once than this.
_STRETCH_BYTES = 2**26


class LazyRows:
    """An (N, d) array of floats whose rows are read from a file as they are indexed; each sample is flattened.

    Supports `shape`, `dtype`, `ndim`, `len`, and indexing by a row number, a slice, an integer array in any order
    (repeats allowed) or a boolean mask; the result is a NumPy array in native floating point. `numpy.asarray(rows)`
    reads everything.

    **Arguments:**

    - `read`: given a slice of step one or a strictly increasing array of row numbers, returns those rows.
    - `shape`: of the stored array, samples along its first axis; `dtype`: its stored type.
    - `what`: names the array in messages.
    - `columns`: which of the flattened columns to keep, in this order; all when None.
    """

    def __init__(
        self,
        read: RowReader,
        shape: tuple[int, ...],
        dtype: np.dtype,
        what: str,
        columns: Int[np.ndarray, " d"] | None = None,
    ):
        size = math.prod(shape[1:])
        self._read, self._what, self._columns = read, what, columns
        self._stored_size = size
        self.row_nbytes: int = size * dtype.itemsize  # What reading one row costs, whatever columns are kept.
        self.shape: tuple[int, int] = (shape[0], size if columns is None else len(columns))
        self.dtype = float_dtype(dtype, what)

    @property
    def ndim(self) -> int:
        """Always 2: samples are flattened."""
        return 2

    @property
    def nbytes(self) -> int:
        """The memory that all rows would take."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"LazyRows({self._what}, shape={self.shape}, dtype={self.dtype})"

    def __getitem__(self, rows: Any) -> Float[np.ndarray, "..."]:
        if isinstance(rows, int | np.integer):
            return self[np.array([self._in_range(int(rows))])][0]
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self._flat(self._read_rows(slice(start, max(start, stop))))
            return self[np.arange(start, stop, step)]
        index = np.asarray(rows)
        if index.dtype == bool:
            if index.shape != (len(self),):
                raise DataError(f"a mask of shape {index.shape} cannot choose among {len(self)} rows of {self._what}.")
            index = np.flatnonzero(index)
        if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
            raise DataError(f"rows of {self._what} are chosen by integers, a slice or a mask, not by {rows!r}.")
        return self._scattered(index.astype(np.int64))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype)

    def _in_range(self, row: int) -> int:
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {self._what}, which has {len(self)} rows")
        return row % len(self)

    def _scattered(self, index: Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows d"]:
        if index.size == 0:
            return np.empty((0, self.shape[1]), self.dtype)
        if index.min() < -len(self) or index.max() >= len(self):
            worst = int(index.max() if index.max() >= len(self) else index.min())
            raise IndexError(f"row {worst} of {self._what}, which has {len(self)} rows")
        unique, position = np.unique(index % len(self), return_inverse=True)
        first, last = int(unique[0]), int(unique[-1])
        if last - first < _DENSE_STRETCH * len(unique):
            return self._stretches(unique)[position]
        return self._flat(self._read_rows(unique))[position]

    def _stretches(self, unique: Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows d"]:
        """Increasing rows by stretches with those between, of which a few are in memory at a time."""
        size = max(1, _STRETCH_BYTES // max(1, self.row_nbytes))
        starts = np.arange(unique[0], unique[-1] + 1, size)
        parts = []
        for some in np.split(unique, np.searchsorted(unique, starts[1:])):
            if some.size:
                first = int(some[0])
                parts.append(self._flat(self._read_rows(slice(first, int(some[-1]) + 1))[some - first]))
        return np.concatenate(parts)

    def _read_rows(self, rows: slice | Int[np.ndarray, " rows"]) -> Shaped[np.ndarray, "rows *sample"]:
        wanted = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        with damage_reported(self._what, "an array", (OSError, RuntimeError)):
            block = np.asarray(self._read(rows))
        if block.shape[0] != wanted:
            raise DataError(
                f"{self._what} gave {block.shape[0]} rows where {wanted} were asked for: "
                "was the file changed or cut short while it was being read?"
            )
        return block

    def _flat(self, block: Shaped[np.ndarray, "rows *sample"]) -> Float[np.ndarray, "rows d"]:
        flat = block.reshape(block.shape[0], self._stored_size)
        return as_float(flat if self._columns is None else flat[:, self._columns], self._what)
