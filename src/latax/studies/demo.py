"""The demonstration: real digits and a surface with a known truth, three models each, in a few minutes on two cores."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from latax.data import Samples, digits
from latax.data.split import split
from latax.estimators import AmbientFlow, MFlow, ProbabilisticPCA
from latax.report import figures
from latax.report.content import Section
from latax.studies import measures
from latax.studies.contest import Contest, Results, hold
from latax.studies.polynomial import polynomial_contest
from latax.studies.result import StudyResult

REPLICATES = 3
LATENT = 8


def demo(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Digits and polynomial surface, with M-flow, ambient flow and probabilistic PCA side by side."""
    scale = {"quick": 1, "full": 10}[budget]
    surface = hold(polynomial_contest(20_000, seed, test_rows=2000), _surface_models(scale, seed), console, folder)
    images, test = digits_contest(seed)
    drawn = hold(images, _digit_models(scale, seed), console, folder)
    return StudyResult(
        title="latax: demonstration",
        summary=f"Two data sets, three models, {REPLICATES} replicates each ({budget} budget). The M-flow finds the "
        "surface and a density on it; an ambient flow has no manifold, and PCA only a flat one.",
        tables=[surface.table(), drawn.table()],
        sections=[
            Section("Polynomial surface", tables=[surface.table()], figures=_surface_figures(surface)),
            Section("Handwritten digits", tables=[drawn.table()], figures=_digit_figures(drawn, test)),
        ],
    )


def digits_contest(seed: int) -> tuple[Contest, Samples]:
    """The real 8×8 digits of scikit-learn, a fifth of them for the test."""
    samples = digits.make(seed=seed, labels=False)
    rows, test_rows = split(len(samples), (0.8, 0.2), seed=seed)
    test = samples.take(test_rows)
    contest = Contest(
        title="Digits 8×8 (real data)",
        training=samples.take(rows),
        measures={
            "reconstruction error": measures.reconstruction(test),
            "MMD² of samples": measures.sample_mmd(test),
            "NLL on the manifold (nats)": measures.manifold_nll(test),
            "NLL in 64 dimensions (nats)": measures.ambient_nll(test),
        },
        caption="Medians of replicates. Pixels from 0 to 1. The two NLLs are densities per different volumes (of the "
        "manifold, of all dimensions) and cannot be compared.",
    )
    return contest, test


def _surface_models(scale: int, seed: int) -> dict[str, Any]:
    common: dict[str, Any] = {"replicates": REPLICATES, "seed": seed, "width_size": 48, "steps": 1500 * scale}
    return {
        "M-flow": MFlow(latent_size=2, **common),
        "ambient flow": AmbientFlow(layers=10, **common),
        "probabilistic PCA": ProbabilisticPCA(latent_size=2, seed=seed),
    }


def _digit_models(scale: int, seed: int) -> dict[str, Any]:
    common: dict[str, Any] = {"replicates": REPLICATES, "seed": seed, "width_size": 48, "steps": 600 * scale}
    return {
        "M-flow": MFlow(latent_size=LATENT, layers=6, latent_layers=4, **common),
        "ambient flow": AmbientFlow(layers=6, noise=1 / 16, **common),
        "probabilistic PCA": ProbabilisticPCA(latent_size=LATENT, seed=seed),
    }


def _surface_figures(results: Results) -> list:
    shown = results.contest.training.take(slice(0, 1500))
    return [
        figures.samples_figure(
            np.asarray(shown.X, np.float64),
            model.sample(len(shown), context=shown.context if model.context_names_ else None),
            title=f"Samples: {name}",
        )
        for name, model in results.fitted.items()
    ]


def _digit_figures(results: Results, test: Samples) -> list:
    data = np.asarray(test.X, np.float64)
    return [
        figures.samples_figure(
            data,
            model.sample(len(data)).reshape(len(data), -1),
            sample_shape=test.sample_shape,
            title=f"Samples: {name}",
        )
        for name, model in results.fitted.items()
    ]
