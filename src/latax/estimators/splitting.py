"""Which rows train and which are held out, and which of many are looked at."""

import numpy as np
from jaxtyping import Int, Shaped

from latax.data import Samples
from latax.data.split import split

#: More validation rows than this cost time and tell nothing new.
MOST_VALIDATION_ROWS = 10_000
#: All of them are in memory throughout: no more than this in single precision.
MOST_VALIDATION_BYTES = 2**28


def split_rows(
    samples: Samples | int, fraction: float, seed: int
) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " held"]]:
    """The sorted (training, validation) rows of samples, or of so many rows of which nothing else is known.

    A random `fraction` is held out, at least one row and at most 10,000, or 256 MiB; of grouped samples whole groups,
    at least one.
    """
    count = samples if isinstance(samples, int) else len(samples)
    groups = None if isinstance(samples, int) else _groups(samples)
    most = MOST_VALIDATION_ROWS
    if not isinstance(samples, int):
        most = min(most, MOST_VALIDATION_BYTES // (4 * samples.X.shape[1]))
    fraction = min(fraction, most / count)
    held = min(max(1, round(fraction * count)), count - 1)
    training, held_out = split(count, ((count - held) / count, held / count), seed=seed, groups=groups)
    return training, held_out


def _groups(samples: Samples) -> Shaped[np.ndarray, " N"] | None:
    """What may not be parted: the groups, or rows of the same label if there are several labels."""
    if samples.groups is not None:
        return samples.groups
    several = 1 < len(set(samples.labels)) < len(samples)
    return np.array(samples.labels) if several else None


def evenly(rows: Int[np.ndarray, " rows"], most: int) -> Int[np.ndarray, " some"]:
    """At most so many of these rows, from the first to the last: files are often sorted."""
    if len(rows) <= most:
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(np.int64))]
