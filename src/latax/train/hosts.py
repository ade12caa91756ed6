"""Several processes that train one model: they run the same program in step, so they must decide the same things."""

import jax
import numpy as np
from jaxtyping import PyTree


def is_first() -> bool:
    """Whether this process is the one that writes and prints."""
    return jax.process_index() == 0


def on_host(tree: PyTree) -> PyTree[np.ndarray]:
    """Whole arrays in host memory, wherever their parts live; the same in every process."""
    if jax.process_count() > 1:
        from jax.experimental.multihost_utils import process_allgather

        return process_allgather(tree, tiled=True)
    return jax.tree.map(np.asarray, tree)


def agreed(*mine: int) -> list[list[int]]:
    """What every process says, first process first. With one process, what it says."""
    if jax.process_count() == 1:
        return [list(mine)]
    from jax.experimental.multihost_utils import process_allgather

    return np.atleast_2d(process_allgather(np.asarray(mine, np.int32))).tolist()
