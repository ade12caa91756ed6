"""What is near among samples at known positions: neighbours and their stencils."""

from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from latax._errors import DataError
from latax._wording import counted
from latax.estimators.nearness import AbstractNearness, as_rows, far_pairs, pieces
from latax.estimators.neighbours import Neighbours, distances_between, find_neighbours
from latax.estimators.pair_graph import Distances
from latax.geometry import (
    AbstractDistortion,
    AbstractManifold,
    best_multiple,
    lowest_is_known,
    mean_bending,
    stencil_hessian,
)
from latax.models.autoencoder import Autoencoder
from latax.models.near_pairs import Neighbourhoods
from latax.train import Batch

#: Above this share of their size the moments of the classical embedding tell that positions are not spread evenly.
_UNEVEN = 0.05


@dataclass(frozen=True)
class Positioned(AbstractNearness):
    """Samples at known positions: neighbours and their stencils.

    Training samples have neighbours among themselves; those that are held out have them among all. `nearest` and
    `farthest` are distances of neighbours, in the manifold's length.
    """

    manifold: AbstractManifold
    positions: Float[np.ndarray, "N *point"]
    x: Float[np.ndarray, "N d"]
    training_rows: Int[np.ndarray, " T"]
    held_out_rows: Int[np.ndarray, " V"]
    seed: int
    nearest: float
    farthest: float

    @property
    def length(self) -> float:
        """The manifold's; where its injectivity radius is infinite, the greatest distance of some samples / π."""
        if np.isfinite(self.manifold.injectivity_radius):
            return self.manifold.length_scale
        return float(self._far(self._all_rows).distance.max()) / np.pi

    @property
    def reach(self) -> float:
        """The manifold's; of a flat region, whose extent the samples have, nothing is known."""
        return self.manifold.reach if np.isfinite(self.manifold.injectivity_radius) else np.inf

    def training(self) -> Neighbourhoods:
        """Training samples."""
        self._refuse_equal_samples()
        return self._neighbourhoods(self.training_rows, self.training_rows)

    def judging(self, count: int, seed: int, *, far: int = 0) -> Iterator[Batch]:
        """Held-out samples."""
        chosen = self._chosen(count, seed)
        yield from pieces(self._neighbourhoods(chosen, self._all_rows), len(chosen), seed, far)

    def lowest(self, bending_weight: float, distortion: AbstractDistortion, count: int, seed: int) -> float | None:
        """That of the best multiple of the classical embedding, by the very stencils of `judging`.

        For near neighbours it is the proven bound. Quadratic fits in wide neighbourhoods find a little less bending,
        of every map alike: so the bound itself would be too high. None where the samples are not spread evenly, as
        the bound asks for, and without a weight, since it is then zero.
        """
        manifold = self.manifold
        if not bending_weight or not lowest_is_known(manifold):
            return None
        with jax.enable_x64(True):
            places = np.asarray(jax.vmap(manifold.embed)(jnp.asarray(self.positions, jnp.float64)))
            if not _spread_evenly(places):
                return None
            centres = self._chosen(count, seed)
            near = self._neighbours(centres, self._all_rows)
            differences = places[near.rows] - places[centres][:, None]
            squares = np.sum(differences**2, axis=2) / near.distance**2
            hessians = jax.vmap(stencil_hessian)(jnp.asarray(near.second), jnp.asarray(differences))
            bending = float(jnp.mean(jax.vmap(mean_bending)(hessians)))
        return best_multiple(squares.ravel(), bending, bending_weight, distortion=distortion).energy

    def interpolation(self, model: Autoencoder) -> None:
        """Nobody knows the sample halfway between two."""

    @property
    def _all_rows(self) -> Int[np.ndarray, " N"]:
        return np.sort(np.concatenate([self.training_rows, self.held_out_rows]))

    def _chosen(self, count: int, seed: int) -> Int[np.ndarray, " C"]:
        return np.sort(np.random.default_rng(seed).permutation(self.held_out_rows)[:count])

    def _refuse_equal_samples(self) -> None:
        """Raises `DataError` where samples at different positions, not next to one another, are the same numbers."""
        rows = self._all_rows
        _, first, place = np.unique(self.x[rows], axis=0, return_index=True, return_inverse=True)
        if len(first) == len(rows):
            return
        first = first[place.ravel()]
        with jax.enable_x64(True):
            places = jnp.asarray(self.positions[rows], jnp.float64)
            apart = np.asarray(jax.vmap(self.manifold.distance)(places, places[first]))
        bad = np.flatnonzero(apart > self.nearest * self.length)
        if len(bad):
            raise DataError(
                f"{counted(len(bad), 'sample')} of {len(rows)} are equal to others that are elsewhere on the manifold: "
                f"samples {rows[first[bad[0]]]} and {rows[bad[0]]} hold the same numbers at positions "
                f"{apart[bad[0]]:.3g} apart. No map can tell them from each other: correct the positions, leave such "
                "samples out, or give a manifold on which their places are one."
            )

    def _far(self, rows: Int[np.ndarray, " rows"]) -> Distances:
        return distances_between(self.manifold, self.positions, rows, self.seed)

    def _neighbours(self, centres: Int[np.ndarray, " C"], pool: Int[np.ndarray, " P"]) -> Neighbours:
        return find_neighbours(
            self.manifold,
            self.positions,
            centres,
            pool,
            self.length,
            seed=self.seed,
            nearest=self.nearest,
            farthest=self.farthest,
        )

    def _neighbourhoods(self, centres: Int[np.ndarray, " C"], pool: Int[np.ndarray, " P"]) -> Neighbourhoods:
        near = self._neighbours(centres, pool)
        return Neighbourhoods(
            jnp.asarray(self.x),
            as_rows(centres),
            as_rows(near.rows),
            jnp.asarray(near.distance, jnp.float32),
            jnp.asarray(near.second, jnp.float32),
            far_pairs(self._far(pool)),
        )


def _spread_evenly(places: Float[np.ndarray, "N l"]) -> bool:
    """Whether the first two moments of the classical embedding are those of evenly spread points: 0 and I / l.

    The first alone is zero for two opposite arcs, too, each of which can lie flat.
    """
    count, size = places.shape
    square = np.mean(np.sum(places**2, axis=1))
    first = np.linalg.norm(places.mean(axis=0)) / np.sqrt(square)
    second = np.linalg.norm(size * places.T @ places / (count * square) - np.eye(size)) / np.sqrt(size)
    # Of evenly spread points the squares of these are 1 / N and (l - 1) / N on the average.
    return bool(first <= _UNEVEN + 3 / np.sqrt(count) and second <= _UNEVEN + 3 * np.sqrt((size - 1) / count))
