"""Five replicates in one program against five runs one after another: python benchmarks/replicates.py

The model is the M-flow for the polynomial surface (d = 3, n = 2, 5 + 5 layers, batches of 100, context of length one).
Every figure is the median of several calls of the compiled training loop, in milliseconds per step of all replicates,
and beside it the processor time of that step: on a busy machine that is the figure to compare.
"""

import statistics
import time
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np

from latax.models.injective_flow import manifold_flow
from latax.models.recipes import Budget, sequential
from latax.train import ArraySource
from latax.train.layout import Layout
from latax.train.state import advance
from latax.train.trainer import Settings, Trainer

REPLICATES, ROWS, STEPS, CALLS = 5, 10_000, 20, 7


def trainer(replicates: int) -> Trainer:
    rng = np.random.default_rng(0)
    batch = {"x": rng.normal(size=(ROWS, 3)), "context": rng.uniform(size=(ROWS, 1))}
    return Trainer(
        Settings(
            init=lambda key: manifold_flow(3, 2, context_size=1, key=key),
            recipe=sequential(Budget(2 * STEPS * (CALLS + 1), 100, 1e-3, 1e-4, 1.0), 1000.0),
            source=ArraySource({name: jnp.asarray(value, jnp.float32) for name, value in batch.items()}),
            validation=None,
            seed=0,
            replicates=replicates,
            reports=1,
            devices=jax.devices()[:1],
        )
    )


def measure(replicates: int, stage: int) -> tuple[float, float]:
    """Milliseconds, and milliseconds of processor time, of one step of one phase for all replicates."""
    run = trainer(replicates)
    segment = run.course.segments[stage]
    name = segment.phase.name
    model = run.first_state().model
    state, data = run.enter(segment, 0, run.fresh_state(stage, model))
    wall, busy = [], []
    for number in range(CALLS + 1):
        call = run.call(segment, number * STEPS, STEPS)
        assert call is not None
        began, began_busy = time.perf_counter(), time.process_time()
        state = jax.block_until_ready(advance(run.programs[name], state, data, call, run.keys[name]))
        wall.append(1e3 * (time.perf_counter() - began) / STEPS)
        busy.append(1e3 * (time.process_time() - began_busy) / STEPS)
    return statistics.median(wall[1:]), statistics.median(busy[1:])  # the first call compiles


def main() -> None:
    """Print the table."""
    print(f"{jax.devices()[0].platform}, {REPLICATES} replicates\n{'':34} {'ms':>8} {'busy ms':>8}")
    for stage, phase in enumerate(("manifold", "density")):
        single = measure(1, stage)
        rows = {"runs one after another": tuple(REPLICATES * figure for figure in single)}
        for way, in_turn in (("in one program, in turn", True), ("in one program, vmap", False)):
            with patch.object(Layout, "in_turn", in_turn):
                rows[way] = measure(REPLICATES, stage)
        for way, (wall, busy) in rows.items():
            print(f"{phase:9} {way:24} {wall:8.2f} {busy:8.2f}", flush=True)


if __name__ == "__main__":
    main()
