"""The edge between NumPy and the pure functions: one compiled map over rows, in pieces of few sizes."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree

from latax._compiled import use_compilation_cache

#: Rows for one call; fewer rows are filled up to a power of two, so that few sizes are ever compiled.
CHUNK = 4096


def map_rows(function: Callable[..., PyTree], module: Any, *columns: Any, chunk: int = CHUNK) -> PyTree:
    """`function(module, *row)` for every row of `columns`, as NumPy arrays with a leading row axis.

    **Arguments:**

    - `function`: acts on one sample; define it at module level, it is the key of the compilation.
    - `columns`: arrays (or anything with slicing by rows) with a common leading axis, or None, which is passed on.
    - `chunk`: rows in one call, which bounds the memory.
    """
    use_compilation_cache()
    rows = next(len(c) for c in columns if c is not None)
    size = min(chunk, max(16, 1 << (rows - 1).bit_length())) if rows else 16
    pieces = []
    for start in range(0, rows, size):
        stop = min(start + size, rows)
        padded = [None if c is None else _fill(np.asarray(c[start:stop]), size) for c in columns]
        piece = _mapped(function, module, padded)
        pieces.append(jax.tree.map(lambda a, n=stop - start: np.asarray(a)[:n], piece))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *pieces)


@eqx.filter_jit
def _mapped(function: Callable[..., PyTree], module: Any, columns: list) -> PyTree:
    return jax.vmap(lambda row: function(module, *row))(columns)


def _fill(rows: np.ndarray, size: int) -> np.ndarray:
    """Repeats the last row up to `size` rows: always valid input, unlike zeros."""
    return rows if len(rows) == size else np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])
