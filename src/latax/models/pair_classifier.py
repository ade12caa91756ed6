"""Which of K paths leads from one data point to another? A classifier with K logits."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax.models.autoencoder import image_shape
from latax.nn import MLP, ImageFeatures

_GROUPS = 4


class PairClassifier(eqx.Module):
    """K logits for a pair of data points, from the first of them and the change.

    Images go through convolutions with group normalisation, which does not mix the samples of a batch; everything else
    goes through a network with two hidden layers. Inputs have order one by the units below, which are found from data
    and never trained: a change may be many times smaller than the data.
    """

    net: MLP | ImageFeatures
    loc: Float[Array, ""]
    scale: Float[Array, ""]
    change: Float[Array, ""]
    image: tuple[int, int, int] | None = eqx.field(static=True)

    def __init__(
        self,
        shape: tuple[int, ...],
        count: int,
        *,
        channels: Sequence[int] = (16, 32),
        width_size: int = 64,
        key: PRNGKeyArray,
    ):
        """`shape`: that of one data point; `count`: K; `channels`: of the convolutions, multiples of four;
        `width_size`: hidden units where there are none."""
        self.image = image_shape(shape)
        if self.image is None:
            hidden = (width_size, width_size)
            self.net = MLP(2 * math.prod(shape), count, hidden, activation=jax.nn.silu, key=key)
        else:
            pair = (*self.image[:2], 2 * self.image[2])
            self.net = ImageFeatures(pair, count, channels, activation=jax.nn.silu, groups=_GROUPS, key=key)
        self.loc, self.scale, self.change = jnp.zeros(()), jnp.ones(()), jnp.ones(())

    def __call__(self, first: Float[Array, "*data"], second: Float[Array, "*data"]) -> Float[Array, " K"]:
        """The logits."""
        before, change = (first - self.loc) / self.scale, (second - first) / self.change
        if self.image is None:
            return self.net(jnp.concatenate([before.ravel(), change.ravel()]))
        return self.net(jnp.concatenate([before.reshape(self.image), change.reshape(self.image)], axis=2).ravel())

    def in_units_of(self, first: Float[Array, "batch *data"], second: Float[Array, "batch *data"]) -> "PairClassifier":
        """The same classifier with the units of these pairs."""
        loc, scale = jnp.mean(first), jnp.std(first)
        change = jnp.sqrt(jnp.mean((second - first) ** 2))
        tiny = jnp.finfo(first.dtype).tiny ** 0.5
        units = (loc, jnp.maximum(scale, tiny), jnp.maximum(change, tiny))
        return eqx.tree_at(lambda c: (c.loc, c.scale, c.change), self, units)
