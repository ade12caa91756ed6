"""Which rows train and which are held out, and which of many are looked at."""

import numpy as np
from jaxtyping import Int

from latax.data.split import split

#: More validation rows than this cost time and tell nothing new.
MOST_VALIDATION_ROWS = 10_000


def split_rows(count: int, fraction: float, seed: int) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " held"]]:
    """The sorted (training, validation) rows of `count` rows: a random `fraction` is held out, at least one row."""
    fraction = min(fraction, MOST_VALIDATION_ROWS / count)
    held = min(max(1, round(fraction * count)), count - 1)
    training, held_out = split(count, ((count - held) / count, held / count), seed=seed)
    return np.sort(training), np.sort(held_out)


def evenly(rows: Int[np.ndarray, " rows"], most: int) -> Int[np.ndarray, " some"]:
    """At most so many of these rows, from the first to the last: files are often sorted."""
    if len(rows) <= most:
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(np.int64))]
