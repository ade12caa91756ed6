"""Where batches come from: a `Source` splits every batch into what the host decides and what the device does.

`plan` (host, NumPy) is a pure function of (seed, phase, step), so training can stop and resume anywhere; `batch`
(device, inside the compiled loop) turns the plan into a batch. An array on the device is planned by row numbers, a file
by the rows themselves, a sampler by nothing at all.
"""

import abc
import functools
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PyTree

from latax._errors import ConfigError

Plan = PyTree[np.ndarray]


class AbstractSource(eqx.Module):
    """Batches as a function of (seed, phase, step)."""

    #: Whether every replicate sees the same plan. A file is read once for all replicates; arrays are shuffled anew.
    shared: eqx.AbstractClassVar[bool]

    #: Bytes of plan that one step needs on the device.
    @abc.abstractmethod
    def plan_bytes(self, batch_size: int) -> int:
        """Bytes that the plan of one step takes; bounds how many steps are planned for one compiled call."""

    @abc.abstractmethod
    def resident(self) -> PyTree[Array]:
        """The arrays that stay on the device for the whole phase."""

    @abc.abstractmethod
    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """The plan of steps `start .. start + count - 1`, each leaf with leading axis `count`."""

    @abc.abstractmethod
    def batch(self, resident: PyTree[Array], plan: PyTree[Array], key: Key[Array, ""]) -> PyTree[Array]:
        """One batch, from the resident arrays and one step's plan."""


def check_rows(rows: int, batch_size: int) -> None:
    """Refuses a batch larger than the data."""
    if rows < batch_size:
        raise ConfigError(
            f"batch_size={batch_size} is larger than the {rows} training rows. "
            f"Give a batch_size of at most {rows}, or more data."
        )


class ArraySource(AbstractSource):
    """Arrays that fit on the device, shuffled anew in every epoch; the incomplete last batch of an epoch is dropped.

    **Arguments:**

    - `arrays`: named arrays with a common leading axis.
    """

    arrays: Mapping[str, Array]
    shared = False

    @property
    def rows(self) -> int:
        """The number of samples."""
        return len(next(iter(self.arrays.values())))

    def plan_bytes(self, batch_size: int) -> int:
        """Four bytes for each row number."""
        return 4 * batch_size

    def resident(self) -> PyTree[Array]:
        """The arrays themselves."""
        return dict(self.arrays)

    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """Row numbers, shape (count, batch_size)."""
        check_rows(self.rows, batch_size)
        per_epoch = self.rows // batch_size
        pieces = []
        step = start
        while step < start + count:
            epoch, first = divmod(step, per_epoch)
            last = min(per_epoch, first + start + count - step)
            order = _permutation((*seed, epoch), self.rows)
            pieces.append(order[first * batch_size : last * batch_size].reshape(-1, batch_size))
            step += last - first
        return np.concatenate(pieces)

    def batch(self, resident: PyTree[Array], plan: PyTree[Array], key: Key[Array, ""]) -> PyTree[Array]:
        """The planned rows."""
        return jax.tree.map(lambda a: a.at[plan].get(mode="promise_in_bounds", unique_indices=True), resident)


class SamplerSource(AbstractSource):
    """Batches drawn on the device: prior draws, pairs on a manifold, simulated data.

    **Arguments:**

    - `sample`: `(key, batch_size) -> batch`, traceable; may be an Equinox module.
    - `batch_size`: samples per batch; must be the phase's.
    """

    sample: Callable[[Key[Array, ""], int], PyTree[Array]]
    batch_size: int = eqx.field(static=True)
    shared = True

    def plan_bytes(self, batch_size: int) -> int:
        """Nothing is planned."""
        return 0

    def resident(self) -> PyTree[Array]:
        """The arrays inside the sampler."""
        return eqx.filter(self.sample, eqx.is_array)

    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """Nothing: the step's key decides."""
        if batch_size != self.batch_size:
            raise ConfigError(f"The sampler draws {self.batch_size} samples, but the phase wants {batch_size}.")
        return ()

    def batch(self, resident: PyTree[Array], plan: PyTree[Array], key: Key[Array, ""]) -> PyTree[Array]:
        """A fresh draw."""
        sample = eqx.combine(resident, eqx.filter(self.sample, eqx.is_array, inverse=True))
        return sample(key, self.batch_size)


class StreamSource(AbstractSource):
    """Rows of arrays that stay on disk (memory maps, HDF5, Zarr: anything with `shape`, `dtype` and slicing).

    Shuffling is in two levels, so that the disk is read in long runs: blocks of `block` neighbouring rows in random
    order, and rows at random within windows of consecutive blocks. Every replicate sees the same order.

    **Arguments:**

    - `arrays`: named array-likes with a common first axis.
    - `block`: neighbouring rows that are read together. Rows that are sorted in the file need many blocks a window.
    - `window_bytes`: memory for one window; a batch only mixes rows of one window.
    """

    arrays: Mapping[str, Any]
    block: int = 256
    window_bytes: int = 2**28
    _window: dict[str, Any] = eqx.field(default_factory=dict)
    shared = True

    @property
    def rows(self) -> int:
        """The number of samples."""
        return int(next(iter(self.arrays.values())).shape[0])

    def _row_bytes(self) -> int:
        return sum(int(np.prod(a.shape[1:], dtype=np.int64)) * np.dtype(a.dtype).itemsize for a in self.arrays.values())

    def plan_bytes(self, batch_size: int) -> int:
        """The rows of one batch."""
        return batch_size * self._row_bytes()

    def resident(self) -> PyTree[Array]:
        """Nothing stays on the device."""
        return {}

    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """The rows themselves, each leaf of shape (count, batch_size, ...)."""
        check_rows(self.rows, batch_size)
        per_epoch = self.rows // batch_size
        batches = []
        for step in range(start, start + count):
            epoch, index = divmod(step, per_epoch)
            batches.append(self._rows((*seed, epoch), index * batch_size, (index + 1) * batch_size))
        return jax.tree.map(lambda *leaves: np.stack(leaves), *batches)

    def _rows(self, seed: tuple[int, ...], first: int, last: int) -> dict[str, np.ndarray]:
        """Rows at positions first .. last - 1 of the epoch's order."""
        blocks = max(1, self.window_bytes // max(1, self.block * self._row_bytes()))
        size = blocks * self.block
        parts = []
        for window in range(first // size, (last - 1) // size + 1):
            rows = self._load(seed, window, blocks)
            low, high = max(first, window * size) - window * size, min(last, (window + 1) * size) - window * size
            parts.append({name: value[low:high] for name, value in rows.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in self.arrays}

    def _load(self, seed: tuple[int, ...], window: int, blocks: int) -> dict[str, np.ndarray]:
        """The shuffled rows of one window; the last window read is kept."""
        if self._window.get("key") != (seed, window):
            # Only whole blocks are permuted; the short last block stays last, so that positions can be computed.
            whole, rest = divmod(self.rows, self.block)
            order = np.append(_permutation(seed, whole), np.full(int(rest > 0), whole)).astype(np.int64)
            chosen = order[window * blocks : (window + 1) * blocks]
            spans = [(b * self.block, min(self.rows, (b + 1) * self.block)) for b in np.sort(chosen)]
            shuffle = _permutation((*seed, 1 + window), sum(high - low for low, high in spans))
            self._window.clear()
            self._window["rows"] = {
                name: np.concatenate([np.asarray(a[low:high]) for low, high in spans])[shuffle]
                for name, a in self.arrays.items()
            }
            self._window["key"] = (seed, window)
        return self._window["rows"]

    def batch(self, resident: PyTree[Array], plan: PyTree[Array], key: Key[Array, ""]) -> PyTree[Array]:
        """The planned rows are the batch."""
        return jax.tree.map(jnp.asarray, plan)


@functools.lru_cache(maxsize=16)
def _permutation(seed: tuple[int, ...], size: int) -> np.ndarray:
    """A permutation of `size` that depends on `seed` alone; the few last ones are remembered."""
    return np.random.default_rng(seed).permutation(size).astype(np.int32)
