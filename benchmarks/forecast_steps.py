"""Time the training steps of VAE-DLM: python benchmarks/forecast_steps.py [name ...]

1,000 rows of 201 numbers, six latent coordinates, networks of width 400. "As released" has a trajectory for each row;
the others look at ten times of each of 100, and "few times", the default, at three of these for the flow. "Bare" is the
same networks without the geometry. The released code takes 847 ms a step on two idle cores. Medians of several runs, in
milliseconds.
"""

from collections.abc import Callable

import jax
import numpy as np
from timing import show, training_step

from latax.geometry import LiteralFlow, SphereMetric, SymmetricFlow
from latax.models.dynamic_manifold import DynamicManifoldVAE, dynamic_manifold_vae
from latax.models.dynamic_objective import DynamicObjective

ROWS, SIZE, TIMES = 1000, 201, 11
RELEASED = {"metric": "network", "operator": "positive", "spread": "signed"}


def networks(model: DynamicManifoldVAE) -> tuple:
    return model.posterior, model.manifold, model.decoder, model.metric, model.operator


def step(
    per_sample: int, *, geometry: bool = True, shared: bool = True, few: int | None = None, flow=None, **options
) -> tuple[float, float]:
    times = np.linspace(0, 1, TIMES)
    flow = flow or SymmetricFlow(2)
    model = dynamic_manifold_vae(times, (SIZE,), reference=SphereMetric(6), flow=flow, key=jax.random.key(0), **options)
    batch = {"x": jax.random.normal(jax.random.key(1), (ROWS // per_sample, TIMES * SIZE))}
    objective = DynamicObjective(times_per_sample=per_sample, geometry=geometry, shared=shared, flow_times=few)
    record = {"log_volume": 0.0, "log_condition": 0.0} if geometry else {}
    return training_step(objective, model, networks, batch, {"reconstruction": 100.0, "kl": 2e-4, **record})


def cases() -> dict[str, tuple[float, Callable]]:
    """Name of each figure, with its goal and the function that measures it."""
    return {
        "bare": (100, lambda: step(10, geometry=False)),
        "induced metric": (200, lambda: step(10)),
        "induced metric, few times": (200, lambda: step(10, few=3)),
        "metric network": (200, lambda: step(10, metric="network")),
        "as released": (200, lambda: step(1, shared=False, flow=LiteralFlow(2), **RELEASED)),
    }


if __name__ == "__main__":
    show(cases())
