"""Embeddings of manifolds that are known exactly: how near to the proven bound, and what straight lines decode to.

The full budget is made for about two hours on one core. A step at batch size 128 takes there, in ms, for the embedding
and for the reconstruction: 12 and 32 on images of 16 by 16 pixels (15 and 50 in colour); 60 and 145 of the sundial, 89
and 214 of the rotating object, 50 and 140 of the ellipses, 69 and 142 of the rotated digit, all 32 by 32. A quarter of
a low-bending model's steps is reconstruction, all of an autoencoder's, which therefore has half as many and takes as
long. Networks that are there for their shape alone have no decoder. So the four small sets, whose lowest energies are
known, take 54 minutes with 3 replicates, of which the rotations, whose embedding needs twice the steps, 22; the large
ones 36 with 2 replicates of the two networks that matter. The large translations are left out: they are the flat torus
again, with more pixels. Shortest paths take a second each and twenty to compile, 15 minutes in all, and what else there
is to compile, Isomap and the measures some 15 more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from latax.data import renderers
from latax.data.rendered import RenderedManifold
from latax.estimators import Autoencoder, LowBendingAutoencoder
from latax.evaluate import paired_difference
from latax.geometry import AbstractDistanceLaw, Annulus, lowest_energy, lowest_is_known
from latax.report import figures
from latax.report.content import Figure, Section
from latax.report.tables import Table
from latax.studies import embeddings
from latax.studies.classical import PCA, Isomap
from latax.studies.contest import Contest, Results, hold
from latax.studies.result import StudyResult

MANIFOLDS: dict[str, Callable[[], RenderedManifold]] = {
    "circle": renderers.check_circle,
    "flat torus": renderers.check_torus,
    "sphere": renderers.check_sphere,
    "rotations": renderers.check_rotations,
    "sundial": renderers.sundial,
    "rotating object": renderers.rotating_object,
    "ellipses": renderers.ellipses,
    "rotated digit": renderers.rotated_digits,
}
SMALL, LARGE = tuple(MANIFOLDS)[:4], tuple(MANIFOLDS)[4:]
WEIGHT = 0.1
OURS = "low bending"
#: Weights λ of the line of lowest energies.
_ALONG = np.geomspace(0.01, 10, 17)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Other weights λ than the one that all are measured by, whether one goes without the start from far pairs, steps
    of low-bending training, and replicates."""

    weights: tuple[float, ...] = ()
    without_start: bool = False
    steps: int
    replicates: int


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What is spent on each manifold, images to train on, and latent coordinates."""

    manifolds: Mapping[str, Effort]
    rows: int
    latent_size: int


_SHAPES = Effort(weights=(1.0,), without_start=True, steps=4000, replicates=3)
BUDGETS = {
    "quick": Budget(
        manifolds=dict.fromkeys(SMALL[:2], Effort(without_start=True, steps=2000, replicates=2)),
        rows=1000,
        latent_size=8,
    ),
    "full": Budget(
        manifolds={**dict.fromkeys(SMALL, _SHAPES), "rotations": Effort(weights=(1.0,), steps=8000, replicates=3)}
        | dict.fromkeys(LARGE, Effort(steps=1600, replicates=2)),
        rows=4000,
        latent_size=16,
    ),
}


def bending_manifolds(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Low-bending embeddings of circle, torus, sphere and rotations against the proven bound, and other methods."""
    chosen = BUDGETS[budget]
    sections = [_of(name, chosen, seed, console, folder) for name in chosen.manifolds]
    return StudyResult(
        title="Embeddings of manifolds that are known",
        summary="Each data set is images of a manifold whose distances are known exactly. Energies are distortion + "
        f"{WEIGHT:g} bending at the best scale of each embedding, over fresh pairs of near points; where a lowest "
        "energy is given, no map can go below it. PCA and Isomap have one fit each, since nothing in them is random: "
        "they have no intervals of their own.",
        tables=[table for section in sections for table in section.tables],
        sections=sections,
    )


def _of(name: str, budget: Budget, seed: int, console: Console, folder: Path) -> Section:
    effort, rendered = budget.manifolds[name], MANIFOLDS[name]()
    title = name.capitalize()
    length = rendered.manifold.length_scale
    law, weight = Annulus(0.5 * length, 0.1 * length), WEIGHT * length**2
    known = lowest_is_known(rendered.manifold)
    lowest = lowest_energy(rendered.manifold, weight, law=law).energy if known else None
    between = embeddings.Between(rendered)
    shapes = embeddings.measures(rendered, law, weight, lowest)
    lines = {f"{share:.0%}": measure for share, measure in between.lines().items()}
    contest = Contest(title, rendered.samples(budget.rows, seed), {**shapes, **lines})
    results = hold(contest, _contestants(rendered, effort, budget.latent_size, seed), console, folder)
    shape = _part(
        results,
        title,
        shapes,
        f"Of {effort.replicates} replicates medians, with 95 % intervals where there are enough; PCA and Isomap have "
        f"one fit each. Low-bending models have {effort.steps:,} steps, a quarter of them for the decoder; the "
        "autoencoder half as many, of both networks, which takes as long. Energy, distortion and bending are at the "
        f"best scale for λ = {WEIGHT:g}; at its own λ a model is held against the lowest energy for that. Far pairs: "
        "least latent distance of points far apart, for their distance; 0.64 for round circles and spheres. Rebuilt: "
        "relative error of the reconstruction.",
    )
    halfway = _part(
        results,
        f"{title}: images halfway, by distance",
        lines,
        "Relative error of the image decoded in the middle of a latent line, by the distance of its ends as a share "
        "of the injectivity radius, or of the greatest distance in a region that is smaller. PCA and Isomap have one "
        "fit each.",
    )
    averaged = {f"{share:.0%}": error for share, error in between.averaged().items()}
    best = {} if lowest is None else {"the lowest energy of all maps": {"energy": lowest, "energy / lowest": 1.0}}
    shown = figures.comparison_figure(
        list(results.fitted), {m: [results.interval(n, m) for n in results.fitted] for m in shapes}
    )
    return Section(
        title,
        tables=[
            _with(shape.table(), best),
            _with(halfway.table(), {"the mean of the two images": averaged}),
            gains(halfway),
            along_geodesics(title, halfway.fitted, between),
        ],
        figures=[shown, _by_distance(halfway, between), _trade(results, rendered, law)],
    )


def _contestants(rendered: RenderedManifold, effort: Effort, latent_size: int, seed: int) -> dict[str, Any]:
    common: dict[str, Any] = {
        "latent_size": latent_size,
        "batch_size": 128,
        "replicates": effort.replicates,
        "seed": seed,
    }
    bent: dict[str, Any] = {"manifold": rendered, "steps": effort.steps, **common}
    shapes: dict[str, dict[str, Any]] = {f"low bending, λ = {w:g}": {"bending_weight": w} for w in effort.weights}
    if effort.without_start:
        shapes["low bending, no start from far pairs"] = {"bending_weight": WEIGHT, "start": "none"}
    return {
        OURS: LowBendingAutoencoder(**bent, bending_weight=WEIGHT),
        **{name: LowBendingAutoencoder(**bent, **options, decoder=False) for name, options in shapes.items()},
        "autoencoder": Autoencoder(steps=effort.steps // 2, **common),
        "PCA": PCA(latent_size),
        "Isomap": Isomap(latent_size),
    }


def _part(results: Results, title: str, measures: Mapping[str, Any], caption: str) -> Results:
    """The same results with these measures only, of those contestants that have any of them."""
    having = {n: m for n, m in results.fitted.items() if any(results.values[n][name] is not None for name in measures)}
    contest = replace(results.contest, title=title, measures=measures, caption=caption)
    return replace(results, contest=contest, fitted=having)


def _with(table: Table, references: Mapping[str, Mapping[str, float]]) -> Table:
    """The table, with rows of what needs no training."""
    rows = [[label, *(numbers.get(column) for column in table.columns[1:])] for label, numbers in references.items()]
    return Table(table.title, table.columns, [*table.rows, *rows], table.caption)


def gains(results: Results) -> Table:
    """Errors of our model less those of every other contestant, replicate by replicate: negative where ours is better.

    Where a contestant has one fit, all replicates are compared with it.
    """
    measures = list(results.contest.measures)
    rows = []
    for name in results.fitted:
        if name != OURS:
            pairs = [(results.values[OURS][m], results.values[name][m]) for m in measures]
            rows.append([name, *(_difference(ours, other) for ours, other in pairs)])
    return Table(
        f"{results.contest.title}, {OURS} less another",
        ["the other", *measures],
        rows,
        "Means of the differences between replicates of the same seed, with 95 % intervals; negative where "
        f"{OURS} is better. PCA and Isomap have one fit each, with which all replicates are compared.",
    )


def _difference(ours: np.ndarray | None, other: np.ndarray | None) -> Any:
    if ours is None or other is None:
        return None
    return paired_difference(ours, np.broadcast_to(other, ours.shape))


def along_geodesics(title: str, fitted: Mapping[str, Any], between: embeddings.Between) -> Table:
    """Errors of images halfway along shortest paths, beside those along straight lines between the same ends."""
    rows = []
    for name, model in fitted.items():
        first = model.replicate(0)
        lines, geodesics = between.few_lines(first), between.geodesics(first) or {}
        rows.append([name, *(cell for share in between.shares for cell in (lines[share], geodesics.get(share)))])
    return Table(
        f"{title}: halfway along lines and shortest paths",
        ["model", *(f"{kind}, {share:.0%}" for share in between.shares for kind in ("line", "geodesic"))],
        rows,
        f"Of the first replicate, for {embeddings.GEODESICS} pairs at each distance, by the relative error of the "
        "image halfway. A geodesic is the shortest path near the line among all that the model decodes to; of PCA it "
        "is the line, and Isomap has none.",
    )


def _by_distance(results: Results, between: embeddings.Between) -> Figure:
    median = lambda values: np.nan if values is None else np.median(values)
    errors = {
        name: np.array([median(results.values[name][m]) for m in results.contest.measures]) for name in results.fitted
    }
    errors["the mean of the two images"] = np.array(list(between.averaged().values()))
    return figures.halfway_figure(np.array(between.shares), errors)


def _trade(results: Results, rendered: RenderedManifold, law: AbstractDistanceLaw) -> Figure:
    models = {n: model for n, model in results.fitted.items() if isinstance(model, LowBendingAutoencoder)}
    found = {name: np.array(points) for name, points in embeddings.trade(models, rendered, law).items()}
    if not lowest_is_known(rendered.manifold):
        return figures.trade_figure(found)
    weights = _ALONG * rendered.manifold.length_scale**2
    best = [lowest_energy(rendered.manifold, weight, law=law) for weight in weights]
    return figures.trade_figure(found, np.array([(one.bending, one.distortion) for one in best]))
