"""Replicates and devices: how one step of one model becomes one program for many seeds on many devices.

Every array of the training state has a leading replicate axis. With as many replicates as devices (or a multiple) the
replicates are spread over the devices; otherwise every batch is. On one device nothing is spread, in the same code.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree

AXIS = "device"


class Layout(eqx.Module):
    """Which devices, and which axis is spread over them.

    **Arguments:**

    - `replicates`: how many models are trained at once.
    - `batch_sizes`: of all phases; if batches are spread, the number of devices used divides each of them.
    - `devices`: all visible ones by default, of every host.
    """

    replicates: int
    mesh: Mesh = eqx.field(static=True)
    spread_replicates: bool

    def __init__(self, replicates: int, batch_sizes: Sequence[int], devices: Sequence[jax.Device] | None = None):
        devices = list(jax.devices() if devices is None else devices)
        self.replicates = replicates
        self.spread_replicates = replicates % len(devices) == 0
        if not self.spread_replicates:
            fit = [n for n in range(1, len(devices) + 1) if all(size % n == 0 for size in batch_sizes)]
            devices = devices[: max(fit)]
        self.mesh = Mesh(np.asarray(devices), (AXIS,))

    def _sharding(self, *axes: str | None) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec(*axes))

    @property
    def _state(self) -> NamedSharding:
        return self._sharding(AXIS) if self.spread_replicates else self._sharding()

    def put_state(self, tree: PyTree) -> PyTree:
        """Arrays with a leading replicate axis, on the devices."""
        return _put(tree, self._state)

    def put_shared(self, tree: PyTree) -> PyTree:
        """Arrays that every replicate and device sees whole."""
        return _put(tree, self._sharding())

    def put_plan(self, tree: PyTree, shared: bool) -> PyTree:
        """A plan with axes (step, batch, ...) if `shared`, else (replicate, step, batch, ...)."""
        if self.spread_replicates:
            return _put(tree, self._sharding() if shared else self._state)
        lead = () if shared else (None,)
        return _put(tree, self._sharding(*lead, None, AXIS))

    def constrain_batch(self, batch: PyTree[Array]) -> PyTree[Array]:
        """Fixes where a batch of shape (replicate, batch, ...) lives; inside a compiled function."""
        if self.mesh.size == 1:
            return batch
        spec = (AXIS,) if self.spread_replicates else (None, AXIS)
        sharding = self._sharding(*spec)
        return jax.tree.map(lambda a: jax.lax.with_sharding_constraint(a, sharding) if _is_data(a) else a, batch)

    def constrain_state(self, tree: PyTree[Array]) -> PyTree[Array]:
        """Fixes where a training state lives; inside a compiled function."""
        if self.mesh.size == 1:
            return tree
        return jax.tree.map(lambda a: jax.lax.with_sharding_constraint(a, self._state), tree)


def _is_data(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.number)


def _put(tree: PyTree, sharding: NamedSharding) -> PyTree:
    """Every host knows the whole array and hands its devices their part."""

    def put(leaf: Any) -> Array:
        if jax.process_count() == 1:
            return jax.device_put(leaf, sharding)
        host = np.asarray(leaf)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(put, tree)


def over_replicates(function: Callable, replicates: int, in_axes: Sequence[int | None]) -> Callable:
    """`function` mapped over the leading axis of the arguments whose `in_axes` is 0; results are stacked.

    A single replicate is peeled off and put back instead of mapped: the compiled program is that of a plain model.
    """
    if replicates > 1:
        return jax.vmap(function, in_axes=tuple(in_axes))

    def single(*args: PyTree) -> PyTree:
        peeled = [a if axis is None else jax.tree.map(lambda x: x[0], a) for a, axis in zip(args, in_axes, strict=True)]
        return jax.tree.map(lambda x: jnp.asarray(x)[None], function(*peeled))

    return single
