"""The affine layer of our networks, and an initialisation that is quick to compile.

Drawn array by array, each of its own shape, the parameters of a flow take seconds of compilation before training
starts. Here one small program draws blocks of a fixed size, and another cuts them into arrays.
"""

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

_BLOCK = 4096


class Linear(eqx.Module):
    """x -> W x + b, with W of shape (out_size, in_size)."""

    weight: Float[Array, "o i"]
    bias: Float[Array, " o"]

    def __call__(self, x: Float[Array, " i"]) -> Float[Array, " o"]:
        """W x + b, as x W^T: mapped over a batch, that is one matrix product without transposes."""
        return x @ self.weight.T + self.bias


def zeros(*shape: int) -> Array:
    """Zeros of the default precision, without a program to compile for every shape."""
    return jnp.asarray(np.zeros(shape))


def linears(layers: tuple[tuple[int, int, float | None], ...], *, key: PRNGKeyArray) -> list[Linear]:
    """One `Linear` for each (in_size, out_size, bound): weights and biases uniform in [-bound, bound].

    None is the usual bound 1 / sqrt(in_size), or 1 for a map of nothing, which is its bias.
    """
    count = sum(out_size * (in_size + 1) for in_size, out_size, _ in layers)
    keys = [jax.random.fold_in(key, block) for block in range(math.ceil(count / _BLOCK))]
    return [Linear(*arrays) for arrays in _cut(layers, [_block(k) for k in keys])]


@jax.jit
def _block(key: PRNGKeyArray) -> Float[Array, " block"]:
    return jax.random.uniform(key, (_BLOCK,), minval=-1, maxval=1)


@functools.partial(jax.jit, static_argnums=0)
def _cut(layers: tuple[tuple[int, int, float | None], ...], blocks: list[Array]) -> list[tuple[Array, Array]]:
    numbers = jnp.concatenate(blocks)
    pieces, start = [], 0
    for in_size, out_size, bound in layers:
        scale = 1 / math.sqrt(max(in_size, 1)) if bound is None else bound
        middle, end = start + out_size * in_size, start + out_size * (in_size + 1)
        weight = scale * numbers[start:middle].reshape(out_size, in_size)
        pieces.append((weight, scale * numbers[middle:end]))
        start = end
    return pieces
