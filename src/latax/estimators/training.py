"""What every fit does around the training: its folder, the reports, the progress bar."""

import os
from collections.abc import Callable
from typing import Any

from jaxtyping import Array, Key, PyTree

from latax import train
from latax._errors import ConfigError
from latax.estimators.run_folder import RunFolder


def fit_into(
    out: str | os.PathLike[str] | None,
    resume: bool,
    estimator: Any,
    learn: Callable[[RunFolder | None], None],
    data: Callable[[], dict[str, Any]],
    source: dict[str, Any] | None,
) -> None:
    """Calls `learn`, in a run folder where `out` names one, and saves the estimator there.

    `data` identify what is learned from, and `source` says how it was read.
    """
    if out is None:
        if resume:
            raise ConfigError("resume=True needs the folder of the run: give out=... as in the call that began it.")
        learn(None)
        return
    run = RunFolder(out)
    config = {"estimator": estimator.name, "params": estimator._params(), "data": data(), "source": source}
    with run.begun(config, resume):
        learn(run)
        estimator.save(run.model_path)


def train_replicates(
    estimator: Any,
    make: Callable[[Key[Array, ""]], Any],
    recipe: train.Recipe,
    source: train.AbstractSource,
    validation: PyTree[Array],
    run: RunFolder | None,
    resume: bool,
) -> train.Fitted:
    """The trained modules; their reports, seconds and steps are set on the estimator."""
    memory = train.MemoryTracker()
    fitted = train.fit(
        make,
        recipe,
        source,
        validation=validation,
        seed=estimator.seed,
        replicates=estimator.replicates,
        folder=None if run is None else run.path,
        resume=resume,
        tracker=memory if run is None else train.JSONLTracker(run.metrics_path),
        meter=train.default_meter(estimator.progress),
    )
    estimator.history_ = memory.records if run is None else train.read_metrics(run.metrics_path)
    estimator.seconds_, estimator.steps_ = fitted.seconds, fitted.steps
    return fitted
