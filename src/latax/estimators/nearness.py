"""What a low-bending autoencoder is told of near and far samples: by a renderer, by positions, or by pairs.

Each kind gives the batches of the training, those by which weights and fits are judged, the unit of length, and what
else follows from it: the lowest energy of any embedding, and the samples that lie halfway between two others.
"""

import abc
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key
from scipy.spatial.distance import cdist

from latax._errors import DataError, DataWarning
from latax._wording import counted
from latax.data import Pairs, Samples
from latax.data.rendered import RenderedManifold
from latax.estimators.halfway import Interpolation, between_pairs, between_rendered
from latax.estimators.neighbours import Neighbours, distances_between, find_neighbours
from latax.estimators.pair_graph import Distances, far_distances, pair_graph
from latax.estimators.positions import positions_of
from latax.geometry import (
    AbstractDistanceLaw,
    AbstractDistortion,
    AbstractHomogeneousManifold,
    AbstractManifold,
    PairSampler,
    lowest_energy,
    lowest_is_known,
)
from latax.models.autoencoder import Autoencoder
from latax.models.near_pairs import FarPairs, KnownPairs, Neighbourhoods, RenderedPairs
from latax.train import Batch

#: Pairs, or samples, of a batch that is looked at.
AT_ONCE = 512
#: Known pairs that touch held-out samples, below which all known pairs are looked at.
FEWEST_PAIRS = 50
#: Pairs nearer than this share of the length are left out: in single precision their second differences are rounding.
NEAREST = 1e-2
#: Above this share of its size the mean of the classical embedding tells that positions are not spread evenly.
_UNEVEN = 0.05
#: Paths to the most similar samples, in lengths of a pair, above which they are detours; from so many samples.
_DETOUR, _LOOKED_AT = 2.0, 64


class AbstractNearness(abc.ABC):
    """Which samples are near, which are far, and by how much."""

    @property
    @abc.abstractmethod
    def length(self) -> float:
        """The unit of distances: the size of the manifold, divided by π."""

    @abc.abstractmethod
    def training(self) -> Any:
        """The sampler of the training's batches."""

    @abc.abstractmethod
    def judging(self, count: int, seed: int) -> Iterator[Batch]:
        """Batches of about `count` near and far pairs, or neighbourhoods, to judge by; the same for the same seed."""

    @abc.abstractmethod
    def lowest(self, bending_weight: float, distortion: AbstractDistortion) -> float | None:
        """The lowest energy of any embedding, where it is known."""

    @abc.abstractmethod
    def interpolation(self, model: Autoencoder) -> Interpolation | None:
        """How well the decoder finds what lies halfway, where that is known."""

    def held_out(self, count: int, seed: int) -> dict[str, np.ndarray]:
        """The batches of `judging` as one."""
        batches = list(self.judging(count, seed))
        return {name: np.concatenate([np.asarray(batch[name]) for batch in batches]) for name in batches[0]}


# ---- a renderer


@dataclass(frozen=True)
class Rendered(AbstractNearness):
    """Fresh pairs, rendered on the way: nothing is learnt twice, and nothing is held out."""

    rendered: RenderedManifold
    law: AbstractDistanceLaw
    loc: Float[np.ndarray, " d"]

    @property
    def length(self) -> float:
        """The manifold's."""
        return self.rendered.manifold.length_scale

    def training(self) -> RenderedPairs:
        """Pairs by the law of distances."""
        sampler = PairSampler(self.rendered.manifold, self.law)
        return RenderedPairs(sampler, self.rendered.render, jnp.asarray(self.loc, jnp.float32))

    def judging(self, count: int, seed: int) -> Iterator[Batch]:
        """Pairs by the law of distances."""
        pairs = self.training()
        for key in jr.split(jr.key(seed), -(-count // AT_ONCE)):
            yield pairs.draw(key, AT_ONCE)

    def lowest(self, bending_weight: float, distortion: AbstractDistortion) -> float | None:
        """That for these pairs."""
        return _lowest(self.rendered.manifold, bending_weight, distortion, self.law)

    def interpolation(self, model: Autoencoder) -> Interpolation | None:
        """Between fresh pairs at a series of distances."""
        return between_rendered(model, self.rendered, self.loc)


# ---- positions


@dataclass(frozen=True)
class Positioned(AbstractNearness):
    """Samples at known positions: neighbours and their stencils.

    Training samples have neighbours among themselves; those that are held out have them among all.
    """

    manifold: AbstractManifold
    positions: Float[np.ndarray, "N *point"]
    x: Float[np.ndarray, "N d"]
    training_rows: Int[np.ndarray, " T"]
    held_out_rows: Int[np.ndarray, " V"]
    seed: int

    @property
    def length(self) -> float:
        """The manifold's; where its injectivity radius is infinite, the greatest distance of some samples / π."""
        radius = self.manifold.injectivity_radius
        return (radius if np.isfinite(radius) else float(self._far(self._all_rows).distance.max())) / np.pi

    def training(self) -> Neighbourhoods:
        """Training samples."""
        return self._neighbourhoods(self.training_rows, self.training_rows)

    def judging(self, count: int, seed: int) -> Iterator[Batch]:
        """Held-out samples."""
        chosen = np.random.default_rng(seed).permutation(self.held_out_rows)[:count]
        yield from _pieces(self._neighbourhoods(np.sort(chosen), self._all_rows), len(chosen), seed)

    def lowest(self, bending_weight: float, distortion: AbstractDistortion) -> float | None:
        """The limit for near neighbours; None where the samples are not spread evenly, as the bound asks for."""
        manifold = self.manifold
        if not isinstance(manifold, AbstractHomogeneousManifold):
            return None
        places = np.asarray(jax.vmap(manifold.embed)(jnp.asarray(self.positions, jnp.float32)), np.float64)
        off = np.linalg.norm(places.mean(axis=0)) / np.sqrt(np.mean(np.sum(places**2, axis=1)))
        if off > _UNEVEN + 3 / np.sqrt(len(places)):
            return None
        return _lowest(manifold, bending_weight, distortion, None)

    def interpolation(self, model: Autoencoder) -> None:
        """Nobody knows the sample halfway between two."""

    @property
    def _all_rows(self) -> Int[np.ndarray, " N"]:
        return np.sort(np.concatenate([self.training_rows, self.held_out_rows]))

    def _far(self, rows: Int[np.ndarray, " rows"]) -> Distances:
        return distances_between(self.manifold, self.positions, rows, self.seed)

    def _neighbourhoods(self, centres: Int[np.ndarray, " C"], pool: Int[np.ndarray, " P"]) -> Neighbourhoods:
        near: Neighbours = find_neighbours(self.manifold, self.positions, centres, pool, self.length, seed=self.seed)
        return Neighbourhoods(
            jnp.asarray(self.x),
            _rows(centres),
            _rows(near.rows),
            jnp.asarray(near.distance, jnp.float32),
            jnp.asarray(near.second, jnp.float32),
            _far_pairs(self._far(pool)),
        )


# ---- pairs


@dataclass(frozen=True)
class Paired(AbstractNearness):
    """Known pairs with their midpoints; distances of far samples by the shortest paths through all of them.

    The training has the pairs that touch no held-out sample, the judging those that do. Distances are no secret: paths
    may lead through held-out samples.
    """

    pairs: Pairs
    x: Float[np.ndarray, "N d"]
    training_rows: Int[np.ndarray, " T"]
    held_out_rows: Int[np.ndarray, " V"]
    seed: int

    @property
    def length(self) -> float:
        """The greatest distance of some samples / π."""
        return float(self._far(np.arange(len(self.x))).distance.max()) / np.pi

    def require_one_part(self) -> None:
        """Raises `DataError` where the pairs do not join all samples that they name."""
        parts = [len(part) for part in pair_graph(self.pairs, len(self.x)).parts]
        if len(parts) > 1:
            shown = [str(size) for size in parts[:5]] + (["..."] if len(parts) > 5 else [])
            raise DataError(
                f"The pairs fall into {len(parts)} parts that nothing joins, of {', '.join(shown)} samples. How far "
                "samples of different parts are from one another is not known, and start='stress' begins with that. "
                "Give more pairs, with samples of several parts, or start='none'."
            )

    def warn_of_detours(self) -> None:
        """Warns where samples that are next to one another are joined only by paths of several pairs.

        Then distances of near samples are far too long, and a diagnosis takes these for far ones.
        """
        found = self._far(np.arange(len(self.x)))
        starts, x = found.from_rows[:_LOOKED_AT], self.x.astype(np.float64)
        apart = cdist(x[starts], x[found.to_rows])
        apart[starts[:, None] == found.to_rows[None]] = np.inf
        detour = float(np.median(found.distance[np.arange(len(starts)), np.argmin(apart, axis=1)]))
        pair = float(np.median(self.pairs.distance))
        if detour > _DETOUR * pair:
            warnings.warn(
                f"From a sample to the most similar one the shortest path through the pairs is {detour:.3g} long, and "
                f"a pair is {pair:.3g}. If these are next to one another, distances from pairs alone are detours: "
                "give also pairs of nearer samples.",
                DataWarning,
                stacklevel=2,
            )

    def without_rounding(self, length: float) -> "Paired":
        """Without pairs that are too near for second differences in single precision; warns of them.

        Raises `DataError` where none is left.
        """
        near = self.pairs.distance < NEAREST * length
        reason = (
            f"nearer than {NEAREST * length:.3g}, {NEAREST:g} of the manifold's length: in single precision their "
            "second differences are rounding"
        )
        if near.all():
            raise DataError(f"All {counted(len(near), 'pair')} are {reason}. Give partners that are farther away.")
        if near.any():
            warnings.warn(f"{near.sum()} of {len(near)} pairs are left out: {reason}.", DataWarning, stacklevel=2)
        return Paired(self.pairs.where(~near), self.x, self.training_rows, self.held_out_rows, self.seed)

    def training(self) -> KnownPairs:
        """Pairs of training samples."""
        kept = ~self._touching_held_out()
        if not kept.any():
            raise DataError(
                f"All {counted(len(kept), 'pair')} have a sample among those that are held out, so there is none to "
                "train on. Give more pairs, or a smaller validation_fraction."
            )
        return self._known(self.pairs.where(kept), self.training_rows)

    def judging(self, count: int, seed: int) -> Iterator[Batch]:
        """Pairs with a held-out sample."""
        pairs = self._judged()
        chosen = np.sort(np.random.default_rng(seed).permutation(len(pairs))[:count])
        yield from _pieces(self._known(pairs.where(chosen), np.arange(len(self.x))), len(chosen), seed)

    def lowest(self, bending_weight: float, distortion: AbstractDistortion) -> None:
        """Not known."""

    def interpolation(self, model: Autoencoder) -> Interpolation:
        """Between the samples of the pairs, against the sample halfway."""
        return between_pairs(model, self.x, self._judged())

    def _touching_held_out(self) -> np.ndarray:
        held = np.zeros(len(self.x), bool)
        held[self.held_out_rows] = True
        return np.any(held[self.pairs.rows], axis=0)

    def _judged(self) -> Pairs:
        touching = self._touching_held_out()
        return self.pairs.where(touching) if touching.sum() >= FEWEST_PAIRS else self.pairs

    def _far(self, rows: Int[np.ndarray, " rows"]) -> Distances:
        allowed = np.zeros(len(self.x), bool)
        allowed[rows] = True
        return far_distances(pair_graph(self.pairs, len(self.x)), allowed, self.seed)

    def _known(self, pairs: Pairs, rows: Int[np.ndarray, " rows"]) -> KnownPairs:
        return KnownPairs(
            jnp.asarray(self.x),
            *(_rows(ends) for ends in pairs.rows),
            jnp.asarray(pairs.distance, jnp.float32),
            _far_pairs(self._far(rows)),
        )


# ---- what they share


def nearness(
    estimator: Any, samples: Samples, rows: tuple[Int[np.ndarray, " T"], Int[np.ndarray, " V"]]
) -> AbstractNearness:
    """What the estimator's manifold, and its samples, tell of near ones; `rows`: (training, held-out) of them.

    Raises `DataError` where the samples do not come with what this needs.
    """
    found = estimator._manifold
    if isinstance(found, RenderedManifold):
        _require_images(samples, found)
        return Rendered(found, estimator._law(found.manifold), estimator.scaling_.loc)
    x = estimator.scaling_.centre(np.asarray(samples.X[:]))
    if found is not None:
        return Positioned(found, positions_of(samples, found), x, *rows, estimator.seed)
    if samples.pairs is None or not len(samples.pairs):
        raise DataError(
            f"manifold='{estimator.manifold}' learns from pairs, and these samples have none. Make samples with "
            "latax.data.from_triples, or give Samples(..., pairs=latax.data.Pairs(...))."
        )
    return Paired(samples.pairs, x, *rows, estimator.seed)


def _require_images(samples: Samples, rendered: RenderedManifold) -> None:
    wanted, found = rendered.image_shape, samples.sample_shape
    if samples.pairs is not None:
        raise DataError(
            f"These samples come with pairs, and '{rendered.name}' renders its own. Give manifold='pairs' to learn "
            "from these."
        )
    if found != wanted and (*found, 1) != wanted:
        raise DataError(
            f"Each sample has shape {found}, and '{rendered.name}' renders images of {wanted}. Give images "
            "of that shape (`latax data make` has those of the built-in ones), or the manifold that they show; for "
            "samples of your own see manifold='pairs' and those of known positions, such as manifold='circle'."
        )


def _pieces(sampler: KnownPairs | Neighbourhoods, count: int, seed: int) -> Iterator[Batch]:
    for start in range(0, count, AT_ONCE):
        chosen = np.arange(start, min(start + AT_ONCE, count))
        yield _batch_of(sampler, _rows(chosen), jr.fold_in(jr.key(seed), start))


@eqx.filter_jit
def _batch_of(sampler: KnownPairs | Neighbourhoods, chosen: Int[Array, " B"], key: Key[Array, ""]) -> Batch:
    return sampler.of(chosen, key)


def _far_pairs(found: Distances) -> FarPairs:
    return FarPairs(_rows(found.from_rows), _rows(found.to_rows), jnp.asarray(found.distance, jnp.float32))


def _rows(rows: Int[np.ndarray, "..."]) -> Int[Array, "..."]:
    return jnp.asarray(rows, jnp.int32)


def _lowest(
    manifold: AbstractManifold, bending_weight: float, distortion: AbstractDistortion, law: AbstractDistanceLaw | None
) -> float | None:
    if not lowest_is_known(manifold):
        return None
    return lowest_energy(manifold, bending_weight, law=law, distortion=distortion).energy
