"""Mapping many rows in pieces, so that what lies between input and output stays small."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, PyTree


def in_chunks(function: Callable[[PyTree], PyTree], data: PyTree[Array], chunk: int) -> PyTree[Array]:
    """`function`, which maps rows to rows, over all rows of `data` in equal pieces of at most `chunk` rows.

    The last piece is filled up with copies of the last row, so that `function` is compiled for one shape only.
    """
    rows = jax.tree.leaves(data)[0].shape[0]
    pieces = -(-rows // chunk)
    if pieces == 1:
        return function(data)
    size = -(-rows // pieces)
    places = jnp.minimum(jnp.arange(pieces * size).reshape(pieces, size), rows - 1)
    result = lax.map(lambda place: function(jax.tree.map(lambda a: a[place], data)), places)
    return jax.tree.map(lambda a: a.reshape(pieces * size, *a.shape[2:])[:rows], result)
