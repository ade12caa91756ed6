"""Batches for a low-bending autoencoder: fresh pairs from a renderer, known pairs of samples, and samples with places.

The keys of the batches are those of `latax.models.low_bending`. All are samplers for `latax.train.SamplerSource`, with
the samples among their arrays, so that these stay on the device.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key

from latax.geometry import AbstractManifold, PairSampler
from latax.train import Batch

#: Pairs that are rendered together where many are drawn.
_AT_ONCE = 64


class RenderedPairs(eqx.Module):
    """Batches of fresh pairs from a manifold and a renderer, less the mean of the data. What a phase does not use is
    never rendered: the compiler leaves it out."""

    sampler: PairSampler
    render: Any
    loc: Float[Array, " d"]

    def __call__(self, key: Key[Array, ""], batch_size: int) -> Batch:
        """One batch."""
        return jax.vmap(self.one)(jr.split(key, batch_size))

    @eqx.filter_jit
    def draw(self, key: Key[Array, ""], count: int) -> Batch:
        """`count` pairs, rendered some at a time: intermediate arrays of renderers are large."""
        return jax.lax.map(self.one, jr.split(key, count), batch_size=_AT_ONCE)

    def one(self, key: Key[Array, ""]) -> dict[str, Array]:
        """One pair, as images."""
        near, far = jr.split(key)
        manifold: AbstractManifold = self.sampler.manifold
        pair, other = self.sampler(near), manifold.sample(far)
        image = lambda point: self.render(point).ravel() - self.loc
        x = image(pair.x)
        return {
            "x": x,
            "y": image(pair.y),
            "midpoint": image(pair.midpoint),
            "distance": pair.distance,
            "far_x": x,
            "far_y": image(other),
            "far_distance": manifold.distance(pair.x, other),
        }


class FarPairs(eqx.Module):
    """Distances from some samples to some others, by the rows of both."""

    from_rows: Int[Array, " M"]
    to_rows: Int[Array, " R"]
    distance: Float[Array, "M R"]

    def draw(self, x: Float[Array, "N d"], key: Key[Array, ""], count: int) -> Batch:
        """`count` random ones, with replacement."""
        first, second = jr.split(key)
        i = jr.randint(first, (count,), 0, self.distance.shape[0])
        j = jr.randint(second, (count,), 0, self.distance.shape[1])
        return {"far_x": x[self.from_rows[i]], "far_y": x[self.to_rows[j]], "far_distance": self.distance[i, j]}


class AbstractKnown(eqx.Module):
    """Batches of random entries of what is known of samples, one for each row of `distance`."""

    distance: eqx.AbstractVar[Float[Array, "..."]]

    @abc.abstractmethod
    def of(self, chosen: Int[Array, " B"], key: Key[Array, ""]) -> Batch:
        """The batch of these entries, with random far pairs."""

    def __call__(self, key: Key[Array, ""], batch_size: int) -> Batch:
        """One batch."""
        near, far = jr.split(key)
        return self.of(jr.randint(near, (batch_size,), 0, len(self.distance)), far)


class KnownPairs(AbstractKnown):
    """Batches of random pairs of samples, with the sample halfway between them and their distance."""

    x: Float[Array, "N d"]
    first: Int[Array, " P"]
    second: Int[Array, " P"]
    midpoint: Int[Array, " P"]
    distance: Float[Array, " P"]
    far: FarPairs

    def of(self, chosen: Int[Array, " B"], key: Key[Array, ""]) -> Batch:
        """The batch of these pairs, with random far ones. Of each pair any of the three samples is decoded."""
        which, far = jr.split(key)
        rows = jnp.stack([self.first, self.second, self.midpoint])
        place = jr.randint(which, chosen.shape, 0, len(rows))
        return {
            "x": self.x[self.first[chosen]],
            "y": self.x[self.second[chosen]],
            "midpoint": self.x[self.midpoint[chosen]],
            "distance": self.distance[chosen],
            "decoded": self.x[rows[place, chosen]],
            **self.far.draw(self.x, far, len(chosen)),
        }


class Neighbourhoods(AbstractKnown):
    """Batches of random samples with their neighbours, the distances to these, and the stencils of second derivatives.

    Every sample costs k + 1 passes through the encoder.
    """

    x: Float[Array, "N d"]
    centres: Int[Array, " C"]
    neighbours: Int[Array, "C k"]
    distance: Float[Array, "C k"]
    second: Float[Array, "C h k"]
    far: FarPairs

    def of(self, chosen: Int[Array, " B"], key: Key[Array, ""]) -> Batch:
        """The batch of these centres, with random far pairs."""
        return {
            "x": self.x[self.centres[chosen]],
            "neighbours": self.x[self.neighbours[chosen]],
            "distance": self.distance[chosen],
            "second": self.second[chosen],
            **self.far.draw(self.x, key, len(chosen)),
        }
