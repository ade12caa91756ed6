"""The limit of near pairs: how fast energies and their minima converge in distance and in the number of pairs."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy.optimize
from jaxtyping import Array, Float
from rich.console import Console

from latax.evaluate import Interval, confidence_interval
from latax.geometry import (
    SO3,
    AbstractDistanceLaw,
    AbstractHomogeneousManifold,
    Annulus,
    Ball,
    FlatTorus,
    Inverse,
    PairSampler,
    Radial,
    Shell,
    Sphere,
    first_quotient,
    lowest_energy,
    pair_terms,
    second_quotient,
)
from latax.geometry.quotient import squared_length
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
_SAMPLES = {"quick": 4, "full": 16}
#: The family of maps of the circle: waves up to this frequency, into so many dimensions; and random starts.
FREQUENCIES, DIMENSIONS, STARTS = 5, 4, 8
#: Nodes of quadrature over the circle and over distances.
_ANGLES, _DISTANCES = 48, 12
#: Pairs over which maps are minimised, points of which all pairs are taken, and the greatest distance of these.
SAMPLED, POINTS, SAMPLED_UP_TO = (300, 1_000, 3_000, 10_000), (60, 120, 240, 480), 0.5
ALL_PAIRS = "all pairs of a data set"
#: Energies that differ by less are the same minimum.
_SAME = 1e-8


def bending_gamma(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """The lowest energy over pairs against its limit, by distance, number of pairs, sampling and precision."""
    classical = [_classical(name, manifold) for name, manifold in MANIFOLDS.items()]
    family, terms = _family(seed), _terms_of_classical()
    curves = [_curves(table) for table in (family, *classical)]
    counted, rounded = _counted(_REPEATS[budget], seed), _rounded(seed)
    above, below = _sampled(_SAMPLES[budget], seed)
    return StudyResult(
        title="Γ-limit of the low-bending energy",
        summary=f"λ = {WEIGHT:g}. The lowest energy over pairs at distances up to ε goes to that of the limit as ε² "
        "for every way of drawing distances: found by minimising over all maps of the circle of low frequencies, and "
        "for the best multiples of classical embeddings. Bending goes as ε², distortion to its own limit as ε⁴; the "
        "error of a mean over N pairs goes as 1 / √N, what the map that is lowest over N pairs is above the lowest of "
        "all as 1 / N; and in single precision distances near zero are ruined by rounding.",
        tables=[family, *classical, terms, counted, above, below, rounded],
        sections=[
            Section("In the distance of pairs", tables=[family, *classical, terms], figures=curves),
            Section("In the number of pairs", tables=[counted, above, below]),
            Section("In the precision", tables=[rounded]),
        ],
    )


class _Pairs(NamedTuple):
    """Waves at the three points of pairs on the circle, their distances, and weights with sum one."""

    x: Float[Array, "P W"]
    y: Float[Array, "P W"]
    midpoint: Float[Array, "P W"]
    distance: Float[Array, " P"]
    weights: Float[Array, " P"]


def _family(seed: int) -> Table:
    """The lowest energies over a fixed family of maps of the circle, by L-BFGS from random starts."""
    circle = MANIFOLDS["circle"]
    limit = lowest_energy(circle, WEIGHT).energy
    rows: list[list[Any]] = []
    for number, (law, make) in enumerate(LAWS.items()):
        found = [_minimised(make(outer), np.random.default_rng([seed, number])) for outer in DISTANCES]
        lowest = np.array([energies.min() for energies in found])
        classical = np.array([lowest_energy(circle, WEIGHT, law=make(outer)).energy for outer in DISTANCES])
        there = float(np.mean([energies < energies.min() + _SAME for energies in found]))
        gaps = lowest - limit
        rate = float(np.log2(gaps[-2] / gaps[-1]))
        rows.append([law, *gaps.tolist(), rate, float(np.abs(lowest - classical).max()), there])
    return Table(
        "Circle, all maps of low frequencies: lowest energy over pairs, less that in the limit",
        [
            "distances",
            *(f"ε = {outer:g}" for outer in DISTANCES),
            "rate at the end",
            "off the classical embedding",
            "starts that end there",
        ],
        rows,
        f"Over all maps into {DIMENSIONS} dimensions of frequencies up to {FREQUENCIES}, by L-BFGS in float64, the "
        f"lowest from {STARTS} random starts, and the share of the starts that end within {_SAME:g} of it. The limit "
        f"over all maps is {limit:.6f}. Off the classical embedding: the greatest difference to the energy of its "
        "best multiple.",
    )


def _minimised(law: AbstractDistanceLaw, random: np.random.Generator) -> Float[np.ndarray, " starts"]:
    """The energies at which the descent ends, from each start."""
    pairs = _quadrature(law)
    return np.array([_descended(pairs, _smooth(random))[0] for _ in range(STARTS)])


def _smooth(random: np.random.Generator) -> Float[np.ndarray, "W l"]:
    """Amplitudes of a random map that is smooth."""
    decay = np.repeat(np.arange(1, FREQUENCIES + 1) ** -2.0, 2)[:, None]
    return decay * random.normal(size=(2 * FREQUENCIES, DIMENSIONS))


def _descended(pairs: _Pairs, start: Float[np.ndarray, "W l"]) -> tuple[float, Float[np.ndarray, "W l"]]:
    """The energy at which the descent ends, and the amplitudes there."""

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = _energy_and_slope(jnp.asarray(flat.reshape(start.shape)), pairs)
        return float(value), np.asarray(slope).ravel()

    options = {"maxiter": 5000, "maxfun": 20_000, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-9}
    with jax.enable_x64(True):
        best = scipy.optimize.minimize(energy, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return float(best.fun), best.x.reshape(start.shape)


def _quadrature(law: AbstractDistanceLaw) -> _Pairs:
    """All pairs, by nodes over the circle and over distances."""
    nodes, weights = np.polynomial.legendre.leggauss(_DISTANCES)
    with jax.enable_x64(True):
        distance = np.asarray(law.quantile(jnp.asarray((nodes + 1) / 2), 1))
    angles, shares = np.arange(_ANGLES) * (2 * np.pi / _ANGLES), weights / (2 * _ANGLES)
    return _of_pairs(np.repeat(angles, _DISTANCES), np.tile(distance, _ANGLES), np.tile(shares, _ANGLES))


def _drawn(law: AbstractDistanceLaw, count: int, random: np.random.Generator) -> _Pairs:
    """So many pairs at random."""
    angles, shares = random.uniform(0, 2 * np.pi, count), random.uniform(size=count)
    with jax.enable_x64(True):
        distance = np.asarray(law.quantile(jnp.asarray(shares), 1))
    return _of_pairs(angles, distance, np.full(count, 1 / count))


def _of_points(law: AbstractDistanceLaw, count: int, random: np.random.Generator) -> _Pairs:
    """All pairs of so many random points at the distances of an annulus; all others have no weight."""
    assert isinstance(law, Annulus)
    angles = random.uniform(0, 2 * np.pi, count)
    apart = (angles[None] - angles[:, None] + np.pi) % (2 * np.pi) - np.pi
    pairs = ~np.eye(count, dtype=bool)
    near = (np.abs(apart) >= law.inner) & (np.abs(apart) <= law.outer)
    return _of_pairs(np.repeat(angles, count - 1), apart[pairs], near[pairs] / max(near.sum(), 1))


def _of_pairs(
    angles: Float[np.ndarray, " P"], steps: Float[np.ndarray, " P"], weights: Float[np.ndarray, " P"]
) -> _Pairs:
    """Pairs that begin at these angles and go so far, in either direction."""
    number = np.arange(1, FREQUENCIES + 1)

    def waves(angles: np.ndarray) -> np.ndarray:
        turned = angles[:, None] * number
        return np.stack([np.cos(turned), np.sin(turned)], axis=-1).reshape(len(angles), -1)

    parts = (*(waves(angles + share * steps) for share in (0.0, 1.0, 0.5)), np.abs(steps), weights)
    with jax.enable_x64(True):
        return _Pairs(*(jnp.asarray(part) for part in parts))


@eqx.filter_jit
def _energy_and_slope(amplitudes: Float[Array, "W l"], pairs: _Pairs) -> tuple[Array, Array]:
    def of_pair(x: Array, y: Array, midpoint: Array, distance: Array) -> Array:
        first, second = first_quotient(x, y, distance), second_quotient(x, y, midpoint, distance)
        return Inverse().of_square(squared_length(first)) + WEIGHT * squared_length(second)

    def energy(amplitudes: Array) -> Array:
        at = (part @ amplitudes for part in (pairs.x, pairs.y, pairs.midpoint))
        return jax.vmap(of_pair)(*at, pairs.distance) @ pairs.weights

    return jax.value_and_grad(energy)(amplitudes)


def _sampled(repeats: int, seed: int) -> tuple[Table, Table]:
    """Of the lowest map over N pairs: by how much its energy over all pairs is above the lowest, and by how much its
    energy over its own pairs is below."""
    above: list[list[Any]] = []
    below: list[list[Any]] = []
    annulus = LAWS["annulus"](SAMPLED_UP_TO)
    ways = [(name, make(SAMPLED_UP_TO), SAMPLED, _drawn) for name, make in LAWS.items()]
    for number, (way, law, counts, pairs) in enumerate([*ways, (ALL_PAIRS, annulus, POINTS, _of_points)]):
        everything = _quadrature(law)
        lowest, best = _descended(everything, _smooth(np.random.default_rng(seed)))
        found = np.array(
            [
                [
                    _of_sample(pairs(law, n, np.random.default_rng([seed, number, n, r])), everything, best)
                    for n in counts
                ]
                for r in range(repeats)
            ]
        )
        for rows, gaps in ((above, found[..., 1] - lowest), (below, lowest - found[..., 0])):
            slopes = [-np.polyfit(np.log(counts), np.log(np.maximum(gap, 1e-300)), 1)[0] for gap in gaps]
            rows.append([way, *gaps.mean(axis=0).tolist(), confidence_interval(np.array(slopes))])
    columns = ["distances", *(f"N = {count:,}" for count in SAMPLED), "rate"]
    caption = (
        f"Maps of the circle of frequencies up to {FREQUENCIES} into {DIMENSIONS} dimensions, by L-BFGS; pairs at "
        f"distances up to {SAMPLED_UP_TO:g}, means over {repeats} sets of pairs. {ALL_PAIRS.capitalize()}: the pairs "
        f"of {', '.join(map(str, POINTS))} random points at distances of the annulus. Rates are of powers of 1 / N, "
        "with 95 % intervals."
    )
    titles = (
        "Circle, lowest map over N pairs: its energy over all pairs, less the lowest",
        "Circle, lowest map over N pairs: the lowest energy over all pairs, less its energy over its own",
    )
    return Table(titles[0], columns, above, caption), Table(titles[1], columns, below, caption)


def _of_sample(pairs: _Pairs, everything: _Pairs, start: np.ndarray) -> tuple[float, float]:
    """The lowest energy over one set of pairs, and that of its map over all pairs. The descent begins at the lowest map
    over all pairs: what is looked for is near it."""
    own, amplitudes = _descended(pairs, start)
    with jax.enable_x64(True):
        return own, float(_energy_and_slope(jnp.asarray(amplitudes), everything)[0])


def _classical(name: str, manifold: AbstractHomogeneousManifold) -> Table:
    """Energies of the best multiple of the classical embedding: the closed form of the rate, and no search for maps."""
    limit = lowest_energy(manifold, WEIGHT).energy
    rows: list[list[Any]] = []
    for law, make in LAWS.items():
        gaps = [lowest_energy(manifold, WEIGHT, law=make(outer)).energy - limit for outer in DISTANCES]
        rates = [np.log2(first / second) for first, second in itertools.pairwise(gaps)]
        rows.append([law, *gaps, float(rates[-1])])
    return Table(
        f"{name.capitalize()}: best multiple of the classical embedding over pairs, less the lowest in the limit",
        ["distances", *(f"ε = {outer:g}" for outer in DISTANCES), "rate at the end"],
        rows,
        "One number, the multiple, is minimised over, by quadrature over directions and distances in float64; the "
        f"limit, which is the lowest of all maps, is {limit:.6f}.",
    )


def _curves(table: Table) -> Figure:
    gaps = {str(row[0]): np.array(row[1 : 1 + len(DISTANCES)], float) for row in table.rows}
    return figures.convergence_figure(np.array(DISTANCES), gaps, rate=2.0, title=table.title.partition(":")[0])


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
        for number, (law, make) in enumerate(LAWS.items()):
            sampler = PairSampler(FlatTorus((2 * np.pi, 2 * np.pi)), make(0.5))
            errors = []
            for count in COUNTS:
                # Draws of their own for each law and each count: one set of keys would make all rates one draw.
                keys = jr.split(jr.fold_in(jr.fold_in(jr.key(seed), number), count), repeats)
                terms = np.array([_means(sampler, key, count) for key in keys])
                errors.append(float((terms @ np.array([1, WEIGHT])).std(ddof=1)))
            rows.append([law, *errors, _rate(errors, repeats)])
    return Table(
        "Flat torus: standard deviation of the energy over fresh pairs",
        ["distances", *(f"N = {count:,}" for count in COUNTS), "rate"],
        rows,
        f"Of the classical embedding, distances up to 0.5, {repeats} draws for each number, and others for each law. "
        "Rates by least squares, with 95 % intervals.",
    )


def _rate(errors: list[float], repeats: int) -> Interval:
    """The power of 1 / N by which standard deviations fall.

    The energies are means of many pairs and so nearly normal: the logarithm of each standard deviation from n of them
    has the error 1 / √(2 (n - 1)).
    """
    x = np.log(COUNTS) - np.mean(np.log(COUNTS))
    estimate = float(-x @ np.log(errors) / (x @ x))
    half = 1.96 / float(np.sqrt(2 * (repeats - 1) * (x @ x)))
    return Interval(estimate, estimate - half, estimate + half, 0.95, repeats)


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
