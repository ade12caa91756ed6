"""Is a fit of a physics with corrections any good, and can its parameters be told from the corrections?"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr

from latax.data import Samples
from latax.estimators.assessment import history_findings
from latax.estimators.physics_spread import Spreads, spreads
from latax.estimators.sequence_assessment import SequenceAssessment, chosen, judge_sequences
from latax.estimators.splitting import evenly
from latax.evaluate import Diagnosis, Finding, rules

#: Rows of which the information about the parameters is looked at.
INFORMATION_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class PhysicsAssessment(SequenceAssessment):
    """What is known about the fit of a physics with corrections, on held-out rows.

    - `shares`: of the reconstruction that the physics explains; NaN where there is nothing to explain.
    - `confusion`: for each parameter, by how much the corrections, and what they may still miss, widen what the data
        say about it: the ratio of its standard deviation with all of that unknown and known (median over rows).
    - `prior_left`: for each parameter, its standard deviation given the data in units of the prior's.
    """

    shares: Float[np.ndarray, " N"]
    confusion: dict[str, float]
    prior_left: dict[str, float]


def assess_physics(estimator: Any, held_out: Samples, training: Samples | None) -> PhysicsAssessment:
    """Judges a physics with corrections by held-out sequences."""
    held_out = chosen(held_out)
    numbers, findings = judge_sequences(estimator, held_out, training)
    shares = estimator.explain(held_out).physics
    some = held_out.X[evenly(np.arange(len(held_out)), INFORMATION_ROWS)]
    found = spreads(estimator._centred, np.asarray(some, np.float32), estimator.remembered_)
    left, widened = _medians(estimator._centred.physics.parameters, found)
    findings.append(rules.physics_share(_median(shares)))
    findings += [rules.identifiable(name, left[name], widened[name]) for name in left]
    findings += _at_bounds(estimator, held_out)
    findings += _against_truth(estimator, held_out)
    findings += history_findings(estimator)
    return PhysicsAssessment(
        diagnosis=Diagnosis(tuple(findings)), shares=shares, confusion=widened, prior_left=left, **numbers
    )


def _at_bounds(estimator: Any, held_out: Samples) -> list[Finding]:
    """A finding for each parameter with two finite bounds that are not the same point."""
    Z, findings = estimator._encode(held_out, None), []
    for column, parameter in enumerate(estimator._centred.physics.parameters.parameters):
        width = parameter.upper - parameter.lower
        if parameter.circular or not np.isfinite(width):
            continue
        # Where a prior goes over orders of magnitude, a hundredth of the range may be half of it.
        quantile = ndtr(np.asarray(jax.vmap(parameter.to_normal)(Z[:, column]))[:, 0])
        at_bound = _outermost((Z[:, column] - parameter.lower) / width) & _outermost(quantile)
        share = float(np.mean(at_bound))
        findings.append(rules.within_bounds(parameter.name, share, parameter.lower, parameter.upper))
    return findings


def _against_truth(estimator: Any, held_out: Samples) -> list[Finding]:
    """A finding for each parameter whose true values came with the samples."""
    space, findings = estimator._centred.physics.parameters, []
    known = [parameter for parameter in space.parameters if parameter.name in held_out.truth]
    found = estimator.parameters(held_out) if known else {}
    for parameter in known:
        estimate, truth = found[parameter.name], np.asarray(held_out.truth[parameter.name], float)
        if truth.shape != estimate.value.shape:
            continue
        covered = float(np.mean(parameter.within(truth, estimate.low, estimate.high)))
        findings.append(rules.interval_coverage(parameter.name, covered, len(truth)))
    return findings


def _median(shares: Float[np.ndarray, " N"]) -> float:
    """That of the samples with a variance to explain; NaN if none has."""
    known = shares[~np.isnan(shares)]
    return float(np.median(known)) if len(known) else float("nan")


def _outermost(part: Float[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
    return ~((part > 0.01) & (part < 0.99))


def _medians(space: Any, found: Spreads) -> tuple[dict[str, float], dict[str, float]]:
    """({parameter: sd in units of the prior's}, {parameter: by how much the corrections widen it}), medians."""
    left, widened = np.median(found.marginal, axis=0), np.median(found.marginal / found.known, axis=0)
    return dict(zip(space.names, left.tolist(), strict=True)), dict(zip(space.names, widened.tolist(), strict=True))
