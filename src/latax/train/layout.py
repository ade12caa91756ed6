"""Replicates and devices: how a function of one model becomes one program for many seeds on many devices.

Every array of the training state has a leading replicate axis. With as many replicates as devices (or a multiple) the
replicates are spread over the devices; otherwise every batch is. On one device nothing is spread, in the same code.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree

from latax._errors import ConfigError

AXIS = "device"


class Layout(eqx.Module):
    """Which devices, and which axis is spread over them.

    **Arguments:**

    - `replicates`: how many models are trained at once.
    - `batch_sizes`: of all phases. If batches are spread, the number of devices that are used divides each of them.
    - `devices`: all visible ones by default, of every host. With several hosts all of them must be used, and a
        `ConfigError` says which batch sizes allow it.
    """

    replicates: int
    mesh: Mesh = eqx.field(static=True)
    spreads_replicates: bool
    idle_devices: int

    def __init__(self, replicates: int, batch_sizes: Sequence[int], devices: Sequence[Any] | None = None):
        devices = list(jax.devices() if devices is None else devices)
        self.replicates = replicates
        self.spreads_replicates = replicates % len(devices) == 0
        used = len(devices)
        if not self.spreads_replicates:
            used = max(n for n in range(1, len(devices) + 1) if all(size % n == 0 for size in batch_sizes))
        self.idle_devices = len(devices) - used
        if self.idle_devices and jax.process_count() > 1:
            raise ConfigError(
                f"Batches of {sorted(set(batch_sizes))} samples cannot be spread over {len(devices)} devices of "
                f"{jax.process_count()} hosts. Give batch sizes, or replicates, that are multiples of {len(devices)}."
            )
        self.mesh = Mesh(np.asarray(devices[:used]), (AXIS,))

    # ---- where arrays live

    @property
    def state(self) -> NamedSharding:
        """Of arrays with a leading replicate axis."""
        return self._sharding(AXIS) if self.spreads_replicates else self._sharding()

    @property
    def shared(self) -> NamedSharding:
        """Of arrays that every device has whole."""
        return self._sharding()

    def plan(self, shared: bool) -> NamedSharding:
        """Of a plan with axes (step, batch, ...) if `shared`, else (replicate, step, batch, ...)."""
        if self.spreads_replicates:
            return self.shared if shared else self.state
        return self._sharding(None, AXIS) if shared else self._sharding(None, None, AXIS)

    def spread_batch(self, batch: PyTree[Array]) -> PyTree[Array]:
        """Asks for one replicate's batch to be spread, inside of a compiled function that `over_replicates` maps."""
        if self.mesh.size == 1 or self.spreads_replicates:
            return batch

        def spread(leaf: Array) -> Array:
            if leaf.ndim == 0 or leaf.shape[0] % self.mesh.size:
                return leaf
            return lax.with_sharding_constraint(leaf, self._sharding(AXIS))

        return jax.tree.map(spread, batch)

    def _sharding(self, *axes: str | None) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec(*axes))

    # ---- one model, many models

    def over_replicates(self, function: Callable, in_axes: Sequence[int | None]) -> Callable:
        """`function` mapped over the leading axis of the arguments whose `in_axes` is 0; results are stacked.

        A single replicate is peeled off and put back instead of mapped: its program is that of a plain model. On one
        CPU the replicates go one after another: the cores are busy with one, and its numbers stay in the cache.
        """
        if self.replicates == 1:
            mapped = _peeled(function, in_axes)
        elif self.mesh.size == 1 and self.mesh.devices.flat[0].platform == "cpu":
            mapped = _in_turn(function, in_axes)
        else:
            mapped = jax.vmap(function, tuple(in_axes), spmd_axis_name=AXIS if self.spreads_replicates else None)
        return functools.wraps(function)(mapped)


def _peeled(function: Callable, in_axes: Sequence[int | None]) -> Callable:
    def mapped(*args: PyTree) -> PyTree:
        first = lambda arg, axis: arg if axis is None else jax.tree.map(lambda x: x[0], arg)
        result = function(*map(first, args, in_axes))
        return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], result)

    return mapped


def _in_turn(function: Callable, in_axes: Sequence[int | None]) -> Callable:
    def mapped(*args: PyTree) -> PyTree:
        many = [arg for arg, axis in zip(args, in_axes, strict=True) if axis == 0]

        def one(chosen: list[PyTree]) -> PyTree:
            rest = iter(chosen)
            return function(*[arg if axis is None else next(rest) for arg, axis in zip(args, in_axes, strict=True)])

        return lax.map(one, many)

    return mapped


def put(tree: PyTree, sharding: NamedSharding) -> PyTree:
    """Arrays on the devices. Every host knows the whole array and hands its devices their part."""

    def place(leaf: Any) -> Array:
        if jax.process_count() == 1:
            return jax.device_put(leaf, sharding)
        if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(place(jax.random.key_data(leaf)), impl=jax.random.key_impl(leaf))
        host = np.asarray(leaf)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(place, tree)
