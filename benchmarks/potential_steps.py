"""Time the training steps of potential flows: python benchmarks/potential_steps.py [name ...]

Three potentials on the latent space of a frozen decoder of 28 by 28 images, all of them in every batch: a convolutional
one, which takes most of the time, or one with a single hidden layer ("dense"). With the wave equation, guidance by the
visible direction, and the pair classifier; "aligned" also with the misalignment, as by default. Laplacians are exact,
and by 8 probes for 324 coordinates. "From scratch": encoder, decoder and potentials on sequences of three coloured
frames. A step includes gradient clipping and AdamW. Goals are those of two idle cores: an eighth of what the published
code takes for a single potential with sums of rows for Laplacians (98.7 ms, 77.8 ms from scratch, and 2,400 ms).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from timing import show, training_step

from latax.models.flow_sequence_vae import flow_sequence_vae
from latax.models.latent_space import LatentSpace, StandardNormal
from latax.models.potential_flow import PriorDraws, TraversalObjective, potential_flow
from latax.models.sequence_bound import SequenceObjective
from latax.nn import MLP, ImageDecoder
from latax.potential import FixedSpeed, LogJVP, Wave, free

COUNT, SHAPE = 3, (28, 28, 1)


def step(size: int, batch_size: int, probes: int, *, dense: bool = False, aligned: bool = False) -> tuple[float, float]:
    """A training step with this many latent coordinates and samples."""
    key = jax.random.key(0)  # new decoders give zeros, which cost as much as images
    net = MLP(size, SHAPE[0] * SHAPE[1], (64,), key=key) if dense else ImageDecoder(size, SHAPE, key=key)
    space = LatentSpace(size, StandardNormal(size), lambda z: net(z).reshape(SHAPE))
    model = potential_flow(space, COUNT, pde=Wave(), hidden=(64, 64), shape=SHAPE, key=jax.random.key(1))
    batch = PriorDraws(space, jnp.zeros(size), jnp.ones(()), COUNT)(jax.random.key(2), batch_size)
    objective = TraversalObjective(LogJVP(), free, FixedSpeed(0.5), probes=probes, aligned=aligned)
    trainable = lambda model: [model.potentials.stacked.net, model.classifier.net]
    return training_step(objective, model, trainable, batch, {"guidance": 0.1, "alignment": 3.0})


def step_from_scratch(size: int, batch_size: int) -> tuple[float, float]:
    """A training step of a VAE of sequences, in which each potential has a third of the batch."""
    times = (0.0, 0.5, 1.0)
    model = flow_sequence_vae((*SHAPE[:2], 3), size, COUNT, times, pde=Wave(), key=jax.random.key(0))
    numbers = SHAPE[0] * SHAPE[1] * 3 * len(times)
    batch = {"x": jax.random.uniform(jax.random.key(1), (batch_size, numbers)), "k": jnp.arange(batch_size) % COUNT}
    trainable = lambda model: [model.features, model.head, model.decoder, model.potentials.stacked.net]
    return training_step(SequenceObjective(known=True), model, trainable, batch)


def cases() -> dict[str, tuple[float, Callable]]:
    """Name of each figure, with its goal and the function that measures it."""
    return {
        "n = 32, 63 samples": (12, lambda: step(32, 63, 0)),
        "n = 32, 63 samples, aligned": (12, lambda: step(32, 63, 0, aligned=True)),
        "n = 16, 63 samples": (10, lambda: step(16, 63, 0)),
        "n = 16, 63 sequences, from scratch": (10, lambda: step_from_scratch(16, 63)),
        "n = 32, 63 samples, dense": (12, lambda: step(32, 63, 0, dense=True)),
        "n = 324, 15 samples, dense": (300, lambda: step(324, 15, 8, dense=True)),
        "n = 324, 15 samples": (300, lambda: step(324, 15, 8)),
    }


if __name__ == "__main__":
    show(cases())
