"""Location and scale of data, found block by block, so that a file larger than memory can be standardised."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from latax.data import LazyRows, row_blocks


class Scaling(NamedTuple):
    """Mean and standard deviation of every column; the scale of a constant column is 1."""

    loc: Float[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    constant: Bool[np.ndarray, " d"]

    def centre(self, X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        """X - loc in float32. The difference is taken in float64: large offsets cost no digits."""
        return (X.astype(np.float64) - self.loc).astype(np.float32)

    def restore(self, centred: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        """centred + loc in float64."""
        return centred.astype(np.float64) + self.loc

    def standardise(self, X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        """(X - loc) / scale in float32."""
        return ((X.astype(np.float64) - self.loc) / self.scale).astype(np.float32)


def identity_scaling(size: int) -> Scaling:
    """The scaling that changes nothing."""
    return Scaling(np.zeros(size), np.ones(size), np.zeros(size, bool))


def measure(X: Float[np.ndarray, "N d"] | LazyRows) -> Scaling:
    """The scaling of X, in two passes over its rows (mean, then squares about the mean), in float64."""
    rows = X.shape[0]
    loc = sum(block.astype(np.float64).sum(axis=0) for _, block in row_blocks(X)) / rows
    squares = sum(((block.astype(np.float64) - loc) ** 2).sum(axis=0) for _, block in row_blocks(X))
    scale = np.sqrt(squares / rows)
    # A column of equal numbers has a spread of rounding errors only.
    constant = scale <= 4 * np.finfo(np.float64).eps * np.abs(loc)
    return Scaling(np.asarray(loc), np.where(constant, 1.0, scale), constant)
