"""The gated multilayer perceptron of Wang, Teng and Perdikaris (2021, arXiv 2001.04536), "modified MLP" in their paper.

Two features U and V of the input gate every further layer, so that all depths see the input:

    U = a(W_U x + b_U)   V = a(W_V x + b_V)   H_1 = a(W_1 x + b_1)
    Z_k = a(W_{k+1} H_k + b_{k+1})            H_{k+1} = (1 - Z_k) U + Z_k V
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.nn.linear import Linear, linears


def gelu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x Φ(x), by the error function and not its approximation."""
    return jax.nn.gelu(x, approximate=False)


class GatedFeatures(eqx.Module):
    """The features H of the last gated layer, `width_size` of them, after `depth` gates.

    Raises `ConfigError` for a depth below 1.
    """

    in_size: int = eqx.field(static=True)
    width_size: int = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)
    left: Linear
    right: Linear
    layers: tuple[Linear, ...]

    def __init__(
        self, in_size: int, width_size: int, depth: int = 2, *, activation: Callable = jnp.tanh, key: PRNGKeyArray
    ):
        if depth < 1:
            raise ConfigError(f"depth={depth}: a gated network needs at least one gate, or it is linear in U.")
        self.in_size, self.width_size, self.activation = in_size, width_size, activation
        sizes = (*[(in_size, width_size, None)] * 3, *[(width_size, width_size, None)] * depth)
        self.left, self.right, *layers = linears(sizes, key=key)
        self.layers = tuple(layers)

    def __call__(self, x: Float[Array, " {self.in_size}"]) -> Float[Array, " {self.width_size}"]:
        """The features."""
        u, v = self.activation(self.left(x)), self.activation(self.right(x))
        first, *gates = self.layers
        h = self.activation(first(x))
        for gate in gates:
            z = self.activation(gate(h))
            h = (1 - z) * u + z * v
        return h


class GatedMLP(eqx.Module):
    """Gated features and an affine map of them."""

    features: GatedFeatures
    last: Linear

    def __init__(
        self,
        in_size: int,
        out_size: int,
        width_size: int,
        depth: int = 2,
        *,
        activation: Callable = jnp.tanh,
        key: PRNGKeyArray,
    ):
        inner, outer = jax.random.split(key)
        self.features = GatedFeatures(in_size, width_size, depth, activation=activation, key=inner)
        (self.last,) = linears(((width_size, out_size, None),), key=outer)

    def __call__(self, x: Float[Array, " in_size"]) -> Float[Array, " out_size"]:
        """The outputs."""
        return self.last(self.features(x))
