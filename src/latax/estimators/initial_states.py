"""Initial states: as the user gives them, and as the first states of trajectories."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from latax._errors import DataError
from latax._wording import listed
from latax.data import Samples, row_blocks
from latax.data.coordinates import axes_of
from latax.data.truth import TIMES

#: Places are the same up to this share of an interval: files round.
GRID_SLACK = 0.01


def centred_rows(
    x0: Any, shape: tuple[int, ...], mean: float, *, observed: int | None = None
) -> Float[np.ndarray, "N S"]:
    """Initial states (N, ...) of `shape` as flat rows, less the mean.

    `observed`: how many numbers of each suffice, where NaN is what was not observed; all by default.
    """
    size = math.prod(shape)
    try:
        array = np.asarray(x0, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"The initial states are not numbers: {error}.") from error
    if array.ndim < 1 or (array.shape[1:] not in (shape, (size,)) and not (shape == (1,) and array.ndim == 1)):
        raise DataError(
            f"The initial states have shape {array.shape}; expected (N, {', '.join(map(str, shape))}): one state "
            "of the data in each row. For a single one give x0[None]; of a trajectory, the first state."
        )
    if not len(array):
        raise DataError("There are no initial states. Give at least one.")
    with np.errstate(over="ignore"):  # What single precision cannot hold is as bad as infinite.
        array = (array.reshape(len(array), -1) - mean).astype(np.float32)
    finite = np.isfinite(array)
    if observed is None:
        bad = np.flatnonzero(~finite.all(axis=1))
        wrong = "values that are not finite, the first is in row"
        cure = (
            "Fill them in, leave those states out, or forecast with robust=True, for which NaN is what was not "
            "observed."
        )
    else:
        bad = np.flatnonzero(np.isinf(array).any(axis=1) | (finite.sum(axis=1) < observed))
        wrong = f"infinite values, or fewer than {observed} that were observed, the first in row"
        cure = "A state cannot be found from those: leave them out."
    if len(bad):
        raise DataError(f"{len(bad)} of {len(array)} initial states have {wrong} {bad[0]}. {cure}")
    return array


def check_places(given: tuple[str, ...], fitted: tuple[str, ...], shape: tuple[int, ...]) -> None:
    """Refuses states of `shape` on another grid than the fitted, where the names of both say on which they are.

    `fitted` are those of first states in trajectories, and so begin with a time; `given` may.
    """
    grid, new = _grid(fitted, shape), axes_of(given, shape) or _grid(given, shape)
    if grid is None or new is None:
        return
    if list(new) != list(grid):
        raise DataError(
            f"The states are given over {listed(new)}, and the model was fitted on states over {listed(grid)}. Give "
            "states on the same grid."
        )
    for axis, known in grid.items():
        places = new[axis]
        if (np.abs(places - known) > GRID_SLACK * np.ptp(known) / len(known)).any():
            raise DataError(
                f"The states are at {len(known)} places from {axis} = {places[0]:g} to {places[-1]:g}, and the "
                f"model was fitted on those from {known[0]:g} to {known[-1]:g}. Give states on the same grid."
            )


def _grid(names: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, Float[np.ndarray, " n"]] | None:
    """The axes of states within a trajectory, without the first, which is time, whatever it is called."""
    axes = axes_of(names, (1, *shape))
    return None if axes is None else dict(list(axes.items())[1:])


def refuse_single_states(samples: Samples) -> None:
    """Refuses rows that are the states of one trajectory: their columns are places, or each row has its own time."""
    if samples.times is not None:
        return
    cure = (
        "A forecaster learns from many trajectories (N, T, ...), each a row: bring them together along a new first "
        "axis, with time next."
    )
    if own := [name for name in TIMES if name in samples.truth]:
        raise DataError(f"Each row has a time of its own ('{own[0]}'), so it is one state. {cure}")
    names = samples.feature_names
    if len(samples.sample_shape) > 1 or not all("=" in name for name in names):
        return
    axes = {name.partition("=")[0].rpartition("[")[2] for name in names}  # x of x=0.5, and t of angle[t=0.5]
    if not axes & {"t", *TIMES}:
        raise DataError(f"The columns are {names[0]} to {names[-1]}, so each row is one state. {cure}")


def first_columns(x: Any, size: int) -> Float[np.ndarray, "N S"]:
    """Of rows in memory or in a file, block by block."""
    return np.concatenate([np.asarray(block)[:, :size] for _, block in row_blocks(x)])


class FirstStates:
    """The first states of trajectories, which are read as they are asked for: the whole may not fit into memory."""

    def __init__(self, x: Any, size: int) -> None:
        self._x, self._size = x, size

    def __len__(self) -> int:
        return len(self._x)

    def __getitem__(self, rows: slice) -> Float[np.ndarray, "N S"]:
        return np.asarray(self._x[rows], np.float32)[:, : self._size]
