"""The one training loop: every model of the library is trained by `fit`.

Randomness is a function of (seed, phase, step), so a run that was stopped anywhere goes on to the same bits.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from latax._compiled import forget_many_programs, use_compilation_cache
from latax.train.hosts import is_first, on_host
from latax.train.phase import Model, Recipe
from latax.train.progress import AbstractMeter, SilentMeter
from latax.train.replicates import Init
from latax.train.run import Run
from latax.train.source import AbstractSource
from latax.train.tracker import MemoryTracker, Tracker
from latax.train.trainer import Settings, Trainer


class Fitted(NamedTuple):
    """What training gives back.

    - `model`: the best models (without a metric the last ones), every array with a leading replicate axis.
    - `metric`: the best value of the last stage's metric for each replicate; infinite without a metric.
    - `seconds`: time spent in this call; `steps` made in it.
    """

    model: Model
    metric: Float[np.ndarray, " replicate"]
    seconds: float
    steps: int


def fit(
    init: Init,
    recipe: Recipe,
    source: AbstractSource,
    *,
    validation: PyTree[Array] | None = None,
    seed: int = 0,
    replicates: int = 1,
    reports: int = 50,
    folder: Path | None = None,
    resume: bool = False,
    tracker: Tracker | None = None,
    meter: AbstractMeter | None = None,
    devices: Sequence[Any] | None = None,
) -> Fitted:
    """Trains `replicates` models at once.

    **Arguments:**

    - `init`: `key -> model`.
    - `recipe`: the phases.
    - `source`: where batches come from.
    - `validation`: held-out data for the phases' metrics, in the form of a batch.
    - `seed`: replicate r is trained as a single run with `seed + r` would be, except that all replicates see the rows
        of a file in the same order.
    - `reports`: reports and validations for each phase, at about equal distances.
    - `folder`: a run folder; checkpoints go to `folder / "checkpoints"`. No other process can fit into it meanwhile.
    - `resume`: go on from the newest checkpoint in `folder`, if there is one.
    - `tracker`, `meter`: where numbers and progress go; with several processes, those of the first one.
    - `devices`: all visible ones by default.

    **Raises** `ConfigError` for settings that cannot work, `DivergenceError` at the first value that is not finite,
    `Interruption` after SIGTERM or Ctrl-C (when the state is safely on disk), and `FileError` if a checkpoint cannot be
    written or read, or belongs to another run, or if another process is working on the run. It is another run if the
    seed, the phases (names, steps, batch sizes, weights), the data, the model's arrays, the kind of an optimiser or the
    terms differ; functions and learning rates cannot be compared.
    """
    use_compilation_cache()
    forget_many_programs()
    began = time.perf_counter()
    settings = Settings(
        init=init,
        recipe=recipe,
        source=source,
        validation=validation,
        seed=seed,
        replicates=replicates,
        reports=reports,
        devices=devices,
    )
    trainer = Trainer(settings)
    tracker = tracker if tracker is not None and is_first() else MemoryTracker()
    meter = meter if meter is not None and is_first() else SilentMeter()
    if trainer.layout.idle_devices:
        meter.note(_advice(trainer))
    state, steps = Run(trainer, folder, tracker, meter)(resume)
    model = on_host(trainer.kept_model(len(trainer.course.stages) - 1, state))
    model = eqx.combine(jax.device_put(model), trainer.static)
    return Fitted(model, on_host(state.best_metric), time.perf_counter() - began, steps)


def _advice(trainer: Trainer) -> str:
    used, idle = trainer.layout.mesh.size, trainer.layout.idle_devices
    return (
        f"{idle} of {used + idle} devices stay idle: neither the replicates nor every batch size is a multiple of "
        f"{used + idle}."
    )
