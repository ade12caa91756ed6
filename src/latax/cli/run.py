"""The commands that work on a run or a saved model: `latax resume`, `encode`, `sample`, `score` and so on."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from latax._by_name import is_description
from latax._errors import ConfigError, DataError, DataWarning, LataxError
from latax.cli import traverse as traversals
from latax.cli.model import FilePath, OptionalFilePath, Options, RunPath, load, load_any, read, write, write_like
from latax.cli.reading import read_again
from latax.data import Samples


def resume(run: RunPath, report: bool = True) -> None:
    """Goes on with a run that was stopped, to the same result as if it had not been.

    Args:
        run: The run folder.
        report: Write report.html when the fit is done.
    """
    from latax.cli.console import show_run
    from latax.estimators import restore
    from latax.estimators.run_folder import RunFolder

    config = RunFolder(run).config()
    _refuse_objects(run, config)
    if traversals.is_traversal(config):
        traversals.resume(run, config, report)
        return
    source = _source(run, f"Resume it in Python: fit(X, out={str(run)!r}, resume=True).")
    samples = read_again(source)
    estimator = restore(config).fit_samples(samples, out=run, resume=True, source=source)
    show_run(run, estimator, samples, report)


def _refuse_objects(run: Path, config: dict[str, Any]) -> None:
    """Refuses to go on with what was given as an object, of which the folder of a run has the description only."""
    params = config.get("params", {})
    objects = [name for name, value in params.items() if isinstance(value, str) and is_description(value)]
    if objects:
        raise ConfigError(
            f"The {' and the '.join(objects)} of the run {run} {'was' if len(objects) == 1 else 'were'} given as an "
            "object in Python, and only Python can give it again: make the estimator with the same arguments as "
            f"before, and call its fit with out={str(run)!r} and resume=True."
        )


def encode(run: RunPath, file: FilePath, out: Path, reading: Options) -> None:
    """Writes the latent coordinates of a file's samples.

    Args:
        run: A run folder or a saved model.
        file: The data, with the columns that the model was fitted on.
        out: A new file: npz, npy, csv or parquet.
    """
    model, samples = load(run), read(run, file, reading)
    Z = model.transform(samples)
    origin = f"latent coordinates of {samples.origin}"
    context = {"context": samples.context, "context_names": samples.context_names}
    write(Z, out, model.latent_names_, origin, labels=samples.labels, **context)


def decode(run: RunPath, file: FilePath, out: Path, reading: Options) -> None:
    """Writes the data that a file's latent coordinates stand for.

    Args:
        run: A run folder or a saved model.
        file: Latent coordinates, and the context if there is one, as `latax encode` writes them.
        out: A new file: npz, npy, csv or parquet.
    """
    model = load(run)
    latent = replace(reading, context=reading.context or model.context_names_)(file)
    X = model.inverse_transform(np.asarray(latent.X), context=latent.context)
    write_like(model, X, out, f"decoded from {latent.origin}")


def project(run: RunPath, file: FilePath, out: Path, reading: Options) -> None:
    """Writes the point nearest to each of a file's samples that the model can express.

    Args:
        run: A run folder or a saved model.
        file: The data, with the columns that the model was fitted on.
        out: A new file: npz, npy, csv or parquet.
    """
    model, samples = load(run), read(run, file, reading)
    write_like(model, model.project(samples), out, f"projection of {samples.origin}", samples.labels)


def sample(run: RunPath, out: Path, size: int = 1000, seed: int = 0, context: tuple[float, ...] = ()) -> None:
    """Draws new data.

    Args:
        run: A run folder or a saved model.
        out: A new file: npz, npy, csv or parquet.
        size: How many samples.
        seed: The same seed gives the same samples.
        context: The condition, one number for each context column the model was fitted with.
    """
    from latax.estimators.base import AbstractSampler

    model = load(run)
    if not isinstance(model, AbstractSampler):
        raise ConfigError(f"A {model.name} is no distribution and draws no samples.")
    X = model.sample(size, seed=seed, context=[list(context)] if context else None)
    write_like(model, X, out, f"{size} samples of {run}, seed {seed}")


def score(
    run: RunPath,
    file: FilePath,
    reading: Options,
    out: Path | None = None,
    off_manifold: Literal["project", "raise", "nan"] | None = None,
) -> None:
    """Scores a file's samples: log density with its parts, or a lower bound of it where there is no more, and distance
    to the reconstruction, in the units of the data.

    Args:
        run: A run folder or a saved model.
        file: The data, with the columns that the model was fitted on.
        out: A new file for the score of each sample: npz, npy, csv or parquet. A summary is printed without it.
        off_manifold: What to do with samples far from the manifold: score their projection (the default), refuse, or
            mark them with nan.
    """
    from latax.cli.console import show_scores

    model, samples = load(run), read(run, file, reading)
    columns = _scores(model, samples, off_manifold)
    if out is None:
        show_scores(columns)
    else:
        rows = np.stack(list(columns.values()), axis=1)
        write(rows, out, tuple(columns), f"scores of {samples.origin}", labels=samples.labels)


def _scores(model: Any, samples: Samples, off_manifold: str | None) -> dict[str, np.ndarray]:
    """{name of a score: values}. Raises `ConfigError` for a model without a density."""
    from latax.estimators.density_verbs import DensityVerbs
    from latax.estimators.signal_estimator import AbstractSignalEstimator

    options = {} if off_manifold is None else _off_manifold(model, off_manifold)
    if isinstance(model, AbstractSignalEstimator):
        bound = model.score_samples(samples)
        return {"log_prob_bound": bound, "reconstruction_error": model.reconstruction_error(samples)}
    if not isinstance(model, DensityVerbs):
        raise ConfigError(f"A {model.name} has no density to score by. `latax project` shows what it rebuilds.")
    scored = model.log_prob(samples, **options)
    columns = {name: value for name, value in scored._asdict().items() if name != "latent"}
    return columns | {f"u{i}": scored.latent[:, i] for i in range(scored.latent.shape[1])}


def _off_manifold(model: Any, choice: str) -> dict[str, str]:
    from latax.estimators.density_verbs import ManifoldVerbs

    if not isinstance(model, ManifoldVerbs):
        raise ConfigError(f"A {model.name} has no manifold that a sample could be off; leave --off-manifold out.")
    return {"off_manifold": choice}


def diagnose(run: RunPath, reading: Options, file: OptionalFilePath = None) -> None:
    """Says in words whether the fit is any good, and what to do if not: the verdict of the fit, or that on new data.

    Args:
        run: A run folder.
        file: Data to judge by. By default the rows that the run held out.
    """
    from latax.cli.console import show_diagnosis
    from latax.estimators import PotentialFlow
    from latax.estimators.assessment import rows_to_judge

    model = load_any(run)
    if isinstance(model, PotentialFlow):
        if file is not None:
            raise ConfigError("Paths are judged on draws of the decoder; leave the file out.")
        show_diagnosis(model.diagnose())
        return
    if file is None:
        training, held_out = rows_to_judge(model, _own_samples(run, "Give a file to judge by."))
    else:
        training, held_out = _training_rows(run, model), read(run, file, reading, positions=True)
    show_diagnosis(model.diagnose(held_out, training=training))


def report(run: RunPath) -> None:
    """Writes report.html of a run anew.

    Args:
        run: The run folder.
    """
    from latax.cli.console import show_run
    from latax.estimators import PotentialFlow

    model = load_any(run)
    if isinstance(model, PotentialFlow):
        traversals.show(run, model, report=True)
        return
    cure = "Write its report in Python: latax.report.run.report_run(path, model, samples)."
    show_run(run, model, _own_samples(run, cure), report=True)


def _training_rows(run: Path, model: Any) -> Samples | None:
    """The rows that a run was trained on, or None with a warning where they are not at hand."""
    from latax.estimators.assessment import rows_to_judge

    try:
        return rows_to_judge(model, _own_samples(run, ""))[0]
    except LataxError as error:
        warnings.warn(
            f"The checks that compare with training rows are left out, since these cannot be read. {error}".rstrip(),
            DataWarning,
            stacklevel=2,
        )
        return None


def _own_samples(run: Path, cure: str) -> Samples:
    """The samples that a run was fitted on. Raises `DataError` if their file has changed since."""
    from latax.estimators.run_folder import RunFolder, fingerprint

    source = _source(run, cure)
    samples = read_again(source)
    if fingerprint(samples) != RunFolder(run).config()["data"]:
        raise DataError(
            f"{source['path']} is not what {run} was fitted on: it has changed since. Restore it from a copy, or fit "
            "again."
        )
    return samples


def _source(run: Path, cure: str) -> dict[str, Any]:
    """Where the run's data are and how they are read."""
    from latax.estimators.run_folder import RunFolder

    source = RunFolder(run).config().get("source")
    if source is None:
        raise ConfigError(
            f"{run} does not say where its data are: it was fitted in Python, or is not a run but a saved model or a "
            f"study. {cure}"
        )
    return source


COMMANDS = {
    "resume": resume,
    "encode": encode,
    "decode": decode,
    "project": project,
    "sample": sample,
    "score": score,
    "diagnose": diagnose,
    "report": report,
    "traverse": traversals.traverse,
}
