"""The multilayer perceptron of our encoders, heads and corrections."""

import itertools
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from latax.nn.linear import Linear, linears, zeros


class MLP(eqx.Module):
    """Affine maps with an activation between them; the last one is bare."""

    in_size: int = eqx.field(static=True)
    out_size: int = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)
    layers: tuple[Linear, ...]

    def __init__(
        self,
        in_size: int,
        out_size: int,
        hidden: Sequence[int],
        *,
        activation: Callable = jax.nn.elu,
        silent: bool = False,
        key: PRNGKeyArray,
    ):
        """`hidden`: widths of the hidden layers; `silent`: the last map starts at zero, and so does the network."""
        self.in_size, self.out_size, self.activation = in_size, out_size, activation
        sizes = (in_size, *hidden, out_size)
        pairs = itertools.pairwise(sizes)
        *inner, last = linears(tuple((i, o, None) for i, o in pairs), key=key)
        self.layers = (*inner, Linear(zeros(out_size, sizes[-2]), zeros(out_size)) if silent else last)

    def __call__(self, x: Float[Array, " {self.in_size}"]) -> Float[Array, " {self.out_size}"]:
        """The outputs."""
        *inner, last = self.layers
        for layer in inner:
            x = self.activation(layer(x))
        return last(x)
