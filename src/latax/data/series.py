"""Sequences from a table with one row for each time of each sequence (the long form), and back."""

import dataclasses

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax._wording import counted, listed
from latax.data.coordinates import axes_of, names_of
from latax.data.samples import Samples
from latax.data.truth import TIMES

#: Times of different sequences may differ by this much of a time step: files round.
_SLACK = 1e-3
#: Values of a context are the same up to this share of them.
_CONTEXT_SLACK = 1e-6


def fold(table: Samples, time: str) -> Samples:
    """The table as sequences: X (N, T * S), `sample_shape` (T,) or (T, S), with `times` and `labels`.

    The labels of the table's rows tell to which sequence a row belongs, the column `time` to which time; the S others
    are what was observed. A context is one for each sequence. Sequences come in the order of their numbers, or, if they
    are not all numbers, in that of their first rows. Raises `ConfigError` where there is no such column, `DataError`
    where the times of a sequence do not increase down the table, or are not those of the first one, and where its
    context changes from one time to another.
    """
    names = list(table.feature_names)
    if time not in names:
        raise ConfigError(f"{table.origin} has no column '{time}'; there are {listed(names)}.")
    observed = [i for i, name in enumerate(names) if name != time]
    if not observed:
        raise ConfigError(f"{table.origin} has no column left to observe, besides '{time}'.")
    X = np.asarray(table.X, float)
    at = X[:, names.index(time)]
    rows = _groups(table.labels)
    times = at[next(iter(rows.values()))]
    for label, some in rows.items():
        _check(f"sequence {label} of {table.origin}", at[some], times)
    values = np.stack([X[some][:, observed] for some in rows.values()])
    shape = values.shape[1:] if len(observed) > 1 else values.shape[1:2]
    labels = [names[i] for i in observed]
    return Samples(
        values.reshape(len(values), -1),
        context=_contexts(table, rows),
        context_names=table.context_names,
        feature_names=_names(labels, times),
        sample_shape=shape,
        origin=table.origin,
        times=times,
        labels=tuple(rows),
    )


def unfold(sequences: Samples, time: str) -> Samples:
    """The inverse of `fold`: a table with a column `time` and one for each observation, whose rows have labels.

    Sequences without labels are numbered from 0 on. Raises `ConfigError` for sequences without times.
    """
    if sequences.times is None:
        raise ConfigError(f"{sequences.origin} has no times to write in a column '{time}'.")
    count = len(sequences.times)
    values = np.asarray(sequences.X, float).reshape(len(sequences) * count, -1)
    labels = sequences.labels or tuple(map(str, range(len(sequences))))
    return Samples(
        np.column_stack([np.tile(sequences.times, len(sequences)), values]),
        context=None if sequences.context is None else np.repeat(sequences.context, count, axis=0),
        context_names=sequences.context_names,
        feature_names=(time, *stems(sequences.feature_names, sequences.sample_shape)),
        origin=sequences.origin,
        labels=tuple(label for label in labels for _ in range(count)),
    )


def at_times(sequences: Samples, times: Float[np.ndarray, " U"], values: Float[np.ndarray, "N U *sample"]) -> Samples:
    """The same sequences with other values at other times, and with names of columns that say so."""
    shape = (len(times), *sequences.sample_shape[1:])
    time, places = _places(sequences.feature_names, sequences.sample_shape)
    if time:
        names = names_of({time: times, **places})
    else:
        names = _names(stems(sequences.feature_names, sequences.sample_shape), times)
    return dataclasses.replace(
        sequences,
        X=np.asarray(values, float).reshape(len(values), -1),
        feature_names=names,
        sample_shape=shape,
        times=times,
        truth={},
    )


def stems(feature_names: tuple[str, ...], sample_shape: tuple[int, ...]) -> tuple[str, ...]:
    """The names of what is observed at each time: those of the first one without it (x of x[t=0], s=1 of t=0 s=1), or
    x0, x1, ..."""
    _, places = _places(feature_names, sample_shape)
    if places:
        return names_of(places)
    count = len(feature_names) // sample_shape[0]
    first = [name.partition("[t=") for name in feature_names[:count]]
    if all(mark for _, mark, _ in first):
        return tuple(stem for stem, _, _ in first)
    return ("x",) if count == 1 else tuple(f"x{i}" for i in range(count))


def _places(names: tuple[str, ...], sample_shape: tuple[int, ...]) -> tuple[str, dict[str, np.ndarray]]:
    """The name of the axis of time and the coordinates of the others, where the names of the columns say them."""
    axes = axes_of(names, sample_shape) or {}
    time = next(iter(axes), "")
    if time not in TIMES:
        return "", {}
    return time, {axis: values for axis, values in axes.items() if axis != time}


def _names(labels: list[str] | tuple[str, ...], times: Float[np.ndarray, " T"]) -> tuple[str, ...]:
    return tuple(f"{label}[t={t:.10g}]" for t in times for label in labels)


def _groups(labels: tuple[str, ...]) -> dict[str, np.ndarray]:
    """{label: rows that have it}; 1 and 1.0 are the same where all are numbers, and the first of them its label."""
    try:
        keys = [float(label) for label in labels]
    except ValueError:
        keys = list(labels)
    rows: dict[float | str, list[int]] = {}
    for i, key in enumerate(keys):
        rows.setdefault(key, []).append(i)
    ordered = sorted(rows.items()) if isinstance(keys[0], float) else rows.items()
    return {labels[found[0]]: np.asarray(found) for _, found in ordered}


def _contexts(table: Samples, rows: dict[str, np.ndarray]) -> Float[np.ndarray, "N c"] | None:
    """The context of each sequence, which is that of all its rows."""
    if table.context is None:
        return None
    context = np.asarray(table.context, float)
    for label, some in rows.items():
        for name, column in zip(table.context_names, context[some].T, strict=True):
            least, most = column.min(), column.max()
            if not most - least <= _CONTEXT_SLACK * max(abs(least), abs(most)):
                raise DataError(
                    f"sequence {label} of {table.origin} has values from {least:.10g} to {most:.10g} of '{name}', of "
                    "which a sequence has one: it is its context. Leave it out of the context, and it is observed."
                )
    return np.stack([context[some[0]] for some in rows.values()])


def _check(what: str, times: np.ndarray, wanted: np.ndarray) -> None:
    down = np.diff(times)
    if not np.isfinite(times).all():
        gaps = counted(int((~np.isfinite(times)).sum()), "row")
        raise DataError(f"{what} has no time in {gaps} of {len(times)}. Fill it in, or leave such rows out.")
    if (down <= 0).any():
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
