"""Low-bending, low-distortion autoencoders: an encoder that is as isometric and as flat as the manifold allows.

The encoder φ minimises, over pairs of near points with their distance and midpoint on the data manifold,

    mean γ(|∂φ|) + λ |∂²φ|²

with the difference quotients of `latax.geometry.quotient`; no derivative of the network is taken. No decoder is needed
for this; one is trained afterwards, on the finished latent coordinates, or together with the encoder, which then weighs
what can be rebuilt against lengths and bending. Pairs of near points cannot tell an embedding from one that winds twice
around, so the encoder starts from the distances of far pairs.
Braunsmann, Rajković, Rumpf and Wirth, "Learning low bending and low distortion manifold embeddings", arXiv 2104.13189,
and "Convergent autoencoder approximation ...", arXiv 2208.10193 (equations by our reconstruction).

Batches hold flat samples. Near pairs: `x`, `y` and `midpoint` (B, d) with `distance` (B,). Or, where no midpoints are
known, samples with neighbours at known places: `x` (B, d), `neighbours` (B, k, d) with `distance` (B, k), and the
stencil `second` (B, h, k) of `latax.geometry.hessian_stencils`, in place of ∂²φ. Both have far pairs: `far_x` and
`far_y` (B, d) with `far_distance` (B,). For the decoder `decoded` (B, d), where it is there, takes the place of `x`.
The samplers of batches are in `latax.models.near_pairs`.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from latax.geometry import AbstractDistortion, mean_bending, stencil_hessian
from latax.geometry.quotient import first_quotient, second_quotient, squared_length
from latax.geometry.smooth import norm
from latax.models.autoencoder import Autoencoder
from latax.train import Batch

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


class JointObjective(eqx.Module):
    """Terms `distortion`, `bending` and `reconstruction`, for encoder and decoder together."""

    distortion: AbstractDistortion

    def __call__(self, model: Autoencoder, batch: Batch, key: Key[Array, ""]) -> Terms:
        """The means over the batch."""
        terms = EmbeddingObjective(self.distortion)(model, batch, key)
        return terms | reconstruction(model, encode_batch(model, batch), key)


class JointEnergy(eqx.Module):
    """Metric: γ + λ |∂²φ|² of every pair, and the weighted squared error of one sample's reconstruction."""

    distortion: AbstractDistortion
    bending_weight: float = eqx.field(static=True)
    reconstruction_weight: float = eqx.field(static=True)

    def __call__(self, model: Autoencoder, batch: Batch) -> Float[Array, " batch"]:
        """The sum for every pair."""
        energy = EmbeddingEnergy(self.distortion, self.bending_weight)(model, batch)
        errors = _squared_errors(model, encode_batch(model, batch)) / model.scale**2
        return energy + self.reconstruction_weight * errors


def energies(
    model: Autoencoder, batch: Batch, distortion: AbstractDistortion
) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
    """γ(|∂φ|) and |∂²φ|² of every near pair; or their means over the neighbours, or directions, of every sample."""
    return (_of_neighbours if "neighbours" in batch else _of_pairs)(model, batch, distortion)


def _of_pairs(model: Autoencoder, batch: Batch, distortion: AbstractDistortion) -> tuple[Array, Array]:
    rows = len(batch["distance"])
    z = jax.vmap(model.encode)(jnp.concatenate([batch["x"], batch["y"], batch["midpoint"]]))
    at_x, at_y, at_midpoint = z[:rows], z[rows : 2 * rows], z[2 * rows :]
    first = jax.vmap(first_quotient)(at_x, at_y, batch["distance"])
    second = jax.vmap(second_quotient)(at_x, at_y, at_midpoint, batch["distance"])
    return distortion.of_square(jax.vmap(squared_length)(first)), jax.vmap(squared_length)(second)


def _of_neighbours(model: Autoencoder, batch: Batch, distortion: AbstractDistortion) -> tuple[Array, Array]:
    differences = _differences(model, batch)
    squares = jnp.sum(differences**2, axis=2) / batch["distance"] ** 2
    hessians = jax.vmap(stencil_hessian)(batch["second"], differences)
    return jnp.mean(distortion.of_square(squares), axis=1), jax.vmap(mean_bending)(hessians)


def _differences(model: Autoencoder, batch: Batch) -> Float[Array, "batch k l"]:
    """φ(y) - φ(x) for all neighbours y."""
    rows, k, size = batch["neighbours"].shape
    z = jax.vmap(model.encode)(jnp.concatenate([batch["x"], batch["neighbours"].reshape(rows * k, size)]))
    return z[rows:].reshape(rows, k, -1) - z[:rows, None]


def stretches(model: Autoencoder, batch: Batch) -> Float[Array, " near"]:
    """|φ(y) - φ(x)| / d of all near pairs in the batch."""
    if "neighbours" in batch:
        differences = _differences(model, batch)
        return jax.vmap(norm)(differences.reshape(-1, differences.shape[2])) / batch["distance"].ravel()
    difference = jax.vmap(model.encode)(batch["y"]) - jax.vmap(model.encode)(batch["x"])
    return jax.vmap(norm)(difference) / batch["distance"]


def far_lengths(model: Autoencoder, batch: Batch) -> Float[Array, " batch"]:
    """The latent distance of every far pair."""
    rows = len(batch["far_distance"])
    z = jax.vmap(model.encode)(jnp.concatenate([batch["far_x"], batch["far_y"]]))
    return jax.vmap(norm)(z[:rows] - z[rows:])


def stress(model: Autoencoder, batch: Batch, key: Key[Array, ""]) -> Terms:
    """Objective: `stress`, the mean squared error of the latent distances of far pairs, relative to their mean."""
    return {"stress": jnp.mean(stress_per_sample(model, batch))}


def stress_per_sample(model: Autoencoder, batch: Batch) -> Float[Array, " batch"]:
    """Metric: the squared error of the latent distance of every far pair, relative to the mean distance."""
    return ((far_lengths(model, batch) - batch["far_distance"]) / jnp.mean(batch["far_distance"])) ** 2


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
    stretch = jnp.median(stretches(model, batch))
    return eqx.tree_at(lambda m: m.gain, model, model.gain / jnp.maximum(stretch, 1e-12))


def start_decoder(model: Autoencoder, batch: Batch) -> Autoencoder:
    """The decoder sees latent coordinates about zero, of order one."""
    z = batch["z"] if "z" in batch else jax.vmap(model.encode)(batch["x"])
    centre = jnp.mean(z, axis=0)
    spread = jnp.sqrt(jnp.mean(jnp.sum((z - centre[None]) ** 2, axis=1)) / z.shape[1])
    where = lambda m: (m.latent_loc, m.latent_scale)
    return eqx.tree_at(where, model, (centre, jnp.maximum(spread, 1e-12)))


def start_both(model: Autoencoder, batch: Batch) -> Autoencoder:
    """`start_encoder`, then `start_decoder`."""
    return start_decoder(start_encoder(model, batch), batch)


def encode_batch(model: Autoencoder, batch: Batch) -> Batch:
    """The batch of a phase with a finished encoder: samples and their latent coordinates."""
    x = batch.get("decoded", batch["x"])
    return {"x": x, "z": jax.vmap(model.encode)(x)}
