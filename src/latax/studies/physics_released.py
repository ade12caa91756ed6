"""The released training of the physics-integrated VAE, made again, on the pendulums: see `latax.models`."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console

from latax.data import Samples
from latax.evaluate import confidence_interval
from latax.models import reference_physics_vae as reference
from latax.models.reference_physics_vae import ReferencePhysicsVAE, reference_physics_vae
from latax.physics.physics import AbstractDynamics
from latax.report.tables import Table
from latax.studies.sequences import norms
from latax.train import ArraySource, default_meter, fit

#: Rows of the training set, before those for validation.
TRAINING = 1000


def released_table(
    physics: AbstractDynamics,
    parameter: str,
    data: Samples,
    test: Samples,
    *,
    steps: int,
    replicates: int,
    seed: int,
    console: Console,
    folder: Path,
    batch_size: int = 200,
    training: int = TRAINING,
) -> Table:
    """Fits the released model with its own loss, weights and optimiser, and measures what it rebuilds and finds.

    `physics`: with the solver that the released code has; `data`: the first rows for training, the others for
    validation. A run that is there is resumed.
    """
    console.print("Released training", style="bold")
    x = jnp.asarray(np.asarray(data.X), jnp.float32)
    out = folder / "released"
    fitted = fit(
        lambda key: reference_physics_vae(physics, np.asarray(data.times), key=key),
        reference.recipe(steps, batch_size),
        ArraySource({"x": x[:training]}),
        validation={"x": x[training:]},
        seed=seed,
        replicates=replicates,
        folder=out,
        resume=(out / "checkpoints").exists(),
        meter=default_meter(),
    )
    made, found = (np.asarray(a) for a in _of_replicates(fitted.model, np.asarray(test.X, np.float32), physics))
    values = found[..., physics.parameters.names.index(parameter)]
    error = values - test.truth[parameter]
    measures: dict[str, np.ndarray] = {
        "reconstruction error": np.array([np.mean(norms(one, test.X)) for one in made]),
        "element MAE": np.array([np.mean(np.abs(one - test.X)) for one in made]),
        f"{parameter} MAE": np.mean(np.abs(error), axis=1),
        f"{parameter} bias": np.mean(error, axis=1),
        f"{parameter} correlation": np.array([np.corrcoef(one, test.truth[parameter])[0, 1] for one in values]),
    }
    row: list[Any] = [confidence_interval(numbers, statistic="median") for numbers in measures.values()]
    return Table(
        "Released training",
        ["model", *measures, "replicates"],
        [["as released", *row, replicates]],
        f"The released model with its loss, weights, optimiser and Euler's method, made again: {steps:,} steps. "
        "Medians of replicates, with 95 % intervals where there are enough; parameters at the posterior's mean.",
    )


def _of_replicates(model: ReferencePhysicsVAE, x: np.ndarray, physics: AbstractDynamics) -> tuple[jax.Array, jax.Array]:
    """(replicates, N, T d) reconstructions and (replicates, N, k) parameters."""
    shape = (len(model.times), *physics.sample_shape)

    def of_one(model: ReferencePhysicsVAE, row: jax.Array) -> tuple[jax.Array, jax.Array]:
        latents = model.encode(row.reshape(shape))
        return model.decode(latents).ravel(), latents.physics

    return eqx.filter_jit(eqx.filter_vmap(lambda m: jax.vmap(lambda row: of_one(m, row))(jnp.asarray(x))))(model)
