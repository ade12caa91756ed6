"""Distances of far samples from those of near pairs: the shortest paths through the graph of all pairs.

Its edges join the two samples of a pair, of the pair's length, and each of them to the midpoint, of half of it. A path
of such edges is longer than the shortest path on the manifold, a little where samples are dense, and much for near
samples that no short pairs join. It is never shorter, if midpoints and distances are what they say
(`latax.estimators.pair_checks`).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from latax.data import Pairs

#: Samples from which, and to which, distances are found, at most; and from how many of them at once.
LANDMARKS, TARGETS, AT_ONCE = 512, 4096, 64


class Distances(NamedTuple):
    """Distances from some samples to some others, by rows."""

    from_rows: Int[np.ndarray, " M"]
    to_rows: Int[np.ndarray, " R"]
    distance: Float[np.ndarray, "M R"]


class PairGraph(NamedTuple):
    """The graph, and the parts that it falls into, the largest first; rows in no pair are in none."""

    edges: csr_matrix
    parts: list[Int[np.ndarray, " rows"]]


def pair_graph(pairs: Pairs, count: int) -> PairGraph:
    """The graph of the pairs of `count` samples. Of several edges between the same two the shortest counts."""
    a = np.concatenate([pairs.first, pairs.first, pairs.midpoint])
    b = np.concatenate([pairs.second, pairs.midpoint, pairs.second])
    length = np.concatenate([pairs.distance, pairs.distance / 2, pairs.distance / 2])
    a, b = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((length, b, a))
    a, b, length = a[order], b[order], length[order]
    fresh = np.ones(len(a), bool)
    fresh[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    edges = csr_matrix((length[fresh], (a[fresh], b[fresh])), shape=(count, count))
    labels = connected_components(edges, directed=False)[1]
    rows = np.unique(pairs.rows)
    parts = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    return PairGraph(edges, sorted(parts, key=len, reverse=True))


def far_distances(graph: PairGraph, allowed: Bool[np.ndarray, " N"], seed: int) -> Distances:
    """Distances between `allowed` samples of the largest part: from `LANDMARKS` to `TARGETS` random ones, at most."""
    rows = graph.parts[0][allowed[graph.parts[0]]]
    random = np.random.default_rng(seed)
    some = lambda most: np.sort(random.permutation(rows)[:most])
    landmarks, targets = some(LANDMARKS), some(TARGETS)
    found = [
        dijkstra(graph.edges, directed=False, indices=landmarks[start : start + AT_ONCE])[:, targets]
        for start in range(0, len(landmarks), AT_ONCE)
    ]
    return Distances(landmarks, targets, np.concatenate(found))
