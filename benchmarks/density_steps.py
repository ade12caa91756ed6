"""Time the training steps and the uses of the density models: python benchmarks/density_steps.py [name ...]

The configuration is that of the polynomial surface: d = 3, n = 2, 5 + 5 layers (ambient: 10), width 100, two blocks,
ten bins, batches of 100, a context of length one. Training steps run inside one compiled loop and include the gradient
clipping and AdamW of the part that is trained. Every figure is the median of several runs, in milliseconds.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from timing import show, training_step, use

from latax.models.ambient_flow import ambient_flow, ambient_nll
from latax.models.injective_flow import (
    encode_batch,
    latent_nll,
    manifold_flow,
    reconstruction,
    reconstruction_and_nll,
)

WEIGHTS = {"reconstruction": 1000.0}


def cases() -> dict[str, tuple[float, Callable]]:
    """Name of each figure, with its goal and the function that measures it."""
    step = functools.partial(training_step, weights=WEIGHTS)
    key = jax.random.key(0)
    model = manifold_flow(3, 2, context_size=1, key=key)
    ambient = ambient_flow(3, context_size=1, key=key)
    batch = {"x": jax.random.normal(key, (100, 3)), "context": jax.random.uniform(key, (100, 1))}
    latents = encode_batch(model, batch)
    keys = jax.random.split(key, 10_000)
    contexts = jnp.zeros((10_000, 1))
    points = jax.random.normal(key, (1000, 3))
    return {
        "projection step": (4, lambda: step(reconstruction, model, lambda m: m.embedding.embedding, batch)),
        "latent NLL step": (4, lambda: step(latent_nll, model, lambda m: m.latent, latents)),
        "ambient NLL step": (5, lambda: step(ambient_nll, ambient, lambda m: m.distribution, batch)),
        "exact density step": (12, lambda: step(reconstruction_and_nll, model, lambda m: m, batch)),
        "sample 10^4": (10, lambda: use(lambda k, c: jax.vmap(model.sample)(k, c), keys, contexts)),
        "score 10^3": (50, lambda: use(lambda x, c: jax.vmap(model.log_prob)(x, c), points, contexts[:1000])),
    }


if __name__ == "__main__":
    show(cases())
