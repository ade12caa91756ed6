"""New flows are the identity; tests need ones that are not."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np


def randomised(tree: Any, *, scale: float = 0.3, seed: int = 1) -> Any:
    """The tree with normal noise of standard deviation `scale` added to every trainable array, independently."""
    generator = np.random.default_rng(seed)

    def noisy(leaf: Any) -> Any:
        noise = scale * generator.normal(size=np.shape(leaf))
        return jnp.asarray(leaf + noise.astype(leaf.dtype)) if eqx.is_inexact_array(leaf) else leaf

    return jax.tree.map(noisy, tree)
