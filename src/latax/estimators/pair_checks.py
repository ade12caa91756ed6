"""Are known pairs what they say? Against one another, and against the samples themselves.

Every distance is that of a shortest path, so no path through the graph of all pairs may be shorter; and a sample that
lies halfway between two others is not outside of them. Neither asks how far samples really are from one another.
"""

import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse.csgraph import dijkstra

from latax._errors import DataError, DataWarning
from latax._wording import counted, listed
from latax.data import Pairs
from latax.estimators.pair_graph import AT_ONCE, PairGraph

#: A path that is shorter than this share of the distance of its ends contradicts it: less is the error of measured
#: distances.
_SHORTER = 0.75
#: Samples from which paths are held against distances, at most, and pairs whose surroundings are looked at.
_SOURCES, _LOOKED_AT = 1024, 64
#: Samples are more alike than the two of a pair where they differ by less than this share of what these do.
_ALIKE = 0.9
#: In distances of a pair: paths between samples that are more alike than those of a pair, above which these paths are
#: detours; the same where pairs are longer than a share of the greatest distance.
_DETOUR, _DETOUR_OF_LONG, _LONG = 2.0, 1.0, 0.25
_SHOWN = 3


def refuse_contradictions(pairs: Pairs, graph: PairGraph, seed: int) -> None:
    """Raises `DataError` where a path through other pairs, or to and from midpoints, is far shorter than a distance.

    So it is where a midpoint is not halfway: the halves of its pair are then short cuts for others.
    """
    ends = np.concatenate([np.stack(two) for two in _edges(pairs)], axis=1)
    length = np.concatenate([pairs.distance, pairs.distance / 2, pairs.distance / 2])
    starts = np.unique(ends[0])
    starts = np.sort(np.random.default_rng(seed).permutation(starts)[:_SOURCES])
    found = []
    for first in range(0, len(starts), AT_ONCE):
        some = starts[first : first + AT_ONCE]
        edges = np.flatnonzero(np.isin(ends[0], some))
        path = dijkstra(graph.edges, directed=False, indices=some, limit=float(length[edges].max()) * 1.001)
        shortest = path[np.searchsorted(some, ends[0, edges]), ends[1, edges]]
        found += [(shortest[i] / length[edge], edge) for i, edge in enumerate(edges) if shortest[i] < length[edge]]
    bad = sorted((share, edge) for share, edge in found if share < _SHORTER)
    if not bad:
        return
    named = [_contradiction(pairs, graph, ends, length, int(edge)) for _, edge in bad[:_SHOWN]]
    raise DataError(
        f"{counted(len(bad), 'distance')} of pairs, or of halves of them, {'is' if len(bad) == 1 else 'are'} "
        f"contradicted by shorter paths through the pairs: {'; '.join(named)}. Either a distance is wrong, or a "
        "midpoint on such a path is not halfway between its ends. Correct these pairs or leave them out."
    )


def refuse_equal_samples(pairs: Pairs, x: Float[np.ndarray, "N d"]) -> None:
    """Raises `DataError` where two of the three samples of a pair are the same numbers, in different rows.

    A map takes both to one place, whatever their distance: the energy of such a pair is all there is to see.
    """
    first, second, middle = (x[rows] for rows in pairs.rows)
    same = [np.all(a == b, axis=1) for a, b in ((first, second), (first, middle), (second, middle))]
    bad = np.flatnonzero(np.any(same, axis=0))
    if len(bad):
        named = f"rows {', '.join(str(row) for row in pairs.rows[:, bad[0]])}"
        raise DataError(
            f"{counted(len(bad), 'pair')} of {len(pairs)} have equal samples in two of their rows, the first is pair "
            f"{bad[0]} ({named}: first, second, midpoint), though there is a distance of {pairs.distance[bad[0]]:g} "
            "between its ends. Equal samples cannot be told apart: leave these pairs out."
        )


def warn_of_midpoints(pairs: Pairs, x: Float[np.ndarray, "N d"]) -> None:
    """Warns where a sample halfway is farther from the mean of its ends than these are from one another.

    A sample that is at most as far from either end as they are from one another is at √3 / 2 of that, at most.
    """
    ends = x[pairs.first].astype(np.float64), x[pairs.second].astype(np.float64)
    off = np.linalg.norm(x[pairs.midpoint] - (ends[0] + ends[1]) / 2, axis=1)
    outside = np.flatnonzero(off > np.linalg.norm(ends[0] - ends[1], axis=1))
    if len(outside):
        rows = (f"row {pairs.midpoint[i]} for rows {pairs.first[i]} and {pairs.second[i]}" for i in outside)
        warnings.warn(
            f"The midpoints of {len(outside)} of {counted(len(pairs), 'pair')} are less like either end than these are "
            f"like one another: {listed(rows, _SHOWN)}. A midpoint has to be the sample halfway on the shortest path "
            "between its ends: correct it, or leave the pair out.",
            DataWarning,
            stacklevel=2,
        )


def warn_of_detours(pairs: Pairs, graph: PairGraph, x: Float[np.ndarray, "N d"], greatest: float, seed: int) -> None:
    """Warns where samples that are more alike than those of a pair are joined only by paths of several pairs.

    Then near samples are joined by detours, or pairs are beyond the injectivity radius, where the path between them
    is not the shortest one. Distances are far too long either way, and a diagnosis takes near samples for far ones.
    """
    joined = np.isin(pairs.first, graph.parts[0])
    chosen = np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(joined))[:_LOOKED_AT])
    path = dijkstra(graph.edges, directed=False, indices=pairs.first[chosen])
    ratios = []
    for i, pair in enumerate(chosen):
        apart = np.linalg.norm(x.astype(np.float64) - x[pairs.first[pair]], axis=1)
        alike = (apart < _ALIKE * apart[pairs.second[pair]]) & np.isfinite(path[i])
        alike[pairs.first[pair]] = False
        if alike.any():
            ratios.append(np.median(path[i, alike]) / pairs.distance[pair])
    if not ratios:
        return
    detour, typical = float(np.median(ratios)), float(np.median(pairs.distance))
    if detour > (_DETOUR_OF_LONG if typical > _LONG * greatest else _DETOUR):
        warnings.warn(
            f"Samples that are more alike than the two of a pair are {detour:.2g} pairs apart by the shortest path "
            f"through the pairs; a pair is {typical:.3g}, and the greatest distance {greatest:.3g}. So near samples "
            "are joined by detours, or pairs are longer than half of the way around, where midpoints are not those of "
            "shortest paths. Give also pairs of nearer samples, and none of far ones.",
            DataWarning,
            stacklevel=2,
        )


def warn_of_long_pairs(pairs: Pairs, greatest: float) -> None:
    """Warns of pairs that are longer than half of the greatest distance."""
    long = pairs.distance > greatest / 2
    if long.any():
        warnings.warn(
            f"{long.sum()} of {counted(len(pairs), 'pair')} are longer than half of the greatest distance, "
            f"{greatest:.3g}: too far for second differences, and midpoints of samples beyond the injectivity radius "
            "are not unique. Give pairs of nearer samples, up to a sixth of it.",
            DataWarning,
            stacklevel=2,
        )


def _edges(pairs: Pairs) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    return (pairs.first, pairs.second), (pairs.first, pairs.midpoint), (pairs.midpoint, pairs.second)


def _contradiction(
    pairs: Pairs, graph: PairGraph, ends: Int[np.ndarray, "2 E"], length: Float[np.ndarray, " E"], edge: int
) -> str:
    """Which distance, and the path."""
    start, row = ends[:, edge]
    path, before = dijkstra(graph.edges, directed=False, indices=start, return_predecessors=True)
    way = [row]
    while way[-1] != start:
        way.append(before[way[-1]])
    kind = "" if edge < len(pairs) else " (half of that of a pair)"
    over = f"the path over {listed(map(str, reversed(way[1:-1])), 6)}" if len(way) > 2 else "another pair"
    return f"rows {start} and {row} have {length[edge]:.3g}{kind}, {over} has {path[row]:.3g}"
