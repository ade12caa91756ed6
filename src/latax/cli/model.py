"""What commands on a run share: the model, the samples of a file as the model's own were read, and results as files."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from latax._errors import ConfigError
from latax.cli.reading import Reading
from latax.data import Samples

RunPath = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
FilePath = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
OptionalFilePath = Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
Options = Annotated[Reading, tyro.conf.arg(name="")]


def load(run: Path) -> Any:
    """The fitted model of a run folder, or a saved one; a model of data, and no potentials."""
    from latax.estimators import PotentialFlow

    model = load_any(run)
    if isinstance(model, PotentialFlow):
        raise ConfigError(
            f"{run} holds potentials, which move latent points and are no model of data. Use `latax traverse {run}`, "
            "or give the decoder's own run."
        )
    return model


def load_any(run: Path) -> Any:
    """The fitted model of a run folder, or a saved one, of whatever kind."""
    from latax.estimators import load

    return load(run)


def read(run: Path, file: Path, reading: Reading, *, positions: bool = False) -> Samples:
    """The samples of a file, read as the run read its own where nothing else is said.

    Their positions on a manifold may be missing where the run had some, unless `positions` are needed.
    """
    wanted = as_run(run, file, reading)
    return wanted(file) if positions or reading.position else wanted.without_missing(file, "position")


def as_run(run: Path, file: Path, reading: Reading) -> Reading:
    """How to read a file: as the run read its own where nothing else is said."""
    from latax.estimators.run_folder import RunFolder

    return reading.as_in(RunFolder(run).config().get("source"), file)


def write(rows: np.ndarray, out: Path, names: tuple[str, ...], origin: str, **more: Any) -> None:
    """Writes rows of numbers under these names, and says so; `more` of what `Samples` hold."""
    from latax.data.write import write

    write(Samples(np.asarray(rows, np.float64), feature_names=names, origin=origin, **more), out)
    print(f"{len(rows)} rows, {rows.shape[1]} columns: {out}")


def write_like(model: Any, X: np.ndarray, out: Path, origin: str, labels: tuple[str, ...] = ()) -> None:
    """Writes samples with the names and the shape of those that the model was fitted on."""
    from latax.data.write import write

    rows = X.reshape(len(X), -1)
    shape = model.sample_shape_
    write(Samples(rows, feature_names=model.feature_names_, sample_shape=shape, origin=origin, labels=labels), out)
    print(f"{len(rows)} rows, {rows.shape[1]} columns: {out}")
