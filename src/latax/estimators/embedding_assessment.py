"""Is an embedding any good? Pairs of points with known distances say so."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from latax.data import Samples
from latax.data.rendered import RenderedManifold
from latax.estimators.assessment import Assessment, against_scale, history_findings, spread
from latax.estimators.halfway import Interpolation
from latax.estimators.nearness import AbstractNearness
from latax.evaluate import Diagnosis, rules
from latax.evaluate.embedding import far_pair_ratio, principal_dimension
from latax.models.autoencoder import Autoencoder
from latax.models.low_bending import energies, far_lengths, stretches
from latax.train import Batch

#: Near pairs, or samples with their neighbours, that are looked at, and far pairs.
PAIRS, FAR_PAIRS = 4096, 4096
_SEED = 1


class Looked(NamedTuple):
    """Near and far pairs as the model sees them.

    - `distortion`, `bending`: of each near pair, or their means over the neighbours of each sample; `stretch`: latent
        distance / distance of all near ones; `latent`: coordinates of their first samples.
    - `far_length`, `far_distance`: latent and true distances of far pairs.
    """

    distortion: Float[np.ndarray, " N"]
    bending: Float[np.ndarray, " N"]
    stretch: Float[np.ndarray, " M"]
    latent: Float[np.ndarray, "N l"]
    far_length: Float[np.ndarray, " F"]
    far_distance: Float[np.ndarray, " F"]


@dataclass(frozen=True, kw_only=True)
class EmbeddingAssessment(Assessment):
    """What is known about an embedding.

    - `energy`: distortion + λ bending of near pairs, and its standard error; `lowest`: that of the best multiple of
        the classical embedding over the same kind of pairs, or neighbourhoods, which no map of near pairs can go below;
        None where it is not known, and for λ = 0.
    - `far_ratio`: of `latax.evaluate.embedding.far_pair_ratio`; `dimension`: of `principal_dimension`.
    - `interpolation`: None without a decoder, and where the samples between others are not known.
    - `rendered`: what drew the samples, where anything did.
    """

    looked: Looked
    energy: float
    energy_error: float
    lowest: float | None
    far_ratio: float
    dimension: int
    interpolation: Interpolation | None
    rendered: RenderedManifold | None


def assess_embedding(estimator: Any, near: AbstractNearness, held_out: Samples) -> EmbeddingAssessment:
    """Judges an embedding by what is known of near and far samples, and its decoder by held-out samples, too."""
    looked = look(estimator, near, PAIRS, seed=_SEED, far=FAR_PAIRS)
    total = looked.distortion + estimator._weight * looked.bending
    energy, error = float(np.mean(total)), float(np.std(total) / np.sqrt(len(total)))
    ratio = far_pair_ratio(looked.far_length / np.median(looked.stretch), looked.far_distance, near.reach)
    findings = [rules.covered_twice(ratio)]
    lowest = near.lowest(estimator._weight, estimator._distortion, PAIRS, _SEED)
    if lowest is not None:
        findings.insert(0, rules.energy_against_lowest(energy, lowest, standard_error=error))
    interpolation = None
    if estimator.decoder:
        held_out = held_out.take(spread(np.arange(len(held_out))))
        x = np.asarray(held_out.X, np.float64)
        errors = estimator.reconstruction_error(held_out)
        scale = float(np.sqrt(np.mean(np.sum((x - x.mean(axis=0)) ** 2, axis=1))))
        findings.append(against_scale(float(np.sqrt(np.mean(errors**2))), scale, len(x)))
        interpolation = near.interpolation(estimator._centred)
    findings += history_findings(estimator)
    manifold = estimator._manifold
    return EmbeddingAssessment(
        diagnosis=Diagnosis(tuple(findings)),
        looked=looked,
        energy=energy,
        energy_error=error,
        lowest=lowest,
        far_ratio=ratio,
        dimension=principal_dimension(looked.latent),
        interpolation=interpolation,
        rendered=manifold if isinstance(manifold, RenderedManifold) else None,
    )


def look(estimator: Any, near: AbstractNearness, count: int, *, seed: int, far: int = 0) -> Looked:
    """About `count` near pairs, and `far` far ones at least, as the fitted model sees them; the same for the same
    seed."""
    judged = near.judging(count, seed, far=far)
    pieces = [_look(estimator._centred, batch, estimator._distortion) for batch in judged]
    return Looked(*(np.concatenate([np.asarray(leaf) for leaf in leaves]) for leaves in zip(*pieces, strict=True)))


@eqx.filter_jit
def _look(model: Autoencoder, batch: Batch, distortion: Any) -> tuple:
    near = *energies(model, batch, distortion), stretches(model, batch), jax.vmap(model.encode)(batch["x"])
    return *near, far_lengths(model, batch), batch["far_distance"]
