"""`latax fit MODEL FILE`: the constructor's arguments of every estimator are its options."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro

from latax.cli.reading import Reading
from latax.estimators import ESTIMATORS


def fit_commands() -> dict[str, Callable[..., None]]:
    """A command for each estimator."""
    return {name: _command(estimator) for name, estimator in ESTIMATORS.items()}


def _command(cls: type) -> Callable[..., None]:
    def fit(file: Path, estimator: Any, reading: Reading, out: Path, report: bool = True) -> None:
        from latax.cli.console import show_run

        samples = reading(file)
        estimator._check_params()
        estimator.fit_samples(samples, out=out, source=reading.as_dict(file))
        show_run(out, estimator, samples, report)

    fit.__doc__ = f"""{cls.__doc__}

    Args:
        file: The data: npy, npz, csv, parquet, NetCDF, Zarr, HDF5, or a folder of images.
        out: A new folder for the run: model, metrics, checkpoints, report.
        report: Write report.html when the fit is done.
    """
    fit.__annotations__ |= {
        "file": tyro.conf.Positional[Path],
        "estimator": Annotated[cls, tyro.conf.arg(name="")],
        "reading": Annotated[Reading, tyro.conf.arg(name="")],
    }
    return fit
