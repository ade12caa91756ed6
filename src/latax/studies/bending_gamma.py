"""The limit of near pairs: how fast energies and their minima converge in distance and in the number of pairs."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
import numpy as np
from rich.console import Console

from latax.geometry import (
    SO3,
    AbstractDistanceLaw,
    AbstractHomogeneousManifold,
    Annulus,
    Ball,
    FlatTorus,
    PairSampler,
    Radial,
    Shell,
    Sphere,
    lowest_energy,
    pair_terms,
)
from latax.report import figures
from latax.report.content import Figure, Section
from latax.report.tables import Table
from latax.studies.result import StudyResult

WEIGHT = 0.1
MANIFOLDS: dict[str, AbstractHomogeneousManifold] = {
    "circle": FlatTorus(2 * np.pi),
    "flat torus": FlatTorus((2 * np.pi, 2 * np.pi)),
    "sphere": Sphere(2),
    "rotations": SO3(),
}
LAWS: Mapping[str, Callable[[float], AbstractDistanceLaw]] = {
    "annulus": lambda outer: Annulus(outer, outer / 5),
    "ball": Ball,
    "radial": Radial,
    "shell": Shell,
}
DISTANCES = (0.8, 0.4, 0.2, 0.1, 0.05)
COUNTS = (100, 1_000, 10_000)
_REPEATS = {"quick": 8, "full": 64}


def bending_gamma(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """The lowest energy over pairs against its limit, by distance, number of pairs, sampling and precision."""
    minima = [_minima(name, manifold) for name, manifold in MANIFOLDS.items()]
    terms, curves = _terms_of_classical(), [_curves(table) for table in minima]
    counted, rounded = _counted(_REPEATS[budget], seed), _rounded(seed)
    return StudyResult(
        title="Γ-limit of the low-bending energy",
        summary=f"λ = {WEIGHT:g}. The lowest energy of all embeddings over pairs at distances up to ε goes to that of "
        "the limit as ε² for every way of drawing distances, since bending does, while distortion goes to its own as "
        "ε⁴; the error of a mean over N pairs goes as 1 / √N; and in single precision distances "
        "near zero are ruined by rounding.",
        tables=[*minima, terms, counted, rounded],
        sections=[
            Section("In the distance of pairs", tables=[*minima, terms], figures=curves),
            Section("In the number of pairs", tables=[counted]),
            Section("In the precision", tables=[rounded]),
        ],
    )


def _minima(name: str, manifold: AbstractHomogeneousManifold) -> Table:
    limit = lowest_energy(manifold, WEIGHT).energy
    rows: list[list[Any]] = []
    for law, make in LAWS.items():
        gaps = [lowest_energy(manifold, WEIGHT, law=make(outer)).energy - limit for outer in DISTANCES]
        rates = [np.log2(first / second) for first, second in itertools.pairwise(gaps)]
        rows.append([law, *gaps, float(rates[-1])])
    return Table(
        f"{name.capitalize()}: lowest energy over pairs, less that in the limit",
        ["distances", *(f"ε = {outer:g}" for outer in DISTANCES), "rate at the end"],
        rows,
        f"By quadrature over directions and distances, in float64; the limit is {limit:.6f}.",
    )


def _curves(table: Table) -> Figure:
    gaps = {str(row[0]): np.array(row[1:-1], float) for row in table.rows}
    title = table.title.partition(":")[0].lower()
    return figures.convergence_figure(np.array(DISTANCES), gaps, rate=2.0, label=f"{title}: energy above the limit")


def _terms_of_classical() -> Table:
    """Both terms of the classical embeddings at one distance: 0 and a constant in the limit."""
    rows: list[list[Any]] = []
    with jax.enable_x64(True):
        for name in ("circle", "sphere", "rotations"):
            samplers = [PairSampler(MANIFOLDS[name], Shell(d)) for d in DISTANCES]
            found = [_means(sampler, jr.key(0), 4) for sampler in samplers]
            distortion, bending = (np.array(values, float) for values in zip(*found, strict=True))
            for term, gaps in (("distortion", distortion), ("1 - bending", 1 - bending)):
                rows.append([f"{name}: {term}", *gaps, float(np.log2(gaps[-2] / gaps[-1]))])
    return Table(
        "Classical embeddings at one distance, which are isometric in the limit",
        ["term", *(f"d = {d:g}" for d in DISTANCES), "rate at the end"],
        rows,
        "The same for all pairs at this distance, so without sampling error, in float64.",
    )


def _counted(repeats: int, seed: int) -> Table:
    """Errors of the energy of the classical embedding of the flat torus, by the number of pairs."""
    rows: list[list[Any]] = []
    with jax.enable_x64(True):
        for law, make in LAWS.items():
            sampler = PairSampler(FlatTorus((2 * np.pi, 2 * np.pi)), make(0.5))
            errors = []
            for count in COUNTS:
                terms = np.array([_means(sampler, jr.key(seed + r), count) for r in range(repeats)])
                found = terms @ np.array([1, WEIGHT])
                errors.append(float(found.std(ddof=1)))
            rate = -np.polyfit(np.log(COUNTS), np.log(errors), 1)[0] if min(errors) > 0 else None
            rows.append([law, *errors, None if rate is None else float(rate)])
    return Table(
        "Flat torus: standard deviation of the energy over fresh pairs",
        ["distances", *(f"N = {count:,}" for count in COUNTS), "rate"],
        rows,
        f"Of the classical embedding, distances up to 0.5, {repeats} draws.",
    )


def _rounded(seed: int) -> Table:
    """Bending of the circle at one distance in both precisions: it is one but for the squared distance / 24."""
    distances = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
    rows: list[list[Any]] = []
    for label, double in (("float32", False), ("float64", True)):
        with jax.enable_x64(double):
            found = [
                float(_means(PairSampler(FlatTorus(2 * np.pi), Shell(d)), jr.key(seed), 1_000)[1]) for d in distances
            ]
        rows.append([label, *found])
    return Table(
        "Circle: bending at one distance, which is 1 in the limit",
        ["precision", *(f"d = {d:g}" for d in distances)],
        rows,
        "Means over 1,000 pairs.",
    )


@eqx.filter_jit
def _means(sampler: PairSampler, key: Any, count: int) -> Any:
    """Distortion and bending of the classical embedding over `count` pairs."""
    manifold = sampler.manifold
    assert isinstance(manifold, AbstractHomogeneousManifold)
    terms = jax.vmap(lambda key: pair_terms(manifold.embed, sampler(key)))(jr.split(key, count))
    return terms.distortion.mean(), terms.bending.mean()
