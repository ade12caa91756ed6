"""The neighbours of samples at known positions, and the stencils of second derivatives that these make.

A nearest sample is no midpoint: its error δ adds 64 |δ|² / d⁴ to the bending of a pair at distance d. So a quadratic
model is fitted to every sample and its neighbours instead (`latax.geometry.hessian_stencils`).
"""

import warnings
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from latax._errors import DataError, DataWarning
from latax._wording import counted, listed
from latax.estimators.pair_graph import LANDMARKS, TARGETS, Distances
from latax.geometry import AbstractManifold, hessian_stencils, stencil_unknowns

#: Neighbours for each unknown of the quadratic model: at least, and where so many are near.
PER_UNKNOWN, MOST_PER_UNKNOWN = 3, 6
#: In the manifold's length: between these distances neighbours are drawn by lot; where there are fewer, the nearest
#: beyond are added. Noise σ of a latent coordinate adds about 14 σ² / r⁴ to the bending from neighbours up to r, on a
#: line: 0.02 % for 0.001 and r = 0.5. A quadratic fit misses 0.12 r² of the bending of a unit circle: 3 % for r = 0.5.
NEAREST, WIDTH = 0.1, 0.5
#: Samples that are looked at as neighbours at most, and centres whose distances are found at once.
CANDIDATES, AT_ONCE = 16_384, 256
#: All but this share of the centres have all neighbours near, where these are more than the least number; and so many
#: times as many samples near a centre are enough to draw from.
_SHARE, _CROWD = 0.1, 8
#: Above this condition the neighbours do not determine second derivatives.
WORST_CONDITION = 1e3

Positions = Float[np.ndarray, "N *point"]


class Neighbours(NamedTuple):
    """Of C centres: rows of their k neighbours, the distances to these, and the stencils (h = n (n + 1) / 2)."""

    rows: Int[np.ndarray, "C k"]
    distance: Float[np.ndarray, "C k"]
    second: Float[np.ndarray, "C h k"]


def find_neighbours(
    manifold: AbstractManifold,
    positions: Positions,
    centres: Int[np.ndarray, " C"],
    pool: Int[np.ndarray, " P"],
    length: float,
    *,
    seed: int = 0,
    count: int | None = None,
    nearest: float = NEAREST,
    farthest: float = WIDTH,
) -> Neighbours:
    """Neighbours of `centres` among `pool` (rows of `positions`), at different positions, and their stencils.

    `length` is the manifold's; `nearest` and `farthest` are in units of it. Of the samples between these distances
    neighbours are drawn by lot, for each centre its own, so that dense samples do not shrink neighbourhoods to what
    noise and rounding allow; where there are too few, the nearest beyond are taken. None is nearer than `nearest`.
    `count`: how many; by default three for each unknown of the quadratic model, and up to six where so many are near.
    All in float64.

    Raises `DataError` where there are fewer others, where a neighbour is as far as the injectivity radius, and where
    the neighbours do not determine second derivatives; the message names the samples. Warns where neighbourhoods are
    too wide for second derivatives to mean much.
    """
    least = PER_UNKNOWN * stencil_unknowns(manifold.dim) if count is None else count
    most = MOST_PER_UNKNOWN * stencil_unknowns(manifold.dim) if count is None else count
    window = nearest * length, farthest * length
    random = np.random.default_rng(seed)
    _, first = np.unique(positions[(shuffled := random.permutation(pool))], axis=0, return_index=True)
    candidates = random.permutation(shuffled[first])[:CANDIDATES]
    with jax.enable_x64(True):
        typical = _distances(manifold, positions, np.sort(random.permutation(centres)[:AT_ONCE]), candidates)
        inside = np.sum((typical >= window[0]) & (typical <= window[1]), axis=1)
        k = int(np.clip(np.quantile(inside, _SHARE), least, most))
        # Beyond that, more candidates only take time.
        candidates = candidates[: int(np.ceil(len(candidates) * min(1.0, _CROWD * k / max(np.median(inside), 1))))]
        rows, distance = _drawn(manifold, positions, centres, candidates, k, window, random)
        reach = distance.max(axis=1)
        if (reach >= manifold.injectivity_radius).any():
            raise DataError(
                f"{_named(centres[reach >= manifold.injectivity_radius])}: the {k} nearest others reach beyond "
                f"{manifold.injectivity_radius:.3g}, the injectivity radius, where shortest paths are not unique. "
                f"Samples are too few, {counted(len(candidates), 'position')}: give more."
            )
        coordinates = _coordinates(manifold, positions, centres, rows)
    if np.median(reach) > max(length, window[1]):
        warnings.warn(
            f"Half of the samples have some of their {k} neighbours farther away than {length:.3g}, the manifold's "
            "length: their bending is a rough guess. Give more samples.",
            DataWarning,
            stacklevel=2,
        )
    stencils = hessian_stencils(coordinates)
    bad = ~(stencils.condition <= WORST_CONDITION)
    if bad.any():
        raise DataError(
            f"{_named(centres[bad])}: the {k} neighbours lie in too few directions to determine second derivatives in "
            f"{counted(manifold.dim, 'dimension')}. Do the positions fill the manifold? Give samples between them, a "
            "manifold of fewer dimensions, or leave these samples out."
        )
    return Neighbours(rows, distance, stencils.second)


def distances_between(
    manifold: AbstractManifold, positions: Positions, allowed: Int[np.ndarray, " rows"], seed: int
) -> Distances:
    """Distances between some of these rows, from `LANDMARKS` to `TARGETS` random ones at most, in float64."""
    random = np.random.default_rng(seed)
    starts, ends = (np.sort(random.permutation(allowed)[:most]) for most in (LANDMARKS, TARGETS))
    with jax.enable_x64(True):
        return Distances(starts, ends, _distances(manifold, positions, starts, ends))


def _drawn(
    manifold: AbstractManifold,
    positions: Positions,
    centres: Int[np.ndarray, " C"],
    candidates: Int[np.ndarray, " P"],
    k: int,
    window: tuple[float, float],
    random: np.random.Generator,
) -> tuple[Int[np.ndarray, "C k"], Float[np.ndarray, "C k"]]:
    """(rows, distances) of k candidates within the window by lot, and where there are fewer the nearest beyond it."""
    nearest, farthest = window
    found = []
    for start in range(0, len(centres), AT_ONCE):
        some = centres[start : start + AT_ONCE]
        distance = _distances(manifold, positions, some, candidates)
        if not distance.any():
            raise DataError(
                "All samples are at one and the same position. What is near is known by their positions: give those "
                "at which the samples really are."
            )
        # Not even the sample itself, at distance 0, is one.
        distance = np.where(distance < nearest, np.inf, distance)
        enough = np.isfinite(distance).sum(axis=1) >= k
        if not enough.all():
            raise DataError(
                f"{_named(some[~enough])}: fewer than {k} others are at another position, at a distance of at least "
                f"{nearest:.3g}. A bending needs {k} neighbours of every sample: give more samples, at more positions."
            )
        # Negative lots come before all distances.
        order = np.where(distance <= farthest, random.random(distance.shape) - 1, distance)
        chosen = np.argpartition(order, k - 1, axis=1)[:, :k]
        found.append((candidates[chosen], np.take_along_axis(distance, chosen, axis=1)))
    rows, distances = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, distances


def _distances(
    manifold: AbstractManifold, positions: Positions, a: Int[np.ndarray, " A"], b: Int[np.ndarray, " B"]
) -> Float[np.ndarray, "A B"]:
    ends = jnp.asarray(positions[b], jnp.float64)
    pieces = []
    for start in range(0, len(a), AT_ONCE):
        some = positions[a[start : start + AT_ONCE]]
        # Filled up, so that one program serves all pieces.
        filled = np.concatenate([some, np.repeat(some[-1:], AT_ONCE - len(some), axis=0)])
        pieces.append(np.asarray(_table(manifold, jnp.asarray(filled, jnp.float64), ends))[: len(some)])
    return np.concatenate(pieces)


@eqx.filter_jit
def _table(manifold: AbstractManifold, a: Float[Array, "A *point"], b: Float[Array, "B *point"]) -> Float[Array, "A B"]:
    to_all = jax.vmap(manifold.distance, (None, 0))
    return jax.lax.map(lambda x: to_all(x, b), a)


def _coordinates(
    manifold: AbstractManifold, positions: Positions, centres: Int[np.ndarray, " C"], rows: Int[np.ndarray, "C k"]
) -> Float[np.ndarray, "C k n"]:
    """log_x(y) in the orthonormal basis at x, for all neighbours y of all centres x."""

    def at(x: Array, near: Array) -> Array:
        basis = manifold.basis(x)
        inner = lambda y: jax.vmap(lambda e: manifold.metric(x, e, manifold.log(x, y)))(basis)
        return jax.vmap(inner)(near)

    points, near = (jnp.asarray(positions[r], jnp.float64) for r in (centres, rows))
    return np.asarray(jax.jit(jax.vmap(at))(points, near))


def _named(rows: Int[np.ndarray, " rows"]) -> str:
    """Which samples, with their number."""
    return f"sample{'s' if len(rows) > 1 else ''} {listed(map(str, rows), 6)}"
