"""What a low-bending autoencoder is told of near and far samples: the protocol that its three kinds share.

Each kind gives the batches of the training, those by which weights and fits are judged, the unit of length, and what
else follows from it: the lowest energy of embeddings, and the samples that lie halfway between two others. The kinds:
`rendered_nearness` (a renderer), `positioned_nearness` (positions) and `paired_nearness` (pairs); `find_nearness`
chooses.
"""

import abc
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Int, Key

from latax.estimators.halfway import Interpolation
from latax.estimators.pair_graph import Distances
from latax.geometry import AbstractDistortion
from latax.models.autoencoder import Autoencoder
from latax.models.near_pairs import FarPairs, KnownPairs, Neighbourhoods
from latax.train import Batch

#: Pairs, or samples, of a batch that is looked at.
AT_ONCE = 512


class AbstractNearness(abc.ABC):
    """Which samples are near, which are far, and by how much."""

    @property
    @abc.abstractmethod
    def length(self) -> float:
        """The unit of distances: the size of the manifold, divided by π."""

    @property
    @abc.abstractmethod
    def reach(self) -> float:
        """Below this distance two samples have one shortest path between them; infinite where nobody knows."""

    def without_rounding(self, length: float) -> "AbstractNearness":
        """Without what is too near for second differences in single precision, for a manifold of this length."""
        return self

    @abc.abstractmethod
    def training(self) -> Any:
        """The sampler of the training's batches."""

    @abc.abstractmethod
    def judging(self, count: int, seed: int, *, far: int = 0) -> Iterator[Batch]:
        """Batches of about `count` near pairs, or neighbourhoods, to judge by; the same for the same seed.

        Each has as many far pairs; altogether there are `far` at least, which costs little where distances are known.
        """

    @abc.abstractmethod
    def lowest(self, bending_weight: float, distortion: AbstractDistortion, count: int, seed: int) -> float | None:
        """The lowest energy of embeddings over pairs as those of `judging(count, seed)`, where it is known."""

    @abc.abstractmethod
    def interpolation(self, model: Autoencoder) -> Interpolation | None:
        """How well the decoder finds what lies halfway, where that is known."""

    def held_out(self, count: int, seed: int) -> dict[str, np.ndarray]:
        """The batches of `judging` as one."""
        batches = list(self.judging(count, seed))
        return {name: np.concatenate([np.asarray(batch[name]) for batch in batches]) for name in batches[0]}


# ---- what positions and pairs share


def pieces(sampler: KnownPairs | Neighbourhoods, count: int, seed: int, far: int) -> Iterator[Batch]:
    """The first `count` entries of a sampler, in batches, with `far` far pairs at least, spread over these."""
    each = -(-far // max(-(-count // AT_ONCE), 1))
    for start in range(0, count, AT_ONCE):
        chosen = np.arange(start, min(start + AT_ONCE, count))
        yield _batch_of(sampler, as_rows(chosen), max(each, len(chosen)), jr.fold_in(jr.key(seed), start))


@eqx.filter_jit
def _batch_of(sampler: KnownPairs | Neighbourhoods, chosen: Int[Array, " B"], far: int, key: Key[Array, ""]) -> Batch:
    batch = sampler.of(chosen, key)
    # Far pairs are drawn from a table and not from the near ones: few held-out samples are no reason for few of them.
    return batch if far == len(chosen) else batch | sampler.far.draw(sampler.x, key, far)


def far_pairs(found: Distances) -> FarPairs:
    """The table of distances, on the device."""
    return FarPairs(as_rows(found.from_rows), as_rows(found.to_rows), jnp.asarray(found.distance, jnp.float32))


def as_rows(rows: Int[np.ndarray, "..."]) -> Int[Array, "..."]:
    """Row numbers, on the device."""
    return jnp.asarray(rows, jnp.int32)
