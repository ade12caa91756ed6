"""Location and scale of data, found block by block, so that a file larger than memory can be standardised."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from latax._errors import DataError
from latax.data import LazyRows, row_blocks


class Scaling(NamedTuple):
    """Mean and standard deviation of every column; the scale of a constant column is 1."""

    loc: Float[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    constant: Bool[np.ndarray, " d"]

    def centre(self, X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        """X - loc in float32. The difference is taken in float64: large offsets cost no digits."""
        return _in_single(X, lambda rows: rows - self.loc)

    def restore(self, centred: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        """centred + loc in float64; a constant column is exactly its constant."""
        return np.where(self.constant, self.loc, centred.astype(np.float64) + self.loc)

    def standardise(self, X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        """(X - loc) / scale in float32."""
        return _in_single(X, lambda rows: (rows - self.loc) / self.scale)


def _in_single(
    X: Float[np.ndarray, "N d"], change: Callable[[Float[np.ndarray, "rows d"]], Float[np.ndarray, "rows d"]]
) -> Float[np.ndarray, "N d"]:
    """What becomes of the rows in float64, as float32: block by block, so that nothing of twice the size is held."""
    made = np.empty(X.shape, np.float32)
    for start, block in row_blocks(X):
        made[start : start + len(block)] = change(np.asarray(block, np.float64))
    return made


def identity_scaling(size: int) -> Scaling:
    """The scaling that changes nothing."""
    return Scaling(np.zeros(size), np.ones(size), np.zeros(size, bool))


def measure(X: Float[np.ndarray, "N d"] | LazyRows) -> Scaling:
    """The scaling of X, in two passes over its rows (mean, then squares about the mean), in float64.

    Sums are of differences to the first row, so that a constant column has a spread of zero however many rows it has.
    """
    rows = X.shape[0]
    first = X[:1].astype(np.float64)
    loc = first[0] + sum((block - first).sum(axis=0) for _, block in row_blocks(X)) / rows
    squares = sum(((block - loc[None]) ** 2).sum(axis=0) for _, block in row_blocks(X))
    scale = np.sqrt(squares / rows)
    # Numbers that were equal before a rounding still count as equal.
    constant = scale <= 4 * np.finfo(np.float64).eps * np.abs(loc)
    return Scaling(np.asarray(loc), np.where(constant, 1.0, scale), constant)


def refuse_equal_rows(scaling: Scaling) -> None:
    """Raises `DataError` if no column varies."""
    if scaling.constant.all():
        raise DataError("All rows are equal: there is nothing to learn. Give data that vary.")


class CentredRows:
    """Rows of data on disk, all or some, centred as they are read: an array-like with `shape`, `dtype` and slicing."""

    def __init__(
        self, X: Float[np.ndarray, "N d"] | LazyRows, scaling: Scaling, rows: Int[np.ndarray, " rows"] | None = None
    ) -> None:
        self._X, self._scaling, self._rows = X, scaling, rows
        self.shape = (X.shape[0] if rows is None else len(rows), X.shape[1])
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice) -> Float[np.ndarray, "rows d"]:
        return self._scaling.centre(self._X[index if self._rows is None else self._rows[index]])
