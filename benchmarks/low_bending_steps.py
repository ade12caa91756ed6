"""Time the training steps of the low-bending autoencoder: python benchmarks/low_bending_steps.py [name ...]

Batches of 128 pairs. "Bare" is a squared error of the same encoder on the same number of images: three for each pair.
A step includes gradient clipping and AdamW; "fresh" ones also draw and render their pairs. Every figure is the median
of several runs, in milliseconds; where there is no goal of its own, it is the bare step times 1.6.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from timing import show, training_step, use

from latax.data.renderers import check_circle, translations
from latax.geometry import Annulus, Inverse, PairSampler
from latax.models.autoencoder import autoencoder
from latax.models.low_bending import EmbeddingObjective, reconstruction
from latax.models.near_pairs import RenderedPairs

BATCH = 128


def bare(model, batch, key):
    """The mean square of all latent coordinates."""
    images = jnp.concatenate([batch["x"], batch["y"], batch["midpoint"]])
    return {"square": jnp.mean(jax.vmap(model.encode)(images) ** 2)}


def pairs(rendered) -> RenderedPairs:
    size = rendered.image_shape[0] * rendered.image_shape[1] * rendered.image_shape[2]
    sampler = PairSampler(rendered.manifold, Annulus(0.5, 0.1))
    return RenderedPairs(sampler, rendered.render, jnp.zeros(size))


def step(rendered, objective, trainable, *, flat: bool = False) -> tuple[float, float]:
    """A training step on images of this manifold; `flat`: seen by a network without convolutions."""
    batch = jax.jit(lambda key: pairs(rendered)(key, BATCH))(jax.random.key(0))
    shape = (batch["x"].shape[1],) if flat else rendered.image_shape
    model = autoencoder(shape, 16, key=jax.random.key(1))
    return training_step(objective, model, trainable, batch, {})


def cases() -> dict[str, tuple[float, Callable]]:
    """Name of each figure, with its goal and the function that measures it."""
    small, large = check_circle(), translations(64)
    energy, encoder = EmbeddingObjective(Inverse()), lambda model: model.encoder
    draw = lambda rendered: use(lambda key: pairs(rendered)(key, BATCH), jax.random.key(0))
    return {
        "256 numbers, bare": (1, lambda: step(small, bare, encoder, flat=True)),
        "256 numbers, pairs": (1.6, lambda: step(small, energy, encoder, flat=True)),
        "64 x 64, bare": (40, lambda: step(large, bare, encoder)),
        "64 x 64, pairs": (64, lambda: step(large, energy, encoder)),
        "64 x 64, decoder": (40, lambda: step(large, reconstruction, lambda model: model.decoder)),
        "64 x 64, drawing": (10, lambda: draw(large)),
    }


if __name__ == "__main__":
    show(cases())
