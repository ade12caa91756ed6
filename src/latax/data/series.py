"""Sequences from a table with one row for each time of each sequence (the long form)."""

import numpy as np

from latax._errors import ConfigError, DataError
from latax.data.samples import Samples
from latax.data.wording import listed

#: Times of different sequences may differ by this much of a time step: files round.
_SLACK = 1e-3


def fold(table: Samples, series: str, time: str) -> Samples:
    """The table as sequences: X (N, T * S), `sample_shape` (T,) or (T, S), with `times`, in the order of their numbers.

    `series` and `time` name the columns that tell to which sequence, and to which time, a row belongs; the S others are
    what was observed. Raises `ConfigError` where there is no such column, and `DataError` where the times of a sequence
    do not increase down the table, or are not those of the first one.
    """
    names = list(table.feature_names)
    for name in (series, time):
        if name not in names:
            raise ConfigError(f"{table.origin} has no column '{name}'; there are {listed(names)}.")
    observed = [i for i, name in enumerate(names) if name not in (series, time)]
    if not observed or series == time:
        raise ConfigError(f"{table.origin} has no column left to observe, besides '{series}' and '{time}'.")
    X = np.asarray(table.X, float)
    numbers, at = X[:, names.index(series)], X[:, names.index(time)]
    ids = np.unique(numbers[np.isfinite(numbers)])
    rows = [np.flatnonzero(numbers == i) for i in ids]
    if not rows or not np.isfinite(numbers).all():
        raise DataError(f"column '{series}' of {table.origin} has gaps: every row needs the number of its sequence.")
    times = at[rows[0]]
    for number, some in zip(ids, rows, strict=True):
        _check(f"sequence {number:g} of {table.origin}", at[some], times)
    values = np.stack([X[some][:, observed] for some in rows])
    shape = values.shape[1:] if len(observed) > 1 else values.shape[1:2]
    labels = [names[i] for i in observed]
    features = tuple(f"{label}[t={t:g}]" for t in times for label in labels)
    return Samples(
        values.reshape(len(values), -1), feature_names=features, sample_shape=shape, origin=table.origin, times=times
    )


def _check(what: str, times: np.ndarray, wanted: np.ndarray) -> None:
    down = np.diff(times)
    if not np.isfinite(times).all() or (down <= 0).any():
        raise DataError(f"the times of {what} do not increase down the table. Sort its rows by time, each time once.")
    if len(times) != len(wanted):
        raise DataError(
            f"{what} has {len(times)} times and the first one {len(wanted)}; all need the same. Cut them to the same "
            "window, or interpolate."
        )
    slack = _SLACK * (np.diff(wanted).min() if len(wanted) > 1 else 1.0)
    apart = np.abs(times - wanted)
    if apart.max() > slack:
        k = int(apart.argmax())
        raise DataError(
            f"{what} was observed at {times[k]:g} where the first one was at {wanted[k]:g}; all need the same times. "
            "Interpolate them to common times."
        )
