"""What straight latent lines cross: the decoded middle of two samples against the true sample halfway between them."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from latax.data import Pairs
from latax.data.rendered import RenderedManifold
from latax.models.autoencoder import Autoencoder

#: Distances of rendered pairs, as shares of the manifold's reach, and pairs for each of them.
SHARES, PER_DISTANCE = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.95), 64
#: Classes of distances that known pairs are sorted into, and pairs that are looked at, at most.
CLASSES, MOST_PAIRS = 6, 512


class Interpolation(NamedTuple):
    """Root mean square errors, per number of a sample in data units, of samples halfway between two, by distance.

    - `decoded`: the decoder at the middle of the latent coordinates; `averaged`: the mean of the two samples;
        `rebuilt`: the reconstruction of the true sample in the middle, which no path can do much better than.
    """

    distance: Float[np.ndarray, " D"]
    decoded: Float[np.ndarray, " D"]
    averaged: Float[np.ndarray, " D"]
    rebuilt: Float[np.ndarray, " D"]


def between_rendered(
    model: Autoencoder, rendered: RenderedManifold, loc: Float[np.ndarray, " d"], *, seed: int = 2
) -> Interpolation | None:
    """For fresh pairs at each of some distances, of a centred model; None where no distance is the farthest.

    Distances that hardly any pair of a region has, as from corner to corner, are left out.
    """
    reach = rendered.manifold.reach
    if not np.isfinite(reach):
        return None
    distances = np.array(SHARES) * reach
    single = (jnp.asarray(a, jnp.float32) for a in (loc, distances))
    there, errors = _between_rendered(model, rendered, *single, jr.key(seed))
    there = np.asarray(there)
    return Interpolation(distances[there], *(np.asarray(error, np.float64)[there] for error in errors))


def between_pairs(model: Autoencoder, x: Float[np.ndarray, "N d"], pairs: Pairs, *, seed: int = 2) -> Interpolation:
    """For known pairs, in classes of about equal numbers and rising distance; of a centred model and centred samples.

    A distance stands for the mean of its class.
    """
    chosen = np.random.default_rng(seed).permutation(len(pairs))[:MOST_PAIRS]
    chosen = chosen[np.argsort(pairs.distance[chosen], kind="stable")]
    ends = (jnp.asarray(x[rows[chosen]]) for rows in (pairs.first, pairs.midpoint, pairs.second))
    squares = [np.asarray(values, np.float64) for values in _squares(model, *ends)]
    classes = np.array_split(np.arange(len(chosen)), min(CLASSES, len(chosen)))
    distances = pairs.distance[chosen].astype(np.float64)
    mean = lambda values: np.array([values[one].mean() for one in classes])
    return Interpolation(mean(distances), *(np.sqrt(mean(square)) for square in squares))


@eqx.filter_jit
def _squares(
    model: Autoencoder, start: Float[Array, "P d"], middle: Float[Array, "P d"], end: Float[Array, "P d"]
) -> tuple[Array, Array, Array]:
    return jax.vmap(lambda *samples: _errors(model, *samples))(start, middle, end)


def _errors(
    model: Autoencoder, start: Float[Array, " d"], middle: Float[Array, " d"], end: Float[Array, " d"]
) -> tuple[Array, Array, Array]:
    """Mean squares of the three errors."""
    z = 0.5 * (model.encode(start) + model.encode(end))
    square = lambda guess: jnp.mean((guess - middle) ** 2)
    return square(model.decode(z)), square(0.5 * (start + end)), square(model.decode(model.encode(middle)))


@eqx.filter_jit
def _between_rendered(
    model: Autoencoder,
    rendered: RenderedManifold,
    loc: Float[Array, " d"],
    distances: Float[Array, " D"],
    key: Key[Array, ""],
) -> tuple[Bool[Array, " D"], tuple[Array, Array, Array]]:
    def one(key: Key[Array, ""], distance: Float[Array, ""]) -> tuple[Array, tuple[Array, Array, Array]]:
        there, images = rendered.halfway(distance, key)
        return there, _errors(model, *(image - loc for image in images))

    def at(distance: Float[Array, ""]) -> Any:
        there, squares = jax.vmap(one, (0, None))(jr.split(key, PER_DISTANCE), distance)
        return there.all(), tuple(jnp.sqrt(jnp.mean(square)) for square in squares)

    return jax.lax.map(at, distances)
