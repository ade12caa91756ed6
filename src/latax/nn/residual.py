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

from latax.nn.linear import Linear, linears, zeros

_QUIET = 1e-3


class ResidualNet(eqx.Module):
    """A map from `in_size` numbers, and a context if there is one, to `out_size` numbers.

    The context enters twice: beside the inputs, and as the gate of every block. The output layer starts at zero, so a
    new network returns zeros, and what it parametrises starts where its parameters are zero.
    """

    in_size: int = eqx.field(static=True)
    out_size: int = eqx.field(static=True)
    context_size: int | None = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)
    first: Linear
    blocks: tuple["_GatedBlock", ...]
    last: Linear

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
        self.in_size = in_size
        self.out_size = out_size
        self.context_size = context_size
        self.activation = activation
        hidden = (width_size, width_size, None)
        # A block starts close to the identity, so that depth does not change the scale of the hidden state.
        quiet = (width_size, width_size, _QUIET)
        gate = () if context_size is None else ((context_size, width_size, None),)
        first = (in_size + (context_size or 0), width_size, None)
        layers = (first, *(hidden, quiet, *gate) * blocks)
        self.first, *inner = linears(layers, key=key)
        step = 2 + len(gate)
        self.blocks = tuple(_GatedBlock(*inner[i : i + step]) for i in range(0, len(inner), step))
        self.last = Linear(zeros(out_size, width_size), zeros(out_size))

    def __call__(self, x: Float[Array, " {self.in_size}"], context: Float[Array, " c"] | None = None) -> Array:
        """The outputs, of shape (out_size,); `context` is required exactly if `context_size` is set."""
        h = self.first(x if context is None else jnp.concatenate((x, context)))
        for block in self.blocks:
            h = block(h, context, self.activation)
        return self.last(h)


class _GatedBlock(eqx.Module):
    first: Linear
    second: Linear
    gate: Linear | None = None

    def __call__(
        self, h: Float[Array, " width"], context: Float[Array, " c"] | None, activation: Callable
    ) -> Float[Array, " width"]:
        update = self.second(activation(self.first(activation(h))))
        if self.gate is not None and context is not None:
            update = update * jax.nn.sigmoid(self.gate(context))
        return h + update
