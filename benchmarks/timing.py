"""How the benchmarks measure: medians of compiled calls, in milliseconds."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import optax

REPEATS = 9
STEPS = 50


def training_step(
    objective: Callable, model: Any, where: Callable, batch: dict, weights: Mapping[str, float] | None = None
) -> tuple[float, float]:
    """Milliseconds per step in a compiled loop, and seconds to compile it."""
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3, weight_decay=1e-4))
    part, fixed = eqx.partition(where(model), eqx.is_inexact_array)
    key = jax.random.key(0)

    def loss(part, batch):
        terms = objective(eqx.tree_at(where, model, eqx.combine(part, fixed)), batch, key)
        return sum((weights or {}).get(name, 1.0) * value for name, value in terms.items())

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


def show(cases: Mapping[str, tuple[float, Callable]]) -> None:
    """Prints {name: (goal, measurement)} as a table; the command's arguments select rows by a part of their name."""
    wanted = sys.argv[1:]
    print(f"{'':20} {'ms':>8} {'goal':>6} {'compile s':>10}")
    for name, (goal, measure) in cases.items():
        if not wanted or any(word in name for word in wanted):
            milliseconds, compile_seconds = measure()
            print(f"{name:20} {milliseconds:8.2f} {goal:6} {compile_seconds:10.1f}", flush=True)
