"""From points of a user's own metric space to `Samples` with pairs."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError, DataError
from latax._wording import counted
from latax.data.samples import Samples
from latax.data.triples import from_triples
from latax.geometry import AbstractMetricSpace

Points = Float[np.ndarray, "N *point"]
Table = Float[np.ndarray, "N N"]

_AT_ONCE = 256
#: Distances may be off by this share.
_OFF = 0.01


def from_metric_space(
    space: AbstractMetricSpace,
    points: Any,
    draw: Callable[[Points], Any],
    *,
    farthest: float,
    nearest: float | None = None,
    partners: int = 8,
    seed: int = 0,
) -> Samples:
    """Samples with `pairs`, from points of a metric space, such as a `MetricSpace` of your own, and what they show.

        from_metric_space(space, points, simulate, farthest=0.5)    # then manifold="pairs"

    Every point is paired with others by lot, between two distances. The samples halfway are drawn as those of the
    points are: they show `space.midpoint`.

    **Arguments:**

    - `space`: its `distance` and `midpoint` are JAX functions.
    - `points`: (N, *point_shape).
    - `draw`: from points (M, *point_shape) to their samples, (M, d) or (M, ...) numbers; any Python function.
    - `farthest`, `nearest`: the greatest and the least distance of a pair, in the unit of the space; by default the
        least is a fifth of the greatest. A sixth of the greatest distance of all is a good choice.
    - `partners`: pairs of each point, at most; there are N · `partners` midpoints to draw at most.

    Raises `ConfigError` for distances beyond the injectivity radius, and `DataError` for points of another shape, for a
    `distance` that is none, a `midpoint` that is not halfway, and where points have no others between these distances.
    """
    least = farthest / 5 if nearest is None else nearest
    if not 0 < least < farthest < space.injectivity_radius:
        raise ConfigError(
            f"nearest={least:g}, farthest={farthest:g}: expected 0 < nearest < farthest, and farthest below the "
            f"injectivity radius, {space.injectivity_radius:g}, since midpoints are not unique beyond it."
        )
    if partners < 1:
        raise ConfigError(f"partners={partners}: every point needs at least one.")
    places = np.asarray(points, np.float64)
    if places.ndim == 0 or places.shape[1:] != space.point_shape or not len(places):
        raise DataError(
            f"points have shape {places.shape}; expected (N, {', '.join(map(str, space.point_shape))}), with one entry "
            "for each point."
        )
    with jax.enable_x64(True):
        distance = _distances(space, places)
        _refuse_no_distance(distance)
        first, second = _partners(distance, least, farthest, partners, seed)
        ends = jnp.asarray(places[first]), jnp.asarray(places[second])
        middle = np.asarray(jax.vmap(space.midpoint)(*ends), np.float64)
        halves = [np.asarray(_each(space, end, jnp.asarray(middle))) for end in ends]
    _refuse_other_midpoints(np.stack(halves), distance[first, second], first, second)
    shown = np.asarray(draw(places))
    return from_triples(shown[first], shown[second], draw(middle), distance[first, second])


def _refuse_no_distance(distance: Table) -> None:
    """Distances of different points are finite, not negative, and the same both ways."""
    with np.errstate(invalid="ignore"):
        other_way = np.abs(distance - distance.T) > _OFF * np.maximum(distance, distance.T)
    bad = ~np.isfinite(distance) | (distance < 0) | other_way
    np.fill_diagonal(bad, False)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        raise DataError(
            f"The distance from point {i} to point {j} is {distance[i, j]:g}, and the other way {distance[j, i]:g} "
            "(the first point is 0). Expected a finite length, the same both ways: correct `distance`."
        )


def _refuse_other_midpoints(
    halves: Float[np.ndarray, "2 P"], distance: Float[np.ndarray, " P"], first: np.ndarray, second: np.ndarray
) -> None:
    off = np.max(np.abs(halves / distance - 0.5), axis=0)
    bad = np.flatnonzero(~(off <= _OFF))
    if len(bad):
        one = bad[0]
        raise DataError(
            f"{counted(len(bad), 'midpoint')} of {len(off)} are not halfway: that of points {first[one]} and "
            f"{second[one]}, {distance[one]:.4g} apart, is {halves[0, one]:.4g} from the one and {halves[1, one]:.4g} "
            "from the other (the first point is 0). Correct `midpoint`, or `distance`."
        )


def _partners(
    distance: Table, least: float, farthest: float, partners: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of pairs by lot, each pair once."""
    order = np.where(
        (distance >= least) & (distance <= farthest), np.random.default_rng(seed).random(distance.shape), 2
    )
    alone = np.flatnonzero(np.all(order == 2, axis=1))
    if len(alone):
        raise DataError(
            f"{counted(len(alone), 'point')} of {len(distance)} have no others at a distance of {least:g} to "
            f"{farthest:g}, the first is point {alone[0]} (the first point is 0). Give more points, or a larger "
            "farthest."
        )
    chosen = np.argsort(order, axis=1)[:, : min(partners, len(distance) - 1)]
    first = np.repeat(np.arange(len(distance)), chosen.shape[1])
    second = chosen.ravel()
    kept = order[first, second] < 2
    both = np.sort(np.stack([first[kept], second[kept]], axis=1), axis=1)
    return tuple(np.unique(both, axis=0).T)


def _distances(space: AbstractMetricSpace, places: Points) -> Table:
    pieces = [
        np.asarray(_table(space, jnp.asarray(places[i : i + _AT_ONCE]), jnp.asarray(places)))
        for i in range(0, len(places), _AT_ONCE)
    ]
    return np.concatenate(pieces)


@eqx.filter_jit
def _each(space: AbstractMetricSpace, a: Float[Array, "P *point"], b: Float[Array, "P *point"]) -> Float[Array, " P"]:
    return jax.vmap(lambda x, y: jnp.reshape(space.distance(x, y), ()))(a, b)


@eqx.filter_jit
def _table(space: AbstractMetricSpace, a: Float[Array, "A *point"], b: Float[Array, "B *point"]) -> Float[Array, "A B"]:
    return jax.vmap(lambda x: jax.vmap(lambda y: jnp.reshape(space.distance(x, y), ()))(b))(a)
