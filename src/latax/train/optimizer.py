"""The optimiser that the recipes use unless they say otherwise."""

import functools

import optax


@functools.cache
def adamw_cosine(
    learning_rate: float, steps: int, *, weight_decay: float = 1e-4, clip: float = 1.0
) -> optax.GradientTransformation:
    """AdamW with decoupled weight decay, the learning rate falling as a cosine to zero over `steps`, and the gradient
    scaled down to the norm `clip` where it is longer. Equal arguments give the same object, so programs can be shared.
    """
    schedule = optax.cosine_decay_schedule(learning_rate, steps)
    return optax.chain(optax.clip_by_global_norm(clip), optax.adamw(schedule, weight_decay=weight_decay))
