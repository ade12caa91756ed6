"""Training on data that stay on disk: rows are read in long runs and shuffled in memory, window by window."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Int, Key, PyTree

from latax._errors import ConfigError
from latax.train.shuffle import Shuffle
from latax.train.source import AbstractSource, MakeBatch, Plan, common_rows, steps_per_epoch


class _Window:
    """The rows that were read last; the source itself is immutable."""

    def __init__(self) -> None:
        self.key: tuple = ()
        self.rows: dict[str, np.ndarray] = {}


def _the_plan(resident: PyTree[Array], plan: PyTree[Array], batch_size: int, key: Key[Array, ""]) -> PyTree[Array]:
    return plan


class StreamSource(AbstractSource):
    """Rows of arrays that stay on disk (memory maps, HDF5, Zarr: anything with `shape`, `dtype` and slicing).

    Shuffling is in two levels, so that the disk is read in long runs: blocks of `block` neighbouring rows in random
    order, and rows at random within windows of consecutive blocks of that order. Every replicate sees the same order.

    **Arguments:**

    - `arrays`: named array-likes with a common first axis.
    - `block`: neighbouring rows that are read together, or fewer where a window would not hold them. Rows that are
        sorted in the file need many blocks a window.
    - `window_bytes`: host memory for one window, twice that while it is shuffled. A batch mixes rows of one window.
    """

    arrays: Mapping[str, Any]
    block: int = 256
    window_bytes: int = 2**28
    _shuffle: Shuffle = eqx.field(default_factory=Shuffle, static=True)
    _window: _Window = eqx.field(default_factory=_Window, static=True)
    shared = True
    holds_samples = False

    def __check_init__(self):
        common_rows(self.arrays, [int(a.shape[0]) for a in self.arrays.values()])
        if self.block < 1 or self.window_bytes < 1:
            raise ConfigError(f"block={self.block} and window_bytes={self.window_bytes} must be at least 1.")

    @property
    def rows(self) -> int:
        """The number of samples."""
        return int(next(iter(self.arrays.values())).shape[0])

    def plan_like(self, batch_size: int) -> PyTree[jax.ShapeDtypeStruct]:
        """The rows of one batch."""
        types = {name: jax.dtypes.canonicalize_dtype(a.dtype) for name, a in self.arrays.items()}
        return {n: jax.ShapeDtypeStruct((batch_size, *a.shape[1:]), types[n]) for n, a in self.arrays.items()}

    def resident(self) -> PyTree[Array]:
        """Nothing stays on the device."""
        return {}

    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """The rows themselves, each leaf of shape (count, batch_size, ...)."""
        per_epoch = steps_per_epoch(self.rows, batch_size)
        like = self.plan_like(batch_size)
        plan = {name: np.empty((count, *leaf.shape), leaf.dtype) for name, leaf in like.items()}
        for index in range(count):
            epoch, batch = divmod(start + index, per_epoch)
            self._fill(plan, index, (*seed, epoch), batch * batch_size, (batch + 1) * batch_size)
        return plan

    @property
    def make_batch(self) -> MakeBatch:
        """The plan is the batch."""
        return _the_plan

    def rows_of(self, seed: tuple[int, ...], step: int, batch_size: int) -> Int[np.ndarray, " batch"] | None:
        """The numbers of the rows in the file."""
        epoch, batch = divmod(step, steps_per_epoch(self.rows, batch_size))
        first, last = batch * batch_size, (batch + 1) * batch_size
        parts = []
        for window in self._windows(first, last):
            spans, shuffle = self._order((*seed, epoch), window)
            low, high = self._part(window, first, last)
            parts.append(np.concatenate([np.arange(*span) for span in spans])[shuffle][low:high])
        return np.concatenate(parts)

    # An epoch's order is a line of positions, cut into windows of equal size; a position is a place in a window.

    @property
    def _row_bytes(self) -> int:
        sizes = [int(np.prod(a.shape[1:], dtype=np.int64)) * np.dtype(a.dtype).itemsize for a in self.arrays.values()]
        return max(1, sum(sizes))

    @property
    def _block(self) -> int:
        """Neighbouring rows that are read together."""
        return max(1, min(self.block, self.window_bytes // self._row_bytes))

    @property
    def _window_rows(self) -> int:
        return self._block * max(1, self.window_bytes // (self._block * self._row_bytes))

    def _windows(self, first: int, last: int) -> range:
        """The windows that hold positions first .. last - 1."""
        return range(first // self._window_rows, (last - 1) // self._window_rows + 1)

    def _part(self, window: int, first: int, last: int) -> tuple[int, int]:
        """The places in `window` of those of the positions first .. last - 1 that lie in it."""
        begin = window * self._window_rows
        return max(first - begin, 0), min(last - begin, self._window_rows)

    def _fill(self, plan: dict[str, np.ndarray], index: int, seed: tuple[int, ...], first: int, last: int) -> None:
        """Copies the rows at positions first .. last - 1 of the epoch's order to plan[:][index]."""
        filled = 0
        for window in self._windows(first, last):
            self._load(seed, window)
            low, high = self._part(window, first, last)
            for name, rows in self._window.rows.items():
                plan[name][index, filled : filled + high - low] = rows[low:high]
            filled += high - low

    def _load(self, seed: tuple[int, ...], window: int) -> None:
        """Reads a window and shuffles it, unless it is the one that was read last."""
        if self._window.key == (seed, window):
            return
        spans, shuffle = self._order(seed, window)
        self._window.key, self._window.rows = (), {}  # the old window goes before the new one comes
        for name, array in self.arrays.items():
            self._window.rows[name] = np.concatenate([np.asarray(array[low:high]) for low, high in spans])[shuffle]
        self._window.key = (seed, window)

    def _order(self, seed: tuple[int, ...], window: int) -> tuple[list[tuple[int, int]], Int[np.ndarray, " rows"]]:
        """The runs of rows that a window is read from, in the order of the file, and how they are shuffled."""
        # Only whole blocks are permuted; the short last block stays last, so that positions can be computed.
        block = self._block
        whole, rest = divmod(self.rows, block)
        order = np.append(self._shuffle(seed, whole), np.full(int(rest > 0), whole))
        blocks = self._window_rows // block
        chosen = np.sort(order[window * blocks : (window + 1) * blocks]).tolist()
        spans = [(number * block, min(self.rows, (number + 1) * block)) for number in chosen]
        # Counted from one: a seed that ends in zero would be the shorter seed of the blocks.
        return spans, self._shuffle((*seed, 1 + window), sum(high - low for low, high in spans))
