"""Embeddings of rendered manifolds by any method, measured by what is known of the manifold.

An embedding is judged by its shape and not by its units: the energy is that of its best multiple.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy.optimize
from jaxtyping import Float

from latax.data.rendered import RenderedManifold
from latax.evaluate.embedding import far_pair_ratio, principal_dimension
from latax.geometry import AbstractDistanceLaw, PairSampler
from latax.models.near_pairs import RenderedPairs
from latax.studies.contest import Measure

#: Pairs that are looked at, and distances of interpolated pairs as shares of the injectivity radius.
PAIRS, SHARES = 2048, (0.05, 0.15, 0.25, 0.35, 0.45)
PER_SHARE = 128


class Images(NamedTuple):
    """Images of near pairs with their midpoint, and of far ones with their distance."""

    near: tuple[np.ndarray, np.ndarray, np.ndarray]
    distance: Float[np.ndarray, " N"]
    far: Float[np.ndarray, "N d"]
    far_distance: Float[np.ndarray, " N"]


class Energies(NamedTuple):
    """Distortion and bending of the best multiple of an embedding, that multiple, and γ + λ bending."""

    total: float
    distortion: float
    bending: float
    scale: float


def draw(rendered: RenderedManifold, law: AbstractDistanceLaw, *, count: int = PAIRS, seed: int = 11) -> Images:
    """`count` test pairs, the same for the same seed."""
    size = int(np.prod(rendered.image_shape))
    source = RenderedPairs(PairSampler(rendered.manifold, law), rendered.render, jnp.zeros(size))
    found = {name: np.asarray(values) for name, values in source.draw(jr.key(seed), count).items()}
    near = (found["x"], found["y"], found["midpoint"])
    return Images(near, found["distance"], found["far_y"], found["far_distance"])


def energies(model: Any, images: Images, bending_weight: float) -> Energies:
    """The energy of a model's encoder on these pairs, of whatever unit its coordinates have."""
    x, y, m = (np.asarray(model.transform(part), np.float64) for part in images.near)
    d = images.distance[:, None].astype(np.float64)
    squares = np.sum(((y - x) / d) ** 2, axis=1)
    bendings = np.sum((4 * ((x - m) + (y - m)) / d**2) ** 2, axis=1)
    # A γ that is infinite where two images have one place would hide everything else.
    inverses = 1 / np.maximum(squares, 1e-6 * np.median(squares))

    def total(log_scale: float) -> float:
        s = np.exp(2 * log_scale)
        return float(s * squares.mean() + inverses.mean() / s - 2 + bending_weight * s * bendings.mean())

    middle = -0.5 * np.log(squares.mean())
    best: Any = scipy.optimize.minimize_scalar(total, bounds=(middle - 6, middle + 6), method="bounded")
    s = float(np.exp(2 * best.x))
    distortion = float(s * squares.mean() + inverses.mean() / s - 2)
    return Energies(float(best.fun), distortion, float(s * bendings.mean()), float(np.exp(best.x)))


def measures(
    rendered: RenderedManifold, law: AbstractDistanceLaw, bending_weight: float, lowest: float | None, lines: "Lines"
) -> Mapping[str, Measure]:
    """What is measured of every contestant; all but the dimension and the far pairs are the better the smaller."""
    images = draw(rendered, law)
    of = functools.lru_cache(maxsize=8)(lambda model: energies(model, images, bending_weight))
    found: dict[str, Measure] = {"energy": lambda model: of(model).total}
    if lowest is not None:
        found["energy / lowest"] = lambda model: of(model).total / lowest
    return found | {
        "distortion": lambda model: of(model).distortion,
        "bending": lambda model: of(model).bending,
        "far pairs": lambda model: _far(model, images, of(model).scale),
        "dimension (99 %)": lambda model: float(principal_dimension(np.asarray(model.transform(images.far)))),
        "halfway, near pairs": lines,
        "rebuilt": lambda model: _rebuilt(model, images),
    }


def _far(model: Any, images: Images, scale: float) -> float:
    z, other = (np.asarray(model.transform(part), np.float64) for part in (images.near[0], images.far))
    return far_pair_ratio(scale * np.linalg.norm(z - other, axis=1), images.far_distance)


def _rebuilt(model: Any, images: Images) -> float:
    made = model.inverse_transform(model.transform(images.far)).reshape(len(images.far), -1)
    return _relative(made, images.far)


def _relative(made: np.ndarray, true: np.ndarray) -> float:
    """Root mean square error, relative to that of the mean image."""
    return float(np.sqrt(np.mean((made - true) ** 2) / np.mean((true - true.mean(axis=0)) ** 2)))


class Lines:
    """Measure: the error of images halfway between two near ones, decoded from the middle of their coordinates."""

    def __init__(self, rendered: RenderedManifold, *, seed: int = 12):
        reach = np.pi * rendered.manifold.length_scale
        distances = np.repeat(np.array(SHARES, np.float32) * reach, PER_SHARE)
        keys = jr.split(jr.key(seed), len(distances))
        self.start, self.middle, self.end = (np.asarray(a) for a in _triples(rendered, keys, jnp.asarray(distances)))

    def __call__(self, model: Any) -> float:
        """Relative root mean square error."""
        z = 0.5 * (np.asarray(model.transform(self.start)) + np.asarray(model.transform(self.end)))
        return _relative(model.inverse_transform(z).reshape(len(z), -1), self.middle)

    def averaged(self) -> float:
        """The same for the mean of the two images."""
        return _relative(0.5 * (self.start + self.end), self.middle)


@eqx.filter_jit
def _triples(rendered: RenderedManifold, keys: Any, distances: Any) -> tuple[Any, Any, Any]:
    manifold = rendered.manifold

    def one(given: tuple[Any, Any]) -> tuple[Any, Any, Any]:
        first, second = jr.split(given[0])
        x = manifold.sample(first)
        v = given[1] * manifold.direction(x, second)
        start, middle, end = (rendered.render(manifold.exp(x, t * v)).ravel() for t in (0.0, 0.5, 1.0))
        return start, middle, end

    return jax.lax.map(one, (keys, distances), batch_size=64)
