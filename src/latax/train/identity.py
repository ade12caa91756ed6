"""What tells one run from another, so that none goes on from the checkpoint of another.

Functions cannot be compared between processes: objectives, metrics, samplers, what a phase trains, prepares and begins
with, and what an optimiser computes with (a learning rate, say) are not told apart, nor are schedules of weights that
agree at five steps.
"""

import hashlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Int, PyTree

from latax.train.phase import Phase
from latax.train.state import State
from latax.train.trainer import Trainer

#: Larger arrays are compared by evenly spaced rows.
BYTES = 2**26


def of_run(trainer: Trainer) -> dict[str, str]:
    """What stays the same during a run: its seed, its recipe, the weights of its terms, its data.

    `data` are the arrays that the source keeps on the device; of a file there is `first batch`, the first plan.
    """
    source, course, settings = trainer.source, trainer.course, trainer.settings
    first = source.plan((settings.seed, 1), 0, 1, course.phases[0].batch_size)
    return {
        "seed": str(settings.seed),
        "recipe": _digest(course.describe()),
        "weights": _digest(repr([_weights(phase) for phase in course.phases])),
        "data": of_arrays(source.resident()),
        "first batch": of_arrays(first),
        "validation": of_arrays(settings.validation),
    }


def of_state(state: State) -> dict[str, str]:
    """What stays the same during a stage: names, shapes and types of the model's arrays, optimisers, terms."""
    return {
        "model": _digest(repr(_shapes(state.model))),
        "optimizer": _digest(repr([_kinds(jax.tree.structure(state.optimizers)), _shapes(state.optimizers)])),
        "terms": _digest(repr(_shapes(state.sums))),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _weights(phase: Phase) -> list[tuple[str, list[str]]]:
    """Every weight at a few steps."""
    steps = [jnp.int32(step) for step in (*range(0, phase.steps, -(-phase.steps // 4)), phase.steps - 1)]

    def at(weight: float | optax.Schedule, step: Int[Array, ""]) -> str:
        return f"{float(jnp.asarray(weight(step) if callable(weight) else weight)):.4g}"

    return [(name, [at(weight, step) for step in steps]) for name, weight in sorted(phase.weights.items())]


def _shapes(tree: PyTree) -> list[tuple[str, str, tuple[int, ...]]]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [(jax.tree_util.keystr(path), str(leaf.dtype), leaf.shape) for path, leaf in leaves]


def _kinds(structure: Any) -> Any:
    """The types of a tree's nodes. Its own text would quote the addresses of functions."""
    node = structure.node_data()
    return node and (node[0].__qualname__, [_kinds(child) for child in structure.children()])


def of_arrays(tree: PyTree) -> str:
    """A digest of names, shapes, types and values; of large arrays, of some of their rows."""
    digest = hashlib.sha256(repr(_shapes(tree)).encode())
    for leaf in jax.tree.leaves(tree):
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        rows = leaf[:: 1 + leaf.nbytes // BYTES] if leaf.ndim else leaf
        digest.update(np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()[:16]
