"""Arrays beside the data in a file that have a meaning of their own: the times of a sequence, and what is true of it.

In .npz and NetCDF, as in any file with named arrays, `times` (or a coordinate `time`, or another of `TIMES`) holds one
time per entry of the data's second axis, and an array whose name begins with `truth.` one known value, or array of
values, per sample. Times that fit the first axis and not the second are those of the rows, and truth.
"""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from jaxtyping import Float

PREFIX = "truth."
#: PDEBench's name for the times, of which its files have one more than states.
PDEBENCH = "t-coordinate"
#: Names of the times of a sequence: ours and xarray's, The Well's, PDEBench's, and that of formulas.
TIMES = ("times", "time", "dimensions/time", PDEBENCH, "grid/t", "t")

T = TypeVar("T")


def split_truth(arrays: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """The arrays that are data or context, and those that are truth, the latter by their names without the prefix."""
    data = {name: array for name, array in arrays.items() if not name.startswith(PREFIX)}
    truth = {name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)}
    return data, truth


def with_prefix(truth: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The names under which these are written."""
    return {PREFIX + name: array for name, array in truth.items()}


def are_times(name: str, shape: tuple[int, ...], data_shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape, by one of the names of `TIMES`, can be those of sequences (N, T, ...)."""
    more = (0, 1) if name == PDEBENCH else (0,)
    return len(shape) == 1 and len(data_shape) > 1 and shape[0] - data_shape[1] in more


def kept_times(
    times: Float[np.ndarray, " T"] | None, columns: list[int], sample_shape: tuple[int, ...]
) -> Float[np.ndarray, " _"] | None:
    """The times of what is left of a sequence of which only these columns are kept; None if that is no sequence."""
    if times is None or len(sample_shape) > 1:
        return None
    return times[np.asarray(columns)]
