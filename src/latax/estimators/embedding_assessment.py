"""Is an embedding any good? Fresh pairs of points with known distances say so."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from latax.data import Samples
from latax.data.rendered import RenderedManifold
from latax.estimators.assessment import Assessment, against_scale, history_findings, spread
from latax.evaluate import Diagnosis, rules
from latax.evaluate.embedding import far_pair_ratio, principal_dimension
from latax.geometry import lowest_energy, lowest_is_known
from latax.models.autoencoder import Autoencoder
from latax.models.low_bending import RenderedPairs, energies

#: Fresh pairs that are looked at, in pieces, and pairs for each distance of an interpolation.
PAIRS, AT_ONCE, PER_DISTANCE = 4096, 512, 64
#: Distances of interpolated pairs, as shares of the injectivity radius.
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.95)


class Looked(NamedTuple):
    """Fresh pairs as the model sees them: energies of near ones, and latent coordinates of far ones."""

    distortion: Float[np.ndarray, " N"]
    bending: Float[np.ndarray, " N"]
    stretch: Float[np.ndarray, " N"]
    latent: Float[np.ndarray, "N l"]
    far_latent: Float[np.ndarray, "N l"]
    far_distance: Float[np.ndarray, " N"]


class Interpolation(NamedTuple):
    """Root mean square errors, per number of an image in data units, of images halfway between two, by distance.

    - `decoded`: the decoder at the middle of the latent coordinates; `averaged`: the mean of the two images;
        `rebuilt`: the reconstruction of the true image in the middle, which no path can do much better than.
    """

    distance: Float[np.ndarray, " D"]
    decoded: Float[np.ndarray, " D"]
    averaged: Float[np.ndarray, " D"]
    rebuilt: Float[np.ndarray, " D"]


@dataclass(frozen=True, kw_only=True)
class EmbeddingAssessment(Assessment):
    """What is known about an embedding of a rendered manifold.

    - `energy`: distortion + λ bending of near pairs, and its standard error; `lowest`: that no map can go below, or
        None where it is not known.
    - `far_ratio`: of `latax.evaluate.embedding.far_pair_ratio`; `dimension`: of `principal_dimension`.
    - `interpolation`: None without a decoder, and where the manifold has no farthest distance.
    """

    looked: Looked
    energy: float
    energy_error: float
    lowest: float | None
    far_ratio: float
    dimension: int
    interpolation: Interpolation | None


def assess_embedding(estimator: Any, held_out: Samples, training: Samples | None) -> EmbeddingAssessment:
    """Judges an embedding by fresh pairs, and its decoder by held-out samples, too."""
    looked = look(estimator, PAIRS, seed=1)
    total = looked.distortion + estimator._weight * looked.bending
    energy, error = float(np.mean(total)), float(np.std(total) / np.sqrt(len(total)))
    latent = np.linalg.norm(looked.latent - looked.far_latent, axis=1)
    ratio = far_pair_ratio(latent / np.median(looked.stretch), looked.far_distance)
    findings = [rules.covered_twice(ratio)]
    lowest = lowest_of(estimator)
    if lowest is not None:
        findings.insert(0, rules.energy_against_lowest(energy, lowest))
    interpolation = None
    if estimator.decoder:
        held_out = held_out.take(spread(np.arange(len(held_out))))
        x = np.asarray(held_out.X, np.float64)
        errors = estimator.reconstruction_error(held_out)
        scale = float(np.sqrt(np.mean(np.sum((x - x.mean(axis=0)) ** 2, axis=1))))
        findings.append(against_scale(float(np.sqrt(np.mean(errors**2))), scale, len(x)))
        interpolation = interpolate(estimator)
    findings += history_findings(estimator)
    return EmbeddingAssessment(
        diagnosis=Diagnosis(tuple(findings)),
        looked=looked,
        energy=energy,
        energy_error=error,
        lowest=lowest,
        far_ratio=ratio,
        dimension=principal_dimension(looked.latent),
        interpolation=interpolation,
    )


def lowest_of(estimator: Any) -> float | None:
    """The lowest energy of any embedding for these pairs, where it is known."""
    sampler = estimator._sampler
    if not lowest_is_known(sampler.manifold):
        return None
    return lowest_energy(sampler.manifold, estimator._weight, law=sampler.law, distortion=estimator._distortion).energy


def look(estimator: Any, count: int, *, seed: int) -> Looked:
    """`count` fresh pairs as the fitted model sees them, the same for the same seed."""
    pairs, keys = estimator._pairs, jr.split(jr.key(seed), count // AT_ONCE)
    pieces = [_look(estimator._centred, pairs, key, estimator._distortion) for key in keys]
    return Looked(*(np.concatenate([np.asarray(leaf) for leaf in leaves]) for leaves in zip(*pieces, strict=True)))


@eqx.filter_jit
def _look(model: Autoencoder, pairs: RenderedPairs, key: Key[Array, ""], distortion: Any) -> tuple[Array, ...]:
    batch = pairs(key, AT_ONCE)
    gamma, bending = energies(model, batch, distortion)
    encode = jax.vmap(model.encode)
    x, y, far = encode(batch["x"]), encode(batch["y"]), encode(batch["far"])
    stretch = jnp.linalg.norm(y - x, axis=1) / batch["distance"]
    return (gamma, bending, stretch, x, far, batch["far_distance"])


def interpolate(estimator: Any, *, seed: int = 2) -> Interpolation | None:
    """How well latent lines cross from image to image, for pairs at each of some distances."""
    rendered: RenderedManifold = estimator._rendered
    radius = rendered.manifold.injectivity_radius
    if not np.isfinite(radius):
        return None
    distances = np.array(SHARES) * radius
    loc = jnp.asarray(estimator.scaling_.loc, jnp.float32)
    found = _interpolate(estimator._centred, rendered, loc, jnp.asarray(distances, jnp.float32), jr.key(seed))
    return Interpolation(distances, *(np.asarray(error, np.float64) for error in found))


@eqx.filter_jit
def _interpolate(
    model: Autoencoder,
    rendered: RenderedManifold,
    loc: Float[Array, " d"],
    distances: Float[Array, " D"],
    key: Key[Array, ""],
) -> tuple[Array, Array, Array]:
    manifold = rendered.manifold

    def one(key: Key[Array, ""], distance: Float[Array, ""]) -> tuple[Array, Array, Array]:
        a, b = jr.split(key)
        x = manifold.sample(a)
        v = distance * manifold.direction(x, b)
        start, middle, end = (rendered.render(manifold.exp(x, t * v)).ravel() - loc for t in (0.0, 0.5, 1.0))
        z = 0.5 * (model.encode(start) + model.encode(end))
        square = lambda guess: jnp.mean((guess - middle) ** 2)
        return square(model.decode(z)), square(0.5 * (start + end)), square(model.decode(model.encode(middle)))

    def at(distance: Float[Array, ""]) -> tuple[Array, Array, Array]:
        squares = jax.vmap(one, (0, None))(jr.split(key, PER_DISTANCE), distance)
        return tuple(jnp.sqrt(jnp.mean(square)) for square in squares)  # pyright: ignore[reportReturnType]

    return jax.lax.map(at, distances)
