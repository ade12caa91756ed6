"""Is a fit of a physics with corrections any good, and can its parameters be told from the corrections?"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax.data import Samples
from latax.estimators.assessment import Assessment, history_findings, pca_error, spread
from latax.estimators.rows import map_rows
from latax.evaluate import Diagnosis, rules

#: Rows of which the information about the parameters is looked at.
INFORMATION_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class PhysicsAssessment(Assessment):
    """What is known about the fit of a physics with corrections, on held-out rows.

    - `errors`: root mean square error of each reconstruction, in data units; `pca_error`: that of PCA with as many
        coordinates, where training rows were given; `data_scale`: that of the mean.
    - `shares`: of the reconstruction that the physics explains.
    - `confusion`: for each parameter, by how much the corrections widen what the data say about it: the ratio of its
        standard deviation with all other latent coordinates unknown and known (median over rows).
    - `prior_left`: for each parameter, its standard deviation given the data in units of the prior's.
    """

    errors: Float[np.ndarray, " N"]
    data_scale: float
    shares: Float[np.ndarray, " N"]
    confusion: dict[str, float]
    prior_left: dict[str, float]
    pca_error: float | None = None


def assess_physics(estimator: Any, held_out: Samples, training: Samples | None) -> PhysicsAssessment:
    """Judges a physics with corrections by held-out sequences."""
    held_out = held_out.take(spread(np.arange(len(held_out))))
    x = np.asarray(held_out.X, np.float64)
    size = x.shape[1]
    errors = estimator.reconstruction_error(held_out) / np.sqrt(size)
    scale = float(np.sqrt(np.mean((x - x.mean(axis=0)) ** 2)))
    shares = estimator.explain(held_out).physics
    left, widened = _information(estimator, x)
    rms = float(np.sqrt(np.mean(errors**2)))
    findings = [rules.reconstruction_against_scale(rms, scale)]
    pca = None
    if training is not None:
        module = estimator._centred
        count = module.physics.parameters.size + module.inside_size + module.outside_size
        pca = pca_error(training, held_out, max(count, 1)) / float(np.sqrt(size))
        findings.append(rules.reconstruction_against_pca(rms, pca, scale))
    findings.append(rules.physics_share(float(np.median(shares))))
    findings += [rules.identifiable(name, left[name], widened[name]) for name in left]
    findings += history_findings(estimator)
    return PhysicsAssessment(
        diagnosis=Diagnosis(tuple(findings)),
        errors=errors,
        data_scale=scale,
        shares=shares,
        confusion=widened,
        prior_left=left,
        pca_error=pca,
    )


def _information(estimator: Any, x: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """({parameter: sd in units of the prior's}, {parameter: by how much the corrections widen it}), medians."""
    marginal, alone = map_rows(_spreads, estimator._centred, x[:INFORMATION_ROWS].astype(np.float32))
    left, widened, start = {}, {}, 0
    for parameter in estimator._centred.physics.parameters.parameters:
        columns = slice(start, start + parameter.size)
        start += parameter.size
        left[parameter.name] = float(np.median(marginal[:, columns].max(axis=1)))
        widened[parameter.name] = float(np.median((marginal[:, columns] / alone[:, columns]).max(axis=1)))
    return left, widened


def _spreads(module: Any, x: Array) -> tuple[Array, Array]:
    """Standard deviations of the parameters' coordinates by Fisher information and prior: given the sequence, and given
    also all other latent coordinates."""
    x = x.reshape(len(module.times), *module.scale.shape)
    latents = module.encode(x)
    count = latents.physics.shape[0]

    def decode(z: Array) -> Array:
        physics, inside, outside = jnp.split(z, np.cumsum([count, module.inside_size]))
        made = module.decode(latents._replace(physics=physics, inside=inside, outside=outside))
        return (made / module.noise[None]).ravel()

    J = jax.jacfwd(decode)(jnp.concatenate([latents.physics, latents.inside, latents.outside]))
    # R of the QR of [J; I]: R^T R is the information with the prior's, and is never formed.
    R = jnp.linalg.qr(jnp.concatenate([J, jnp.eye(J.shape[1], dtype=J.dtype)]), mode="r")
    inverse = jax.scipy.linalg.solve_triangular(R, jnp.eye(J.shape[1], dtype=J.dtype))
    marginal = jnp.sqrt(jnp.sum(inverse**2, axis=1))
    alone = 1 / jnp.sqrt(jnp.sum(J**2, axis=0) + 1)
    return marginal[:count], alone[:count]
