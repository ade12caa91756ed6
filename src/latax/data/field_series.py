"""What the sets of solved partial differential equations have in common: families that are solved, and checks."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax.data import initial_fields
from latax.data.coordinates import names_of
from latax.data.initial_fields import Fields
from latax.data.samples import Samples
from latax.data.simulated import checked_times

#: Solutions in float64 that are held at a time.
_BLOCK = 500


def family_set(
    solve: Callable[[Fields, np.ndarray, np.ndarray], Float[np.ndarray, "N T S"]],
    n: int,
    seed: int,
    *,
    family: str,
    amplitude: float,
    end: float,
    times: int,
    nodes: int,
    fine: int,
    origin: str,
) -> Samples:
    """What `solve(initial, times, x)` makes of n members of a family on `fine` nodes, with both ends of time and space.

    X (n, times * nodes) in float32, time by node, of sample shape (times, nodes); the coefficients are the truth.
    """
    at, x = uniform(end, times, "times"), uniform(1.0, nodes, "nodes")
    coefficients, initial = initial_fields.draw(family, n, np.arange(fine) / fine, seed=seed, amplitude=amplitude)
    fields = np.empty((n, times, nodes), np.float32)
    for i in range(0, n, _BLOCK):
        fields[i : i + _BLOCK] = solve(initial[i : i + _BLOCK], at, x)
    return Samples(
        fields.reshape(n, -1),
        feature_names=names_of({"t": at, "x": x}),
        sample_shape=(times, nodes),
        origin=f"built-in {origin}, {family}, amplitude {amplitude:g}, seed {seed}",
        times=at,
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
    if initial.ndim != 2:
        raise DataError(
            f"the initial fields have shape {initial.shape}; expected (N, nodes): one field in each row. For one alone "
            "give initial[None]."
        )
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
