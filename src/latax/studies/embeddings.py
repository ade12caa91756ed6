"""Embeddings of rendered manifolds by any method, measured by what is known of the manifold.

An embedding is judged by its shape and not by its units: the energy is that of its best multiple.
"""

import functools
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from latax._errors import DataWarning
from latax.data.rendered import RenderedManifold
from latax.estimators import LowBendingAutoencoder
from latax.estimators.base import AbstractEstimator
from latax.evaluate.embedding import far_pair_ratio, principal_dimension
from latax.geometry import (
    AbstractDistanceLaw,
    Lowest,
    PairSampler,
    best_multiple,
    first_quotient,
    lowest_energy,
    second_quotient,
)
from latax.geometry.quotient import squared_length
from latax.models.near_pairs import RenderedPairs
from latax.studies.classical import PCA
from latax.studies.contest import Measure

#: Pairs that are looked at, and distances of interpolated pairs as shares of the manifold's reach.
PAIRS, SHARES = 2048, (0.1, 0.3, 0.5, 0.7, 0.9)
#: Pairs at each of these distances: for straight lines, and for geodesics, which take seconds each.
PER_SHARE, GEODESICS = 128, 4


class Images(NamedTuple):
    """Images of near pairs with their midpoint, and of far ones with their distance."""

    near: tuple[np.ndarray, np.ndarray, np.ndarray]
    distance: Float[np.ndarray, " N"]
    far: Float[np.ndarray, "N d"]
    far_distance: Float[np.ndarray, " N"]


def draw(rendered: RenderedManifold, law: AbstractDistanceLaw, *, count: int = PAIRS, seed: int = 11) -> Images:
    """`count` test pairs, the same for the same seed."""
    size = int(np.prod(rendered.image_shape))
    source = RenderedPairs(PairSampler(rendered.manifold, law), rendered.render, jnp.zeros(size))
    found = {name: np.asarray(values) for name, values in source.draw(jr.key(seed), count).items()}
    near = (found["x"], found["y"], found["midpoint"])
    return Images(near, found["distance"], found["far_y"], found["far_distance"])


def energies(model: Any, images: Images, bending_weight: float) -> Lowest:
    """The energy of a model's encoder on these pairs, of whatever unit its coordinates have; γ is `Inverse`."""
    with jax.enable_x64(True):
        x, y, m = (jnp.asarray(np.asarray(model.transform(part), np.float64)) for part in images.near)
        squares, bendings = _quotients(x, y, m, jnp.asarray(images.distance, jnp.float64))
        return best_multiple(np.asarray(squares), float(jnp.mean(bendings)), bending_weight)


@eqx.filter_jit
def _quotients(
    x: Float[Array, "N l"], y: Float[Array, "N l"], midpoint: Float[Array, "N l"], distance: Float[Array, " N"]
) -> tuple[Array, Array]:
    """|∂φ|² and |∂²φ|² of every pair."""
    square = jax.vmap(squared_length)
    first = jax.vmap(first_quotient)(x, y, distance)
    return square(first), square(jax.vmap(second_quotient)(x, y, midpoint, distance))


def measures(
    rendered: RenderedManifold, law: AbstractDistanceLaw, bending_weight: float, lowest: float | None
) -> Mapping[str, Measure]:
    """What is measured of every contestant; all but the dimension and the far pairs are the better the smaller."""
    images = draw(rendered, law)
    of = functools.lru_cache(maxsize=8)(lambda model: energies(model, images, bending_weight))
    found: dict[str, Measure] = {"energy": lambda model: of(model).energy}
    if lowest is not None:
        found["energy / lowest"] = lambda model: of(model).energy / lowest
        bound = functools.cache(lambda weight: lowest_energy(rendered.manifold, weight, law=law).energy)

        def at_its_own(model: Any) -> float | None:
            if not isinstance(model, LowBendingAutoencoder):
                return None
            weight = own_weight(model, rendered)
            return energies(model, images, weight).energy / bound(weight)

        found["energy / lowest at its own λ"] = at_its_own
    return found | {
        "distortion": lambda model: of(model).distortion,
        "bending": lambda model: of(model).bending,
        "far pairs": lambda model: _far(model, images, of(model).scale, rendered.manifold.reach),
        "dimension (99 %)": lambda model: float(principal_dimension(np.asarray(model.transform(images.far)))),
        "rebuilt": lambda model: _rebuilt(model, images),
    }


def trade(
    models: Mapping[str, Any], rendered: RenderedManifold, law: AbstractDistanceLaw
) -> dict[str, list[tuple[float, float]]]:
    """Bending and distortion of low-bending models, each at the best scale for its own λ, for all their replicates."""
    images = draw(rendered, law)
    found = {}
    for name, model in models.items():
        replicates = [model.replicate(r) for r in range(model.n_replicates_)]
        parts = [energies(one, images, own_weight(one, rendered)) for one in replicates]
        found[name] = [(part.bending, part.distortion) for part in parts]
    return found


def own_weight(model: LowBendingAutoencoder, rendered: RenderedManifold) -> float:
    """The λ that a model was trained with, in squared units of distance."""
    return model.bending_weight * rendered.manifold.length_scale**2


def _far(model: Any, images: Images, scale: float, reach: float) -> float:
    z, other = (np.asarray(model.transform(part), np.float64) for part in (images.near[0], images.far))
    return far_pair_ratio(scale * np.linalg.norm(z - other, axis=1), images.far_distance, reach)


def _decodes(model: Any) -> bool:
    return not isinstance(model, LowBendingAutoencoder) or model.decoder


def _rebuilt(model: Any, images: Images) -> float | None:
    if not _decodes(model):
        return None
    made = model.inverse_transform(model.transform(images.far)).reshape(len(images.far), -1)
    return _relative(made, images.far, _variance(images.far))


def _variance(images: np.ndarray) -> float:
    """The mean square error of the mean image."""
    return float(np.mean((images - images.mean(axis=0)) ** 2))


def _relative(made: np.ndarray, true: np.ndarray, variance: float) -> float:
    """Root mean square error, relative to that of the mean image."""
    return float(np.sqrt(np.mean((made - true) ** 2) / variance))


class Between:
    """Images halfway between two others, at several distances, and what models make of the two instead.

    All errors are root mean squares at one distance, relative to that of the mean image of all halfway ones. Where the
    manifold has a boundary, distances for which hardly any pair is inside are left out of `shares`.
    """

    def __init__(self, rendered: RenderedManifold, *, seed: int = 12):
        drawn = {}
        for number, share in enumerate(SHARES):
            keys = jr.split(jr.fold_in(jr.key(seed), number), PER_SHARE)
            there, images = _images(rendered, keys, jnp.asarray(share * rendered.manifold.reach, jnp.float32))
            if np.asarray(there).all():
                drawn[share] = tuple(np.asarray(part) for part in images)
        self._drawn: dict[float, tuple[np.ndarray, ...]] = drawn
        self._variance = _variance(np.concatenate([middle for _, middle, _ in drawn.values()]))

    @property
    def shares(self) -> tuple[float, ...]:
        """Distances as shares of the manifold's reach."""
        return tuple(self._drawn)

    def lines(self) -> Mapping[float, Measure]:
        """By distance, the error of the image decoded in the middle of the latent line; None without a decoder."""
        return {share: functools.partial(self._line, share, PER_SHARE) for share in self.shares}

    def averaged(self) -> dict[float, float]:
        """The same for the mean of the two images."""
        return {share: self._error(share, 0.5 * (a + b)) for share, (a, _, b) in self._drawn.items()}

    def few_lines(self, model: Any) -> dict[float, float | None]:
        """The same as `lines`, for those pairs only that `geodesics` has."""
        return {share: self._line(share, GEODESICS, model) for share in self.shares}

    def geodesics(self, model: Any) -> Mapping[float, float | None] | None:
        """By distance, the error of the image halfway along the shortest path among what the model decodes to.

        None for a model that has no such verb, or no decoder. Images of PCA lie in a plane, where this is the straight
        line.
        """
        if isinstance(model, PCA):
            return self.few_lines(model)
        if not isinstance(model, AbstractEstimator) or not _decodes(model):
            return None
        return {share: self._geodesic(share, model) for share in self.shares}

    def _line(self, share: float, count: int, model: Any) -> float | None:
        if not _decodes(model):
            return None
        start, _, end = (part[:count] for part in self._drawn[share])
        z = 0.5 * (np.asarray(model.transform(start)) + np.asarray(model.transform(end)))
        return self._error(share, model.inverse_transform(z))

    def _geodesic(self, share: float, model: AbstractEstimator) -> float:
        start, _, end = (part[:GEODESICS] for part in self._drawn[share])
        with warnings.catch_warnings():
            # Of paths that are not the shortest yet: they count as they are.
            warnings.simplefilter("ignore", DataWarning)
            made = [model.interpolate(a, b, steps=3, along="geodesic")[1] for a, b in zip(start, end, strict=True)]
        return self._error(share, np.stack(made))

    def _error(self, share: float, made: np.ndarray) -> float:
        return _relative(made.reshape(len(made), -1), self._drawn[share][1][: len(made)], self._variance)


@eqx.filter_jit
def _images(rendered: RenderedManifold, keys: Any, distance: Array) -> tuple[Array, tuple[Array, ...]]:
    """Whether there are pairs at this distance, and images of both ends with the middle between them."""
    return jax.lax.map(lambda key: rendered.halfway(distance, key), keys, batch_size=64)
