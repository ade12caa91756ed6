"""The first weights of every replicate: replicate r is the model that a single run with `seed + r` would begin with."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key, PyTree

from latax._errors import ConfigError
from latax.train.phase import Model

Init = Callable[[Key[Array, ""]], Model]


def replicate_keys(seed: int, replicates: int, number: int) -> Key[Array, " replicate"]:
    """One key for each replicate. `number` tells streams apart: zero for the weights, then the phases."""
    return jnp.stack([jr.fold_in(jr.key(seed + r), number) for r in range(replicates)])


def initialise(init: Init, seed: int, replicates: int) -> tuple[PyTree[np.ndarray], Model]:
    """(arrays with a leading replicate axis, everything else), on the host.

    Models are made one by one, without compiling: many small random draws in one program take long to compile.
    Raises `ConfigError` if the models differ in more than the values of their JAX arrays.
    """
    models = [eqx.partition(init(key), eqx.is_array) for key in replicate_keys(seed, replicates, 0)]
    arrays, statics = zip(*models, strict=True)
    for other, static in zip(arrays[1:], statics[1:], strict=True):
        if _layout(other) != _layout(arrays[0]) or not _same_values(static, statics[0]):
            raise ConfigError(
                "Models made from two seeds differ in more than the values of their JAX arrays, so they cannot be "
                "trained at once. Keep what is drawn from the key in JAX arrays of fixed shape, or use replicates=1."
            )
    return jax.tree.map(lambda *leaves: np.stack(leaves), *arrays), statics[0]


def _layout(arrays: PyTree) -> Any:
    leaves, structure = jax.tree.flatten(arrays)
    return [(leaf.shape, leaf.dtype) for leaf in leaves], structure


def _same_values(one: PyTree, other: PyTree) -> bool:
    """Whether numbers and NumPy arrays among the leaves agree; functions are taken to be the same."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs if isinstance(a, int | float | complex | np.ndarray))
