"""Which equation serves potential flows best, and what each other part of the training is for: on blobs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from latax.report.content import Section
from latax.studies.potential_blobs import ALIGNED, ALONE, BEND, BUDGETS, blobs_world
from latax.studies.result import StudyResult
from latax.studies.traversals import Effort, compare

EQUATIONS = ("wave", "heat", "fokker-planck", "probability-flow", "hamilton-jacobi", "none")
KINDS: dict[str, dict[str, Any]] = {name: ALIGNED | {"pde": name} for name in EQUATIONS}
#: What is changed of the first equation's model.
PARTS: dict[str, dict[str, Any]] = {
    "wave speed not trained": ALIGNED | {"train_equation": False},
    "at rest at first": ALIGNED | {"initial": "at-rest"},
    "stationary at first": ALIGNED | {"initial": "stationary"},
    "without speed": ALIGNED | {"speed_weight": 0.0},
    "bounded guidance": ALIGNED | {"guidance": "bounded-jvp"},
    "published guidance": ALONE | {"guidance": "reference-jvp"},
    "without alignment": ALONE | {"guidance": "none"},
    "without the classifier": ALIGNED | {"distinct_weight": 0.0},
}


def potential_pde(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Potential flows with each of the equations and without each part of the loss, on blobs with known factors."""
    return pde_study(BUDGETS[budget], KINDS, PARTS, seed, console, folder)


def pde_study(
    effort: Effort,
    kinds: Mapping[str, Mapping[str, Any]],
    parts: Mapping[str, Mapping[str, Any]],
    seed: int,
    console: Console,
    folder: Path,
) -> StudyResult:
    """The study with these equations, on straight and on curved factors, and parts, on straight ones.

    Paths of other kinds are beside the first equation.
    """
    found = compare(blobs_world(seed), {**kinds, **parts}, effort, seed, console, folder)
    curved = compare(blobs_world(seed, BEND), kinds, effort, seed, console, folder)
    best = next(iter(kinds))
    equations, others = [*kinds, *found.unlearned], [best, *parts]
    first = [found.table("Equations", equations), found.differences(best, list(kinds))]
    bent = [curved.table("Equations, on curved blobs"), curved.differences(best, list(kinds))]
    second = [found.table("Parts of the loss", others), found.differences(best, list(parts))]
    return StudyResult(
        title="Equations of potential flows",
        summary=f"{effort.steps:,} steps, {effort.replicates} replicates, on blobs. An equation limits what a "
        "potential can be; none of them knows the decoder.",
        tables=[*first, *bent, *second],
        sections=[
            Section("Equations", tables=first, figures=[found.figure(equations)]),
            Section("Equations, where factors are curved", tables=bent, figures=[curved.figure()]),
            Section("Parts of the loss", tables=second, figures=[found.figure(others)]),
        ],
    )
