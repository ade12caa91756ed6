"""Time the training steps of the physics-integrated VAE: python benchmarks/physics_steps.py [name ...]

Batches of 200 sequences, the sizes of the pendulum (50 times) and of the advection-diffusion data (50 times, 20
nodes), one RK4 step from each time to the next, encoders and corrections as wide as in the released code. With the
paper's regularisers every step solves with and without the correction, and once more for the augmentation; with the
usual ones some sequences are simulated besides. All include gradient clipping and AdamW.
"""

from collections.abc import Callable

import jax
import numpy as np
from timing import show, training_step

from latax.models.physics_objective import PhysicsObjective, Regularisers, start
from latax.models.physics_vae import physics_vae
from latax.physics import catalogue
from latax.studies.physics_ladder import usual_weights


def step(name: str, times: np.ndarray, regularisers: Regularisers, **options) -> tuple[float, float]:
    """A training step on sequences that need not mean anything."""
    physics = catalogue.get(name)
    model = physics_vae(physics, times, key=jax.random.key(0), **options)
    size = len(times) * int(np.prod(physics.sample_shape))
    batch = {"x": 0.1 * jax.random.normal(jax.random.key(1), (200, size))}
    weights = dict.fromkeys(("reconstruction", "kl"), 1.0) | regularisers.weights()
    return training_step(PhysicsObjective(regularisers), start(model, batch), lambda m: m, batch, weights)


def cases() -> dict[str, tuple[float, Callable]]:
    """Name of each figure, with its goal and the function that measures it."""
    pendulum, transport = 0.05 * np.arange(50), 0.02 * np.arange(50)
    published, usual, none = Regularisers(ppc=0.01, cleansing=0.001, augmentation=0.1), usual_weights(), Regularisers()
    sizes = {"inside_size": 4, "outside_size": None, "width_size": 256}
    return {
        "pendulum, paper's": (5, lambda: step("pendulum", pendulum, published)),
        "pendulum, usual": (5, lambda: step("pendulum", pendulum, Regularisers(**usual))),
        "pendulum, bound alone": (5, lambda: step("pendulum", pendulum, none)),
        "advection, paper's": (22, lambda: step("advection-diffusion", transport, published, **sizes)),
        "advection, usual": (22, lambda: step("advection-diffusion", transport, Regularisers(**usual), **sizes)),
    }


if __name__ == "__main__":
    show(cases())
