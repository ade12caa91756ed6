"""A residual network with pre-activations whose blocks are gated by the context.

With h the hidden state, c the context and s the logistic function, a block is

    h <- h + W2 a(W1 a(h)) * s(Wc c)

(the conditioner of neural spline flows, Durkan et al. 2019, arXiv 1906.04032, appendix B.1; the gated linear unit
lets the context switch features of a block on and off).
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

_LAST_LINEAR_RANGE = 1e-3


class ResidualNet(eqx.Module):
    """A map from `in_size` numbers, and a context if there is one, to `out_size` numbers.

    The context enters twice: beside the inputs, and as the gate of every block. The output layer starts at zero, so a
    new network returns zeros, and what it parametrises starts where its parameters are zero.
    """

    in_size: int = eqx.field(static=True)
    out_size: int = eqx.field(static=True)
    context_size: int | None = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)
    first: eqx.nn.Linear
    blocks: tuple["_GatedBlock", ...]
    last: eqx.nn.Linear

    def __init__(
        self,
        in_size: int,
        out_size: int,
        *,
        width_size: int = 100,
        blocks: int = 2,
        context_size: int | None = None,
        activation: Callable = jax.nn.relu,
        key: PRNGKeyArray,
    ):
        first_key, last_key, *block_keys = jax.random.split(key, 2 + blocks)
        self.in_size = in_size
        self.out_size = out_size
        self.context_size = context_size
        self.activation = activation
        self.first = eqx.nn.Linear(in_size + (context_size or 0), width_size, key=first_key)
        self.blocks = tuple(_GatedBlock(width_size, context_size, activation, key=k) for k in block_keys)
        last = eqx.nn.Linear(width_size, out_size, key=last_key)
        self.last = jax.tree.map(jnp.zeros_like, last)

    def __call__(self, x: Float[Array, " {self.in_size}"], context: Float[Array, " c"] | None = None) -> Array:
        """The outputs, of shape (out_size,); `context` is required exactly if `context_size` is set."""
        h = self.first(x if context is None else jnp.concatenate((x, context)))
        for block in self.blocks:
            h = block(h, context)
        return self.last(h)


class _GatedBlock(eqx.Module):
    first: eqx.nn.Linear
    second: eqx.nn.Linear
    gate: eqx.nn.Linear | None
    activation: Callable = eqx.field(static=True)

    def __init__(self, width_size: int, context_size: int | None, activation: Callable, *, key: PRNGKeyArray):
        first_key, second_key, gate_key, weight_key, bias_key = jax.random.split(key, 5)
        self.first = eqx.nn.Linear(width_size, width_size, key=first_key)
        second = eqx.nn.Linear(width_size, width_size, key=second_key)
        # A block starts close to the identity, so that depth does not change the scale of the hidden state.
        self.second = eqx.tree_at(
            lambda linear: (linear.weight, linear.bias),
            second,
            (_small(weight_key, second.weight), _small(bias_key, second.bias)),
        )
        self.gate = None if context_size is None else eqx.nn.Linear(context_size, width_size, key=gate_key)
        self.activation = activation

    def __call__(self, h: Float[Array, " width"], context: Float[Array, " c"] | None) -> Float[Array, " width"]:
        update = self.second(self.activation(self.first(self.activation(h))))
        if self.gate is not None:
            update = update * jax.nn.sigmoid(self.gate(context))
        return h + update


def _small(key: PRNGKeyArray, like: Array) -> Array:
    return jax.random.uniform(key, like.shape, like.dtype, -_LAST_LINEAR_RANGE, _LAST_LINEAR_RANGE)
