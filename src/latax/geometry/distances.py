"""Distances between all pairs of many latent points, by the metric that a decoder pulls back."""

import warnings
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import ArrayLike

from latax._errors import ConfigError, DataError, DataWarning
from latax.geometry.geodesic import geodesic
from latax.geometry.latent_map import check_map
from latax.geometry.length import length

_METHODS = ("graph", "geodesic")
_NODES = 8  # at which the speed along an edge is evaluated

Pairs = Float[Array, "pairs n"]


def distance_matrix(
    f: Callable, Z: ArrayLike, method: str = "graph", *, neighbours: int = 10, segments: int = 32, chunk: int = 64
) -> Float[np.ndarray, "m m"]:
    """Geodesic distances, in units of the data, between all pairs of the latent points Z (m, n).

    **Methods:**

    - "graph": shortest paths through straight latent lines between near points (Dijkstra's algorithm; the graph is that
      of Isomap, Tenenbaum, de Silva and Langford 2000, its edges have their lengths by the metric and not those of
      chords). Never less than the distance, and near it where the points lie densely: a few per cent too long on
      average. Knows of ways round holes. The cost of m `neighbours` lines and m² log m.
    - "geodesic": one boundary value problem for each pair, exact, starting from the straight latent line: the shortest
      geodesic near that. The cost of m² / 2 geodesics.

    **Arguments:**

    - `neighbours`: each point is joined to so many of the nearest in latent space, and of the nearest in the data.
    - `segments`: as in `latax.geometry.geodesic`.
    - `chunk`: how many lines or geodesics are computed at a time; more need more memory.

    Raises `ConfigError` for an unknown method, numbers below one, and a map that does not give a vector of at least n
    numbers; `DataError` for points that are not a finite array (m, n) with m >= 2, and where the graph falls into
    pieces. Warns with a `DataWarning` where boundary value problems have not converged; the values are then the lengths
    of the best polygons.
    """
    if method not in _METHODS:
        raise ConfigError(f"method={method!r} is not known. Use 'graph' or 'geodesic'.")
    if neighbours < 1 or chunk < 1:
        raise ConfigError(f"neighbours = {neighbours}, chunk = {chunk}: both have to be at least 1.")
    points = np.asarray(Z)
    if points.ndim != 2 or len(points) < 2 or not np.issubdtype(points.dtype, np.floating):
        raise DataError(f"Z: expected floats of shape (m, n), m >= 2, got {points.dtype} of shape {points.shape}.")
    if not np.isfinite(points).all():
        raise DataError("Z has values that are not finite. Drop those rows: Z[np.isfinite(Z).all(axis=1)].")
    latent = jnp.asarray(points)
    check_map(f, latent[0])
    if method == "graph":
        return _by_graph(f, latent, min(neighbours, len(points) - 1), chunk)
    return _by_geodesics(f, latent, segments, chunk)


def _by_graph(f: Callable, latent: Float[Array, "m n"], neighbours: int, chunk: int) -> Float[np.ndarray, "m m"]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, shortest_path

    first, second = _near_pairs(f, latent, neighbours, chunk)
    lengths = np.asarray(_line_lengths(f, latent[first], latent[second], chunk), float)
    # Zero means "no edge" to SciPy; two points with one image still are joined.
    edges = np.maximum(lengths, np.finfo(float).tiny)
    graph = coo_array((edges, (first, second)), shape=(len(latent), len(latent))).tocsr()
    pieces, which = connected_components(graph, directed=False)
    if pieces > 1:
        raise DataError(
            f"With neighbours = {neighbours} the points fall into {pieces} pieces, the smallest of "
            f"{np.bincount(which).min()}, without a path between them. Take more neighbours, more points between the "
            "pieces, or method='geodesic'."
        )
    matrix = shortest_path(graph, method="D", directed=False)
    return np.minimum(matrix, matrix.T)  # sums along a path, rounded differently from either end


def _near_pairs(f: Callable, latent: Float[Array, "m n"], neighbours: int, chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs i < j where one is among the nearest of the other, in latent space or in the data."""
    from scipy.spatial import KDTree

    data = eqx.filter_jit(lambda f, z: jax.lax.map(f, z, batch_size=chunk))(f, latent)
    rows = np.arange(len(latent))[:, None]
    pairs = []
    for points in (np.asarray(latent), np.asarray(data)):
        # A point is among its own nearest, but not always the first of them.
        _, near = KDTree(points).query(points, k=neighbours + 1)
        both = np.stack(np.broadcast_arrays(rows, near), axis=-1).reshape(-1, 2)
        pairs.append(np.sort(both[both[:, 0] != both[:, 1]], axis=1))
    first, second = np.unique(np.concatenate(pairs), axis=0).T
    return first, second


def _by_geodesics(f: Callable, latent: Float[Array, "m n"], segments: int, chunk: int) -> Float[np.ndarray, "m m"]:
    first, second = np.triu_indices(len(latent), 1)
    lengths, converged = _geodesic_lengths(f, latent[first], latent[second], segments, chunk)
    failed = int(np.sum(~np.asarray(converged)))
    if failed:
        warnings.warn(
            f"{failed} of {len(first)} geodesics have not converged; their distances are lengths of polygons of "
            f"{segments} segments. More segments, or smaller distances with method='graph', may help.",
            DataWarning,
            stacklevel=3,
        )
    matrix = np.zeros((len(latent), len(latent)))
    matrix[first, second] = matrix[second, first] = np.asarray(lengths)
    return matrix


@eqx.filter_jit
def _line_lengths(f: Callable, starts: Pairs, ends: Pairs, chunk: int) -> Float[Array, " pairs"]:
    return jax.lax.map(lambda line: length(f, jnp.stack(line), nodes=_NODES), (starts, ends), batch_size=chunk)


@eqx.filter_jit
def _geodesic_lengths(
    f: Callable, starts: Pairs, ends: Pairs, segments: int, chunk: int
) -> tuple[Float[Array, " pairs"], Bool[Array, " pairs"]]:
    def one(pair: tuple[Array, Array]) -> tuple[Array, Array]:
        found = geodesic(f, *pair, segments=segments)
        return found.length, found.converged

    return jax.lax.map(one, (starts, ends), batch_size=chunk)
