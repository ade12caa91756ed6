"""`latax traverse`, and what other commands do with a run of potential flows."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro

from latax._errors import ConfigError
from latax.cli.model import OptionalFilePath, Options, RunPath, as_run, load_any


def traverse(
    run: RunPath,
    reading: Options,
    file: OptionalFilePath = None,
    out: Path | None = None,
    k: int = 0,
    steps: int = 12,
    starts: int = 5,
    seed: int = 0,
    backwards: bool = False,
) -> None:
    """Follows one potential's flow from a few points: the numbers, and a contact sheet and an animation of images.

    Args:
        run: A run folder or a saved model of `latax fit potential-flow` or `latax fit flow-sequence-vae`.
        file: Data to start from; of sequences, the frame that the model encodes. Draws of the prior if none are given.
        out: A new folder; traverse-K in the run's own, if none is given.
        k: Which potential, from 0 on.
        steps: Points of each path.
        starts: How many paths, from the first rows of the file or from so many draws.
        seed: The same seed gives the same draws.
        backwards: Go back in time, along paths that end at the points, or that lead through the data.
    """
    from latax.estimators.params import require_count
    from latax.estimators.traversal import AbstractTraverser
    from latax.report.traversal import write_traversal

    model = load_any(run)
    if not isinstance(model, AbstractTraverser):
        raise ConfigError(f"A {model.name} has no potentials to follow. Fit some: latax fit potential-flow {run}.")
    require_count("starts", starts)
    if file is None:
        points = model.draw(starts, seed=seed)
    else:
        samples = as_run(_whose_data(model, run), file, reading).without_missing(file, "context")
        points = model.start(samples.take(slice(starts)), k, backwards=backwards)
    found = model.traverse(points, k, steps=steps, backwards=backwards)
    for written in write_traversal(out or Path(run) / f"traverse-{k}", found, title=f"potential {k} of {run}"):
        print(written)


def _whose_data(model: Any, run: Path) -> Path:
    """The run whose data say how to read more of them: potentials have their decoder's."""
    decoder = getattr(model, "decoder", None)
    return Path(decoder) if isinstance(decoder, str) and os.path.isdir(decoder) else run


def fit_command() -> Callable[..., None]:
    """`latax fit potential-flow DECODER`."""
    from latax.estimators import PotentialFlow
    from latax.estimators.traversal_settings import TraversalSettings

    def fit(decoder: str, out: Path, settings: Any, report: bool = True) -> None:
        estimator = PotentialFlow(decoder, **vars(settings))
        estimator._check_params()
        estimator.fit(data_of(decoder), out=out)
        show(out, estimator, report)

    fit.__doc__ = f"""{PotentialFlow.__doc__}

    Args:
        decoder: What decodes: a run folder, a saved model, or file.py:name of a LatentSpace.
        out: A new folder for the run: model, metrics, checkpoints, report.
        report: Write report.html when the fit is done.
    """
    fit.__annotations__ |= {
        "decoder": Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DECODER")],
        "settings": Annotated[TraversalSettings, tyro.conf.arg(name="")],
    }
    return fit


def data_of(decoder: str) -> Any:
    """The data that a decoder was fitted on, where they are needed: one that cannot draw has no other points."""
    from latax.cli.reading import read_again
    from latax.estimators import load
    from latax.estimators.base import AbstractEstimator, AbstractSampler
    from latax.estimators.run_folder import RunFolder

    if not os.path.isdir(decoder):
        return None
    model = load(decoder)
    if isinstance(model, AbstractSampler) or not isinstance(model, AbstractEstimator):
        return None
    source = RunFolder(decoder).config().get("source")
    return None if source is None else read_again(source)


def resume(run: Path, config: dict[str, Any], report: bool) -> None:
    """Goes on with a run of potential flows."""
    from latax.estimators import restore

    estimator = restore(config)
    estimator.fit(data_of(config["params"]["decoder"]), out=run, resume=True)
    show(run, estimator, report)


def show(out: Path, estimator: Any, report: bool) -> None:
    """After a fit: the metrics, the verdict, and where everything is."""
    from rich.console import Console

    from latax.cli.console import show_diagnosis
    from latax.estimators.run_folder import RunFolder
    from latax.report.run import metrics_table
    from latax.report.tables import show as show_table
    from latax.report.traversal import report_traversals

    folder, console = RunFolder(out), Console()
    show_table(metrics_table(estimator), console)
    if report:
        show_diagnosis(report_traversals(folder.report_path, estimator).diagnosis)
        console.print(f"report: {folder.report_path}", markup=False, soft_wrap=True)
    console.print(f"model:  {folder.model_path}", markup=False, soft_wrap=True)


def is_traversal(config: dict[str, Any]) -> bool:
    """Whether a run's or a model's config.json is that of potential flows."""
    from latax.estimators import TRAVERSALS

    return config.get("estimator") in TRAVERSALS
