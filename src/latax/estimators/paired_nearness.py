"""What is near among samples that come with pairs, their midpoints and distances."""

import dataclasses
import warnings
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from latax._errors import DataError, DataWarning
from latax._wording import counted
from latax.data import Pairs
from latax.estimators.halfway import Interpolation, between_pairs
from latax.estimators.nearness import AbstractNearness, as_rows, far_pairs, pieces
from latax.estimators.pair_checks import (
    refuse_contradictions,
    refuse_equal_samples,
    warn_of_detours,
    warn_of_long_pairs,
    warn_of_midpoints,
)
from latax.estimators.pair_graph import Distances, PairGraph, far_distances, pair_graph
from latax.geometry import AbstractDistortion
from latax.models.autoencoder import Autoencoder
from latax.models.near_pairs import KnownPairs
from latax.train import Batch

#: Known pairs that touch held-out samples, below which all known pairs are looked at.
FEWEST_PAIRS = 50
#: Pairs nearer than this share of the length are left out: in single precision their second differences are rounding.
NEAREST = 1e-2


@dataclasses.dataclass(frozen=True)
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

    @property
    def reach(self) -> float:
        """Not known."""
        return np.inf

    def checked(self, *, one_part: bool) -> "Paired":
        """Without pairs that are too near for second differences in single precision; warns of them.

        Raises `DataError` where no pair is left, where distances contradict one another, and, if `one_part` is asked
        for, where the pairs do not join all samples that they name. Warns of midpoints, and of distances, that the
        samples themselves tell are wrong.
        """
        refuse_contradictions(self.pairs, pair_graph(self.pairs, len(self.x)), self.seed)
        warn_of_midpoints(self.pairs, self.x)
        refuse_equal_samples(self.pairs, self.x)
        length = self.length
        greatest, kept = np.pi * length, self.without_rounding(length)
        if len(kept.pairs) < len(self.pairs):
            warnings.warn(
                f"{len(self.pairs) - len(kept.pairs)} of {len(self.pairs)} pairs are left out: {_too_near(length)}.",
                DataWarning,
                stacklevel=2,
            )
        graph = pair_graph(kept.pairs, len(self.x))
        if one_part:
            _require_one_part(graph)
        warn_of_long_pairs(kept.pairs, greatest)
        warn_of_detours(kept.pairs, graph, self.x, greatest, self.seed)
        return kept

    def without_rounding(self, length: float) -> "Paired":
        """Without pairs that are too near for second differences in single precision, for a manifold of this length.

        Raises `DataError` where no pair is left.
        """
        near = self.pairs.distance < NEAREST * length
        if near.all():
            raise DataError(
                f"All {counted(len(near), 'pair')} are {_too_near(length)}. Give partners that are farther away."
            )
        return dataclasses.replace(self, pairs=self.pairs.where(~near))

    def training(self) -> KnownPairs:
        """Pairs of training samples."""
        kept = ~self._touching_held_out()
        if not kept.any():
            raise DataError(
                f"All {counted(len(kept), 'pair')} have a sample among those that are held out, so there is none to "
                "train on. Give more pairs, or a smaller validation_fraction."
            )
        return self._known(self.pairs.where(kept), self.training_rows)

    def judging(self, count: int, seed: int, *, far: int = 0) -> Iterator[Batch]:
        """Pairs with a held-out sample."""
        pairs = self._judged()
        chosen = np.sort(np.random.default_rng(seed).permutation(len(pairs))[:count])
        yield from pieces(self._known(pairs.where(chosen), np.arange(len(self.x))), len(chosen), seed, far)

    def lowest(self, bending_weight: float, distortion: AbstractDistortion, count: int, seed: int) -> None:
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
            *(as_rows(ends) for ends in pairs.rows),
            jnp.asarray(pairs.distance, jnp.float32),
            far_pairs(self._far(rows)),
        )


def _too_near(length: float) -> str:
    return (
        f"nearer than {NEAREST * length:.3g}, {NEAREST:g} of the manifold's length: in single precision their second "
        "differences are rounding"
    )


def _require_one_part(graph: PairGraph) -> None:
    parts = [len(part) for part in graph.parts]
    if len(parts) > 1:
        shown = [str(size) for size in parts[:5]] + (["..."] if len(parts) > 5 else [])
        raise DataError(
            f"The pairs fall into {len(parts)} parts that nothing joins, of {', '.join(shown)} samples. How far "
            "samples of different parts are from one another is not known, and start='stress' begins with that. "
            "Give more pairs, with samples of several parts, or start='none'."
        )
