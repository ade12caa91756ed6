"""Contest on the polynomial surface, where the truth is known: distance to the surface, and NLL against the optimum."""

from typing import Any

import numpy as np

from latax.data import polynomial_surface
from latax.estimators.density_verbs import ManifoldVerbs
from latax.evaluate import auc, combined_p_value
from latax.studies import measures
from latax.studies.contest import Contest, Measure

THETAS = (-1.0, 0.0, 1.0)


def polynomial_contest(rows: int, seed: int, test_rows: int = 10_000) -> Contest:
    """Brehmer and Cranmer 2020, section 4.1: the measures of their table, with the NLL beside its exact optimum."""
    test = polynomial_surface.make(test_rows, seed + 1_000_001)
    return Contest(
        title=f"Polynomial surface, {rows:,} points",
        training=polynomial_surface.make(rows, seed + 1_000_000),
        measures={
            "distance of samples": distance(test_rows),
            "reconstruction error": measures.reconstruction(test.take(slice(0, 1000))),
            "NLL above the optimum (nats)": excess_nll(test_rows, seed),
            "MMD² of samples": measures.sample_mmd(test.take(slice(0, 2000))),
            "OOD AUC (larger is better)": detection(seed),
        },
        caption="Medians of replicates with 95 % intervals where there are enough. Distance: mean vertical offset of "
        "samples at θ = 0 from the true surface. NLL: density on the manifold at θ = -1, 0, 1, less entropy; a wrong "
        "manifold can lower it, so read it with the reconstruction error. OOD: held-out points against points moved by "
        "noise of 0.1; the score combines density and distance, calibrated on other points.",
    )


def distance(count: int) -> Measure:
    """Mean |offset| from the true surface of samples at θ = 0, as in the paper."""

    def measure(model: Any) -> float:
        context = np.zeros((1, 1)) if model.context_names_ else None
        return float(np.mean(polynomial_surface.distance(model.sample(count, context=context, seed=7))))

    return measure


def excess_nll(count: int, seed: int) -> Measure:
    """Mean over θ in `THETAS` of the manifold NLL less the least possible one."""
    tests = [polynomial_surface.make(count, seed + 1_000_002 + k, theta=theta) for k, theta in enumerate(THETAS)]
    optima = [polynomial_surface.optimal_nll(theta) for theta in THETAS]

    def measure(model: Any) -> float | None:
        found = [measures.manifold_nll(test)(model) for test in tests]
        known = [nll for nll in found if nll is not None]
        return float(np.mean(np.subtract(known, optima))) if len(known) == len(optima) else None

    return measure


def detection(seed: int, count: int = 1000) -> Measure:
    """AUC of telling points at θ = 0 from the same with noise of 0.1 (spec of the paper's OOD set)."""
    calibration, inside = (polynomial_surface.make(count, seed + 1_000_010 + k, theta=0.0) for k in range(2))
    outside = polynomial_surface.make(count, seed + 1_000_012, theta=0.0, noise=0.1)

    def measure(model: Any) -> float | None:
        if not model.context_names_:
            return None
        known, near, far = (model.log_prob(samples) for samples in (calibration, inside, outside))
        if not isinstance(model, ManifoldVerbs):
            return auc(-near.log_prob, -far.log_prob)
        usual, strange = (
            combined_p_value(
                scored.log_prob,
                scored.reconstruction_error,
                validation_log_prob=known.log_prob,
                validation_reconstruction_error=known.reconstruction_error,
            )
            for scored in (near, far)
        )
        return auc(-usual, -strange)

    return measure
