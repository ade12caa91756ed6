"""Embeddings of manifolds that are known exactly: how near to the proven bound, and what straight lines decode to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from latax.data import renderers
from latax.data.rendered import RenderedManifold
from latax.estimators import Autoencoder, LowBendingAutoencoder, ProbabilisticPCA
from latax.geometry import Annulus, lowest_energy, lowest_is_known
from latax.report import figures
from latax.report.content import Section
from latax.report.tables import Table
from latax.studies import embeddings
from latax.studies.contest import Contest, Results, hold
from latax.studies.isomap import Isomap
from latax.studies.result import StudyResult

MANIFOLDS: dict[str, Callable[[], RenderedManifold]] = {
    "circle": renderers.check_circle,
    "flat torus": renderers.check_torus,
    "sphere": renderers.check_sphere,
    "rotations": renderers.check_rotations,
    "sundial": renderers.sundial,
    "rotating object": renderers.rotating_object,
    "translations": renderers.translations,
    "ellipses": renderers.ellipses,
    "rotated digit": renderers.rotated_digits,
}
WEIGHT = 0.1


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Manifolds, other weights λ than the one that all are measured by, steps of all training, and replicates."""

    manifolds: tuple[str, ...]
    weights: tuple[float, ...]
    steps: int
    replicates: int
    rows: int
    latent_size: int


BUDGETS = {
    "quick": Budget(manifolds=("circle", "flat torus"), weights=(), steps=2000, replicates=2, rows=1000, latent_size=8),
    "full": Budget(manifolds=tuple(MANIFOLDS), weights=(1.0,), steps=4_000, replicates=5, rows=4000, latent_size=16),
}


def bending_manifolds(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Low-bending embeddings of circle, torus, sphere and rotations against the proven bound, and other methods."""
    chosen = BUDGETS[budget]
    tables, sections = [], []
    for name in chosen.manifolds:
        results, table = _of(name, chosen, seed, console, folder)
        tables.append(table)
        intervals = {m: [results.interval(n, m) for n in results.fitted] for m in results.contest.measures}
        sections.append(Section(table.title, tables=[table], figures=[_compared(results, intervals)]))
    return StudyResult(
        title="Embeddings of manifolds that are known",
        summary=f"{chosen.steps:,} steps, {chosen.replicates} replicates. Each data set is images of a manifold whose "
        f"distances are known exactly. Energies are distortion + {WEIGHT:g} bending at the best scale of each "
        "embedding, over fresh pairs of near points; no map can go below the lowest.",
        tables=tables,
        sections=sections,
    )


def _of(name: str, budget: Budget, seed: int, console: Console, folder: Path) -> tuple[Results, Table]:
    rendered = MANIFOLDS[name]()
    length = rendered.manifold.length_scale
    law, weight = Annulus(0.5 * length, 0.1 * length), WEIGHT * length**2
    known = lowest_is_known(rendered.manifold)
    lowest = lowest_energy(rendered.manifold, weight, law=law).energy if known else None
    lines = embeddings.Lines(rendered)
    contest = Contest(
        title=name.capitalize(),
        training=rendered.samples(budget.rows, seed),
        measures=embeddings.measures(rendered, law, weight, lowest, lines),
        caption="Medians of replicates with 95 % intervals where there are enough. Far pairs: least latent distance "
        "of points far apart, for their distance; 0.64 for round circles and spheres. Halfway: relative error of the "
        "image decoded in the middle of a latent line, for pairs nearer than half the injectivity radius. Rebuilt: of "
        "the reconstruction.",
    )
    results = hold(contest, _contestants(rendered, budget, seed), console, folder)
    table = results.table()
    references: dict[str, Any] = {"the mean of two images": {"halfway, near pairs": lines.averaged()}}
    if lowest is not None:
        references["the lowest energy of all maps"] = {"energy": lowest, "energy / lowest": 1.0}
    rows = [[label, *(numbers.get(column) for column in table.columns[1:])] for label, numbers in references.items()]
    return results, Table(table.title, table.columns, [*table.rows, *rows], table.caption)


def _contestants(rendered: RenderedManifold, budget: Budget, seed: int) -> dict[str, Any]:
    common: dict[str, Any] = {
        "latent_size": budget.latent_size,
        "steps": budget.steps,
        "batch_size": 128,
        "replicates": budget.replicates,
        "seed": seed,
    }
    bent = {"manifold": rendered, **common}
    return {
        "low bending": LowBendingAutoencoder(**bent, bending_weight=WEIGHT),
        **{f"low bending, λ = {w:g}": LowBendingAutoencoder(**bent, bending_weight=w) for w in budget.weights},
        "low bending, no start from far pairs": LowBendingAutoencoder(**bent, bending_weight=WEIGHT, start="none"),
        "autoencoder": Autoencoder(**common),
        "PCA": ProbabilisticPCA(latent_size=budget.latent_size, seed=seed),
        "Isomap": Isomap(budget.latent_size),
    }


def _compared(results: Results, intervals: dict[str, list[Any]]) -> Any:
    return figures.comparison_figure(list(results.fitted), intervals)
