"""What the sets of solved partial differential equations have in common: fields by time as `Samples`, and checks."""

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax.data.samples import Samples
from latax.data.simulated import checked_times


def as_samples(
    fields: Float[np.ndarray, "N T S"],
    times: Float[np.ndarray, " T"],
    x: Float[np.ndarray, " S"],
    origin: str,
    coefficients: Float[np.ndarray, "N c"],
) -> Samples:
    """X (N, T·S) in float32, time by node, of sample shape (T, S); the family's coefficients are the truth."""
    return Samples(
        np.ascontiguousarray(fields, dtype=np.float32).reshape(len(fields), -1),
        feature_names=tuple(f"t={t:g} x={node:g}" for t in times for node in x),
        sample_shape=(len(times), len(x)),
        origin=origin,
        times=times,
        truth={"coefficients": coefficients},
    )


def uniform(end: float, count: int, what: str) -> Float[np.ndarray, " n"]:
    """`count` numbers from 0 to `end`, both included. Raises `ConfigError` for fewer than two."""
    if count < 2:
        raise ConfigError(f"{what} = {count}: a set needs at least two, the first and the last.")
    return np.linspace(0, end, count)


def checked_start(initial: Float[np.ndarray, "N n"], times, least: int = 8) -> Float[np.ndarray, " T"]:
    """The times as an array. Raises `DataError` for fields that are not finite, too few nodes, and times out of order
    or before zero."""
    if initial.shape[1] < least:
        raise DataError(f"fields on {initial.shape[1]} nodes are too coarse to be solved; give at least {least}.")
    if not np.isfinite(initial).all():
        row = int(np.flatnonzero(~np.isfinite(initial).all(axis=1))[0])
        raise DataError(f"the initial field {row} (the first is 0) has values that are not finite; none can be solved.")
    array = checked_times(times)
    if array[0] < 0:
        raise DataError(
            f"the initial fields are those of time 0, and the first time is {array[0]:g}; give none before 0."
        )
    return array
