"""Sequences as users bring them: their times, and what cannot be learnt from."""

import math
import re
from typing import Any

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.data.coordinates import axes_of
from latax.data.series import stems
from latax.physics.grid import Grid

_TIME = re.compile(r"^(?:[^\[]*\[)?t=([^\]]*)\]?$")


def times_of(samples: Samples, dt: float | None) -> Float[np.ndarray, " T"]:
    """The times of the sequences: those that came with the data, else equal steps of `dt` from 0 on, else the names of
    the columns where these are times (0.05, t=0.05, or x[t=0.05]).

    Names that only count the columns (0, 1, 2, ... or 1, 2, 3, ...) may be times or not, and are not taken for such.
    Raises `ConfigError` where there are neither or both, and `DataError` for times that do not increase.
    """
    count = samples.sample_shape[0]
    if samples.times is None and dt is None and (named := named_times(samples.feature_names)) is not None:
        return increasing(named)
    if samples.times is None and dt is None and _only_count(samples.feature_names):
        first, last = samples.feature_names[0], samples.feature_names[-1]
        raise ConfigError(
            f"The columns are named {first} to {last}, which may be times or mere numbers of columns. Give dt=1 if "
            "they are times one apart, and else dt=..., the time from one entry to the next."
        )
    if samples.times is None and dt is None:
        raise ConfigError(
            f"The data are sequences of {count} entries, but their times are not known. Give dt=..., the time from one "
            "entry to the next, column names that are times, or Samples with times."
        )
    if samples.times is not None and dt is not None:
        raise ConfigError(f"dt={dt} was given, but the data have times of their own. Leave dt out.")
    if count < 2:
        raise DataError(f"The sequences have {count} entry (n_features = {count}); expected at least two, in time.")
    times = np.arange(count) * float(dt or 0) if samples.times is None else np.asarray(samples.times, float)
    return increasing(times)


def _only_count(names: tuple[str, ...]) -> bool:
    """Whether these are 0, 1, 2, ... or 1, 2, 3, ..., as tables without names get them from pandas and spreadsheets."""
    return any(names == tuple(str(i) for i in range(start, start + len(names))) for start in (0, 1))


def named_times(names: tuple[str, ...]) -> list[float] | None:
    """Names of columns as times, where they are such and do not only count the columns."""
    if _only_count(names):
        return None
    try:
        return [float(_TIME.sub(r"\1", name)) for name in names]
    except ValueError:
        return None


def increasing(times: Any) -> Float[np.ndarray, " T"]:
    """The times as an array. Raises `DataError` unless they are at least two finite numbers that increase."""
    try:
        array = np.asarray(times, float)
    except (TypeError, ValueError) as error:
        raise DataError(f"The times are not numbers: {error}.") from error
    if array.ndim != 1 or len(array) < 2 or not np.isfinite(array).all():
        raise DataError(f"The times have shape {array.shape}; expected at least two finite numbers in one row.")
    steps = np.diff(array)
    if (steps <= 0).any():
        first = int(np.argmax(steps <= 0))
        raise DataError(
            f"The times do not increase: entry {first + 1} is {array[first + 1]:g}, after {array[first]:g}. Sort the "
            "sequences by time, and leave out what is there twice."
        )
    return array


def check_shape(samples: Samples, wanted: tuple[int, ...]) -> None:
    """Raises `DataError` unless each sample is (T, *wanted), whose last axis may be missing where it is one long."""
    found = samples.sample_shape
    if found[1:] == wanted or (wanted[-1:] == (1,) and found[1:] == wanted[:-1]):
        return
    inner = ", ".join(map(str, wanted))
    cure = "Bring time to the first axis, and leave out what it does not observe."
    if math.prod(found[1:]) == math.prod(wanted):
        cure = f"These are as many numbers: if they are in this order, reshape the data to (N, {found[0]}, {inner})."
    raise DataError(
        f"Each sample has shape {found}; the physics observes {wanted} at each time, so expected (T, {inner}). {cure}"
    )


def check_order(samples: Samples, observed: tuple[str, ...]) -> None:
    """Raises `DataError` where the data have a name of what the physics observes in another place than the physics."""
    found = stems(samples.feature_names, samples.sample_shape)
    for place, (given, wanted) in enumerate(zip(found, observed, strict=False)):
        if given != wanted and given in observed:
            raise DataError(
                f"The data have {', '.join(found)} at each time, and the physics observes {', '.join(observed)}: "
                f"number {place} (the first is 0) is {given} here and {wanted} there. Give both in the same order."
            )


def check_grid(samples: Samples, grid: Grid) -> None:
    """Raises `DataError` where the columns of the data say that they are on other nodes than the physics."""
    axes = axes_of(samples.feature_names, samples.sample_shape) or {}
    places = [name for name in list(axes)[1:] if name in grid.names]
    wanted = [name for name in grid.names if name in places]
    if places != wanted:
        raise DataError(
            f"The data have the axes {', '.join(list(axes)[1:])} after the time, and the grid of the physics has "
            f"{', '.join(grid.names)}. Transpose the data, or make the grid in their order."
        )
    for name in places:
        given, nodes = axes[name], grid.coordinates(name)
        if len(given) != len(nodes) or np.abs(given - nodes).max() > 1e-3 * grid.spacing(name):
            raise DataError(
                f"The data are at {name} from {given[0]:g} to {given[-1]:g} ({len(given)} places), and the grid of the "
                f"physics is from {nodes[0]:g} to {nodes[-1]:g} ({len(nodes)} nodes, {grid.spacing(name):g} apart). "
                "Make the grid where the data are."
            )
