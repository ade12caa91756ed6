"""Low-bending, low-distortion autoencoders: an encoder that is as isometric and as flat as the manifold allows.

The encoder φ minimises, over pairs of near points with their distance and midpoint on the data manifold,

    mean γ(|∂φ|) + λ |∂²φ|²

with the difference quotients of `latax.geometry.quotient`; no derivative of the network is taken. No decoder is needed
for this; one is trained afterwards, on the finished latent coordinates. Pairs of near
points cannot tell an embedding from one that winds twice around, so the encoder starts from the distances of far pairs.
Braunsmann, Rajković, Rumpf and Wirth, "Learning low bending and low distortion manifold embeddings", arXiv 2104.13189,
and "Convergent autoencoder approximation ...", arXiv 2208.10193 (equations by our reconstruction).

Batches hold flat samples: `x`, `y` and `midpoint` (B, d) with `distance` (B,), and `far` (B, d) with `far_distance`
(B,) from x.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from latax.geometry import AbstractDistortion, AbstractManifold, PairSampler
from latax.geometry.quotient import first_quotient, second_quotient, squared_length
from latax.geometry.smooth import norm
from latax.models.autoencoder import Autoencoder
from latax.train import Batch

#: Pairs that are rendered together where many are drawn.
_AT_ONCE = 64

Terms = dict[str, Float[Array, ""]]


class EmbeddingObjective(eqx.Module):
    """Terms `distortion` and `bending`: the encoder's energy over near pairs, in one pass over all three points."""

    distortion: AbstractDistortion

    def __call__(self, model: Autoencoder, batch: Batch, key: Key[Array, ""]) -> Terms:
        """The means over the batch."""
        distortion, bending = energies(model, batch, self.distortion)
        return {"distortion": jnp.mean(distortion), "bending": jnp.mean(bending)}


class EmbeddingEnergy(eqx.Module):
    """Metric: γ + λ |∂²φ|² of every pair."""

    distortion: AbstractDistortion
    bending_weight: float = eqx.field(static=True)

    def __call__(self, model: Autoencoder, batch: Batch) -> Float[Array, " batch"]:
        """The energy of every pair."""
        distortion, bending = energies(model, batch, self.distortion)
        return distortion + self.bending_weight * bending


def energies(
    model: Autoencoder, batch: Batch, distortion: AbstractDistortion
) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
    """γ(|∂φ|) and |∂²φ|² of every pair."""
    rows = len(batch["distance"])
    z = jax.vmap(model.encode)(jnp.concatenate([batch["x"], batch["y"], batch["midpoint"]]))
    at_x, at_y, at_midpoint = z[:rows], z[rows : 2 * rows], z[2 * rows :]
    first = jax.vmap(first_quotient)(at_x, at_y, batch["distance"])
    second = jax.vmap(second_quotient)(at_x, at_y, at_midpoint, batch["distance"])
    return distortion.of_square(jax.vmap(squared_length)(first)), jax.vmap(squared_length)(second)


def stress(model: Autoencoder, batch: Batch, key: Key[Array, ""]) -> Terms:
    """Objective: `stress`, the mean squared relative error of latent distances, over far and near pairs.

    Of far pairs the error counts relative to the mean distance, of near pairs to their own.
    """
    return {"stress": jnp.mean(stress_per_sample(model, batch))}


def stress_per_sample(model: Autoencoder, batch: Batch) -> Float[Array, " batch"]:
    """Metric: the squared error of the latent distance of every far pair, relative to the mean distance."""
    rows = len(batch["far_distance"])
    z = jax.vmap(model.encode)(jnp.concatenate([batch["x"], batch["far"]]))
    found = jax.vmap(norm)(z[:rows] - z[rows:])
    return ((found - batch["far_distance"]) / jnp.mean(batch["far_distance"])) ** 2


def reconstruction(model: Autoencoder, batch: Batch, key: Key[Array, ""]) -> Terms:
    """Objective: `reconstruction`, the mean squared error per number, in units of the data's variance."""
    return {"reconstruction": jnp.mean(_squared_errors(model, batch)) / model.scale**2}


def reconstruction_error(model: Autoencoder, batch: Batch) -> Float[Array, " batch"]:
    """Metric: the Euclidean distance of every sample to its reconstruction, in data units."""
    return jnp.sqrt(batch["x"].shape[1] * _squared_errors(model, batch))


def _squared_errors(model: Autoencoder, batch: Batch) -> Float[Array, " batch"]:
    z = batch["z"] if "z" in batch else jax.vmap(model.encode)(batch["x"])
    return jnp.mean((batch["x"] - jax.vmap(model.decode)(z)) ** 2, axis=1)


# ---- starts that depend on data


def start_encoder(model: Autoencoder, batch: Batch) -> Autoencoder:
    """The median stretch of near pairs is one: the encoder begins neither collapsed nor torn."""
    difference = jax.vmap(model.encode)(batch["y"]) - jax.vmap(model.encode)(batch["x"])
    stretch = jnp.median(jax.vmap(norm)(difference) / batch["distance"])
    return eqx.tree_at(lambda m: m.gain, model, model.gain / jnp.maximum(stretch, 1e-12))


def start_decoder(model: Autoencoder, batch: Batch) -> Autoencoder:
    """The decoder sees latent coordinates about zero, of order one."""
    z = batch["z"] if "z" in batch else jax.vmap(model.encode)(batch["x"])
    centre = jnp.mean(z, axis=0)
    spread = jnp.sqrt(jnp.mean(jnp.sum((z - centre[None]) ** 2, axis=1)) / z.shape[1])
    where = lambda m: (m.latent_loc, m.latent_scale)
    return eqx.tree_at(where, model, (centre, jnp.maximum(spread, 1e-12)))


def encode_batch(model: Autoencoder, batch: Batch) -> Batch:
    """The batch of a phase with a finished encoder: samples and their latent coordinates."""
    return {"x": batch["x"], "z": jax.vmap(model.encode)(batch["x"])}


# ---- batches


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
        return {
            "x": image(pair.x),
            "y": image(pair.y),
            "midpoint": image(pair.midpoint),
            "distance": pair.distance,
            "far": image(other),
            "far_distance": manifold.distance(pair.x, other),
        }
