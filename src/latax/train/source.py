"""Where batches come from: a `Source` splits every batch into what the host decides and what the device does.

`plan` (host, NumPy) is a pure function of (seed, phase, step), so training can stop and resume anywhere; `make_batch`
(device, inside the compiled loop) turns the plan into a batch. An array on the device is planned by row numbers, a file
by the rows themselves, a sampler by nothing at all.
"""

import abc
from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Int, Key, PyTree

from latax._errors import ConfigError
from latax.train.shuffle import Shuffle

Plan = PyTree[np.ndarray]
#: (resident arrays, one step's plan, batch size, key) -> batch, on the device.
MakeBatch = Callable[[PyTree[Array], PyTree[Array], int, Key[Array, ""]], PyTree[Array]]


class AbstractSource(eqx.Module):
    """Batches as a function of (seed, phase, step)."""

    #: Whether every replicate sees the same plan. A file is read once for all replicates; arrays are shuffled anew.
    shared: eqx.AbstractClassVar[bool]
    #: Whether the resident arrays are the samples themselves, in the form of one large batch.
    holds_samples: eqx.AbstractClassVar[bool]

    @abc.abstractmethod
    def plan_like(self, batch_size: int) -> PyTree[jax.ShapeDtypeStruct]:
        """Shapes and types of the plan of one step."""

    @abc.abstractmethod
    def resident(self) -> PyTree[Array]:
        """The arrays that stay on the device for the whole run."""

    @abc.abstractmethod
    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """The plan of steps `start .. start + count - 1`, each leaf with leading axis `count`."""

    @property
    @abc.abstractmethod
    def make_batch(self) -> MakeBatch:
        """Makes one batch from the resident arrays and one step's plan.

        Sources of equal functions share their compiled programs, so it holds no data.
        """

    @abc.abstractmethod
    def rows_of(self, seed: tuple[int, ...], step: int, batch_size: int) -> Int[np.ndarray, " batch"] | None:
        """Which of the source's rows make the batch of `step`; None if it is not made of rows."""


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Whole batches in `rows` rows. Raises `ConfigError` if there is not even one."""
    if rows < batch_size:
        raise ConfigError(
            f"batch_size={batch_size} is larger than the {rows} training rows. "
            f"Give a batch_size of at most {rows}, or more data."
        )
    return rows // batch_size


def common_rows(arrays: Mapping[str, object], lengths: list[int]) -> int:
    """The number of rows that all `arrays` have. Raises `ConfigError` if they differ or there are none."""
    if len(set(lengths)) != 1:
        found = dict(zip(arrays, lengths, strict=True))
        raise ConfigError(f"The arrays of a source must have the same number of rows, at least one array; got {found}.")
    return lengths[0]


def _planned_rows(resident: PyTree[Array], plan: PyTree[Array], batch_size: int, key: Key[Array, ""]) -> PyTree[Array]:
    return jax.tree.map(lambda a: a.at[plan].get(mode="promise_in_bounds", unique_indices=True), resident)


class ArraySource(AbstractSource):
    """Arrays that fit on the device, shuffled anew in every epoch; the incomplete last batch of an epoch is dropped.

    **Arguments:**

    - `arrays`: named arrays with a common leading axis.
    """

    arrays: Mapping[str, Array]
    _shuffle: Shuffle = eqx.field(default_factory=Shuffle, static=True)
    shared = False
    holds_samples = True

    def __check_init__(self):
        common_rows(self.arrays, [len(a) for a in self.arrays.values()])

    @property
    def rows(self) -> int:
        """The number of samples."""
        return len(next(iter(self.arrays.values())))

    def plan_like(self, batch_size: int) -> PyTree[jax.ShapeDtypeStruct]:
        """A row number for each sample."""
        return jax.ShapeDtypeStruct((batch_size,), np.int32)

    def resident(self) -> PyTree[Array]:
        """The arrays themselves."""
        return dict(self.arrays)

    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """Row numbers, shape (count, batch_size)."""
        per_epoch = steps_per_epoch(self.rows, batch_size)
        pieces = []
        step, stop = start, start + count
        while step < stop:
            epoch, first = divmod(step, per_epoch)
            last = min(per_epoch, first + stop - step)
            order = self._shuffle((*seed, epoch), self.rows)
            pieces.append(order[first * batch_size : last * batch_size].reshape(-1, batch_size))
            step += last - first
        return np.concatenate(pieces)

    @property
    def make_batch(self) -> MakeBatch:
        """The planned rows."""
        return _planned_rows

    def rows_of(self, seed: tuple[int, ...], step: int, batch_size: int) -> Int[np.ndarray, " batch"] | None:
        """The row numbers are the plan."""
        return self.plan(seed, step, 1, batch_size)[0]


class _Draw(eqx.Module):
    """A batch from a sampler whose arrays are resident; `sample` is the rest of it."""

    sample: PyTree

    def __call__(
        self, resident: PyTree[Array], plan: PyTree[Array], batch_size: int, key: Key[Array, ""]
    ) -> PyTree[Array]:
        return eqx.combine(resident, self.sample)(key, batch_size)


class SamplerSource(AbstractSource):
    """Batches drawn on the device: prior draws, pairs on a manifold, simulated data.

    **Arguments:**

    - `sample`: `(key, batch_size) -> batch`, traceable; may be an Equinox module.
    """

    sample: Callable[[Key[Array, ""], int], PyTree[Array]]
    shared = True
    holds_samples = False

    def plan_like(self, batch_size: int) -> PyTree[jax.ShapeDtypeStruct]:
        """Nothing is planned."""
        return ()

    def resident(self) -> PyTree[Array]:
        """The arrays inside the sampler."""
        return eqx.filter(self.sample, eqx.is_array)

    def plan(self, seed: tuple[int, ...], start: int, count: int, batch_size: int) -> Plan:
        """Nothing: the step's key decides."""
        return ()

    @property
    def make_batch(self) -> MakeBatch:
        """A fresh draw."""
        return _Draw(eqx.filter(self.sample, eqx.is_array, inverse=True))

    def rows_of(self, seed: tuple[int, ...], step: int, batch_size: int) -> Int[np.ndarray, " batch"] | None:
        """A draw has no rows."""
        return None
