"""Is this fit any good? The numbers that a diagnosis and a report are made of, on held-out data."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Int

from latax import calculus
from latax.data import Samples
from latax.estimators.rows import CHUNK, map_rows
from latax.estimators.splitting import evenly
from latax.evaluate import Calibration, Diagnosis, Finding, MetricSpectrum, calibration, metric_spectrum, rules
from latax.evaluate.diagnose import cannot_tell

#: Rows that are looked at: what goes through the model in one call. More would change no verdict.
MOST_ROWS = CHUNK
#: Rows of which the decoder's Jacobian is looked at, and most numbers in all of these Jacobians.
SPECTRUM_ROWS, SPECTRUM_NUMBERS = 1000, 2**25
#: Held-out rows below which a check of a distribution, or of a difference to training rows, cannot pass.
FEWEST_ROWS = 50
#: Training rows that are looked at, where held-out rows are fewer.
TRAINING_ROWS = 256


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What is known about a fit on held-out rows, in data units and nats: of every model its diagnosis."""

    diagnosis: Diagnosis


@dataclass(frozen=True, kw_only=True)
class DensityAssessment(Assessment):
    """What is known about the fit of a density.

    - `scored`: the parts of the log density of each row; `base`: its point of the base space.
    - `calibration`: whether the base points are standard normal, as they should be.
    - `training_log_prob`, `training_errors`: the same of training rows, where they were given.
    - `errors`, `pca_error`, `data_scale`: distances to the manifold, the root mean square of those of PCA with the same
        latent size, and the root mean square distance of the data from their mean. None for ambient models.
    - `spectrum`: the singular values of the decoder's Jacobian. None for ambient models.
    """

    scored: Any
    base: Float[np.ndarray, "N n"]
    calibration: Calibration
    data_scale: float
    training_log_prob: Float[np.ndarray, " M"] | None = None
    errors: Float[np.ndarray, " N"] | None = None
    training_errors: Float[np.ndarray, " M"] | None = None
    pca_error: float | None = None
    spectrum: MetricSpectrum | None = None


def assess_manifold(estimator: Any, held_out: Samples, training: Samples | None) -> DensityAssessment:
    """Judges a density on a manifold by held-out samples, and by the difference to training samples where given."""
    held_out, training = _some(held_out, training)
    scored, base = _look(estimator, held_out)
    known = _common(held_out, scored, base)
    known |= {"errors": scored.reconstruction_error, "spectrum": _spectrum(estimator, held_out, scored.latent)}
    if training is not None:
        trained, _ = _look(estimator, training)
        known |= {
            "training_log_prob": trained.log_prob,
            "training_errors": trained.reconstruction_error,
            "pca_error": pca_error(training, held_out, scored.latent.shape[1]),
        }
    return _judged(estimator, known, _manifold_findings(known, known["data_scale"]))


def assess_ambient(estimator: Any, held_out: Samples, training: Samples | None) -> DensityAssessment:
    """The same for a density of all dimensions."""
    held_out, training = _some(held_out, training)
    scored, base = _look(estimator, held_out)
    known = _common(held_out, scored, base)
    if training is not None:
        known["training_log_prob"] = _look(estimator, training)[0].log_prob
    return _judged(estimator, known, [_thinness(estimator, held_out, scored.log_prob)])


def spread(rows: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " some"]:
    """At most `MOST_ROWS` of these rows, spread evenly."""
    return evenly(rows, MOST_ROWS)


def rows_to_judge(estimator: Any, samples: Samples) -> tuple[Samples, Samples]:
    """(training, held-out) rows of the samples that a model was fitted on, thinned before anything is read: all of the
    training rows may not fit into memory."""
    training, held_out = (samples.take(spread(rows)) for rows in estimator.rows(samples))
    return training, held_out


def _some(held_out: Samples, training: Samples | None) -> tuple[Samples, Samples | None]:
    """At most `MOST_ROWS` rows of both, and no more training than held-out rows, so that one compilation serves both;
    but enough of them for their own quantiles and principal directions."""
    held_out = held_out.take(spread(np.arange(len(held_out))))
    if training is not None:
        training = training.take(evenly(np.arange(len(training)), max(len(held_out), TRAINING_ROWS)))
    return held_out, training


def _look(estimator: Any, samples: Samples) -> tuple[Any, np.ndarray]:
    """(parts of the log density, base points) of the samples."""
    x = estimator.scaling_.centre(np.asarray(samples.X))
    return map_rows(_scored_and_base, estimator._centred, x, estimator._context(samples.context))


def _common(held_out: Samples, scored: Any, base: np.ndarray) -> dict[str, Any]:
    x = np.asarray(held_out.X, np.float64)
    scale = _rms(np.linalg.norm(x - x.mean(axis=0), axis=1))
    return {"scored": scored, "base": base, "calibration": calibration(base), "data_scale": scale}


def _judged(estimator: Any, known: dict[str, Any], findings: list[Finding]) -> DensityAssessment:
    log_prob, size = known["scored"].log_prob, known["base"].shape[1]
    findings += _density_findings(known["calibration"], log_prob, known.get("training_log_prob"), size)
    findings += history_findings(estimator)
    return DensityAssessment(diagnosis=Diagnosis(tuple(findings)), **known)


def _spectrum(estimator: Any, held_out: Samples, latent: np.ndarray) -> MetricSpectrum:
    """Singular values of the decoder's Jacobian at latent points of held-out rows."""
    rows = min(SPECTRUM_ROWS, max(1, SPECTRUM_NUMBERS // (held_out.X.shape[1] * latent.shape[1])))
    context = None if held_out.context is None else estimator._context(held_out.context[:rows])
    jacobians = map_rows(_jacobian, estimator._centred, latent[:rows], context)
    return metric_spectrum(np.linalg.svd(jacobians, compute_uv=False))


def _manifold_findings(known: dict[str, Any], scale: float) -> list[Finding]:
    errors, spectrum = known["errors"], known["spectrum"]
    findings = [against_scale(_rms(errors), scale, len(errors))]
    if "training_errors" in known:
        training = known["training_errors"]
        findings += [
            rules.reconstruction_against_pca(_rms(errors), known["pca_error"], scale),
            enough(rules.off_manifold(rules.off_manifold_fraction(errors, training), len(errors)), len(errors)),
            enough(rules.error_gap(_rms(training), _rms(errors)), len(errors)),
        ]
    size = spectrum.singular_values.shape[1]
    if size > 1:  # a single direction has none to be compared with
        findings.append(rules.metric_condition(float(np.median(spectrum.condition))))
        findings.append(rules.unused_latents(spectrum.unused_directions(), size))
    return findings


def against_scale(error: float, scale: float, rows: int) -> Finding:
    """The reconstruction error against the data's scale, which a single row does not have."""
    finding = rules.reconstruction_against_scale(error, scale)
    return cannot_tell(finding, rows) if rows < 2 else finding


def enough(finding: Finding, rows: int) -> Finding:
    """The finding; what passed only because rows are few does not pass."""
    return cannot_tell(finding, rows) if finding.verdict == "good" and rows < FEWEST_ROWS else finding


def _density_findings(
    calibrated: Calibration, log_prob: np.ndarray, training: np.ndarray | None, size: int
) -> list[Finding]:
    findings = [enough(rules.density_calibration(calibrated.worst_error, calibrated.worst_noise), len(log_prob))]
    lost = int((~np.isfinite(log_prob)).sum())
    if lost:
        findings.append(rules.not_finite(lost, len(log_prob), "a log density"))
    if training is not None:
        error = float(np.hypot(*(np.nanstd(v) / np.sqrt(len(v)) for v in (log_prob, training))))
        gap = rules.log_prob_gap(float(training.mean()), float(log_prob.mean()), size, standard_error=error)
        findings.append(enough(gap, len(log_prob)))
    return findings


def _thinness(estimator: Any, held_out: Samples, log_prob: np.ndarray) -> Finding:
    """How much a little noise costs: an ambient density that is a thin sheet loses a lot."""
    x = np.asarray(held_out.X, np.float64)
    noise = np.random.default_rng(0).normal(size=x.shape) * 0.01 * x.std(axis=0)
    noisy = Samples(x + noise, held_out.context, held_out.feature_names, held_out.context_names)
    return rules.thin_density(float(np.mean(log_prob - _look(estimator, noisy)[0].log_prob)), x.shape[1])


def history_findings(estimator: Any) -> list[Finding]:
    """Whether each phase was still getting better when it ended."""
    findings = []
    for phase in dict.fromkeys(record["phase"] for record in estimator.history_):
        values = [r["validation"] for r in estimator.history_ if r["phase"] == phase and "validation" in r]
        if values:
            best = np.asarray(values)[:, estimator.best_]
            unit = "nats" if phase == "density" else "relative"
            findings.append(rules.still_improving(phase, best, unit=unit))
    return findings


def pca_error(training: Samples, held_out: Samples, latent_size: int) -> float:
    """Root mean square distance of held-out rows from the principal subspace of the training rows."""
    from sklearn.decomposition import PCA

    x, y = np.asarray(training.X, np.float64), np.asarray(held_out.X, np.float64)
    found = PCA(min(latent_size, *x.shape), svd_solver="full").fit(x)
    return _rms(np.linalg.norm(y - found.inverse_transform(found.transform(y)), axis=1))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _scored_and_base(module: Any, x: Array, context: Array | None) -> tuple[Any, Array]:
    return module.log_prob(x, context), module.base(x, context)


def _jacobian(module: Any, u: Array, context: Array | None) -> Array:
    return calculus.jacobian_by_jvps(lambda u: module.decode(u, context), u)[1]
