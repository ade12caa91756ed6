"""Time the training steps and the uses of the density models: python benchmarks/density_steps.py [name ...]

The configuration is that of the polynomial surface: d = 3, n = 2, 5 + 5 layers (ambient: 10), width 100, two blocks,
ten bins, batches of 100, a context of length one. Training steps run inside one compiled loop and include the gradient
clipping and AdamW of the part that is trained. Every figure is the median of several runs, in milliseconds.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from latax.models.ambient_flow import ambient_flow, ambient_nll
from latax.models.injective_flow import (
    encode_batch,
    latent_nll,
    manifold_flow,
    reconstruction,
    reconstruction_and_nll,
)

REPEATS = 9
STEPS = 50
WEIGHTS = {"reconstruction": 1000.0}


def training_step(objective: Callable, model: Any, where: Callable, batch: dict) -> tuple[float, float]:
    """Milliseconds per step in a compiled loop, and seconds to compile it."""
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3, weight_decay=1e-4))
    part, fixed = eqx.partition(where(model), eqx.is_inexact_array)
    key = jax.random.key(0)

    def loss(part, batch):
        terms = objective(eqx.tree_at(where, model, eqx.combine(part, fixed)), batch, key)
        return sum(WEIGHTS.get(name, 1.0) * value for name, value in terms.items())

    @jax.jit
    def run(part, state, batch, steps):
        def step(_, carry):
            part, state = carry
            updates, state = optimizer.update(jax.grad(loss)(part, batch), state, part)
            return optax.apply_updates(part, updates), state

        return jax.lax.fori_loop(0, steps, step, (part, state))

    arguments = (part, optimizer.init(part), batch)
    lowered = run.lower(*arguments, STEPS)
    start = time.perf_counter()
    compiled = lowered.compile()
    compile_seconds = time.perf_counter() - start
    milliseconds = median(lambda: compiled(*arguments, STEPS)) / STEPS
    return milliseconds, compile_seconds


def use(function: Callable, *arguments: Any) -> tuple[float, float]:
    """Milliseconds per call of a compiled function, and seconds to compile it."""
    start = time.perf_counter()
    compiled = jax.jit(function).lower(*arguments).compile()
    compile_seconds = time.perf_counter() - start
    return median(lambda: compiled(*arguments)), compile_seconds


def median(call: Callable) -> float:
    """Median wall time of a call in milliseconds, after one that warms up."""
    jax.block_until_ready(call())
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(call())
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)[REPEATS // 2]


def cases() -> dict[str, tuple[float, Callable]]:
    """Name of each figure, with its goal and the function that measures it."""
    key = jax.random.key(0)
    model = manifold_flow(3, 2, context_size=1, key=key)
    ambient = ambient_flow(3, context_size=1, key=key)
    batch = {"x": jax.random.normal(key, (100, 3)), "context": jax.random.uniform(key, (100, 1))}
    latents = encode_batch(model, batch)
    keys = jax.random.split(key, 10_000)
    contexts = jnp.zeros((10_000, 1))
    points = jax.random.normal(key, (1000, 3))
    return {
        "projection step": (4, lambda: training_step(reconstruction, model, lambda m: m.embedding.embedding, batch)),
        "latent NLL step": (4, lambda: training_step(latent_nll, model, lambda m: m.latent, latents)),
        "ambient NLL step": (5, lambda: training_step(ambient_nll, ambient, lambda m: m.distribution, batch)),
        "exact density step": (12, lambda: training_step(reconstruction_and_nll, model, lambda m: m, batch)),
        "sample 10^4": (10, lambda: use(lambda k, c: jax.vmap(model.sample)(k, c), keys, contexts)),
        "score 10^3": (50, lambda: use(lambda x, c: jax.vmap(model.log_prob)(x, c), points, contexts[:1000])),
    }


def main() -> None:
    """Print the table; arguments select rows by a part of their name."""
    wanted = sys.argv[1:]
    print(f"{'':20} {'ms':>8} {'goal':>6} {'compile s':>10}")
    for name, (goal, measure) in cases().items():
        if not wanted or any(word in name for word in wanted):
            milliseconds, compile_seconds = measure()
            print(f"{name:20} {milliseconds:8.2f} {goal:6} {compile_seconds:10.1f}", flush=True)


if __name__ == "__main__":
    main()
