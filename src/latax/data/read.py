"""`read`: a user's file, of any known format, as `Samples`."""

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latax._errors import ConfigError, DataError, FileError
from latax._wording import did_you_mean
from latax.data.memory import Lazy
from latax.data.request import Request
from latax.data.request import position as column_number
from latax.data.samples import Samples, check_finite
from latax.data.series import fold
from latax.data.table import checked_labels

# Extension -> module of `latax.data.readers`, imported when the first such file is read.
READERS = {
    ".npy": "npy",
    ".npz": "npz",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".nc": "netcdf",
    ".nc4": "netcdf",
    ".cdf": "netcdf",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".hdf": "hdf5",
    ".idx": "idx",
    ".idx.gz": "idx",
    "-ubyte": "idx",
    "-ubyte.gz": "idx",
}

#: Readers of columns that need not be numbers.
TABLES = ("csv", "parquet")

ZARR_MARKERS = ("zarr.json", ".zgroup", ".zarray")


def read(
    path: str | Path,
    *,
    name: str | None = None,
    columns: Sequence[str | int] | str | None = None,
    context: Sequence[str | int] | str | None = None,
    lazy: Lazy = "auto",
    labels: str | int | None = None,
    time: str | None = None,
    position: Sequence[str | int] | str | None = None,
) -> Samples:
    """Read a file, or a folder of images, as samples: one per row, or along the first axis of an array.

    **Arguments:**

    - `path`: .npy, .npz, .csv, .tsv, .parquet, NetCDF (.nc), HDF5 (.h5), Zarr (.zarr), IDX (that of MNIST, such as
        train-images-idx3-ubyte.gz), or a folder of images.
    - `name`: which array, in files with several; may be left out where only one can be meant.
    - `columns`: names (or numbers) of the columns to keep, in this order; by default all but those of the context.
    - `context`: names of the columns, or of the arrays, that condition the data.
    - `lazy`: whether the data stay in the file and are read by blocks of rows (.npy, HDF5, Zarr, NetCDF only);
      "auto" does so when they need more than half of the free memory.
    - `labels`: the column that says what each row is called, e.g. the name of a subject: numbers, or texts in CSV and
      Parquet.
    - `time`: the column of the times, in a table with one row for each time of each sequence, of which `labels` say
      which it is of; the samples are the sequences then, as `latax.data.fold` makes them.
    - `position`: names of the columns, or of the arrays, that tell where each sample is on a known manifold, an angle
        for instance. They are no data, and go to `truth["position"]`.

    **Returns:** `Samples`, whose `origin` says what was found and done. All numbers are checked to be finite, except
    in lazy data, which `latax.data.check_finite` checks in one pass through the file. Constant columns are allowed.

    Raises `FileError` for a missing, damaged or unknown file, `DataError` for contents that are not usable numbers,
    `ConfigError` for names that the file does not have.
    """
    if time is not None and (labels is None or position is not None):
        wrong = "labels, the column that says which sequence a row is of" if labels is None else "no position"
        raise ConfigError(f"time={time!r}, the times of sequences in a table, goes with {wrong}.")
    if position is not None:
        return _positioned(path, position, context, name=name, columns=columns, lazy=lazy, labels=labels)
    return _read(path, context, name=name, columns=columns, lazy=lazy, labels=labels, time=time)


def _read(
    path: str | Path,
    context: Sequence[str | int] | str | None,
    *,
    name: str | None,
    columns: Sequence[str | int] | str | None,
    lazy: Lazy,
    labels: str | int | None,
    time: str | None = None,
    beside: str = "context",
) -> Samples:
    """`read` without positions; `beside`: what the context is to the user."""
    path, wanted = Path(path).expanduser(), _names(columns)
    wanted = (time, *wanted) if time is not None and wanted is not None and time not in wanted else wanted
    request = Request(name, wanted, _names(context) or (), lazy, None if labels is None else str(labels))
    kind = _reader_for(path)
    reader: Callable[[Path, Request], Samples] = importlib.import_module(f"latax.data.readers.{kind}").read
    if request.labels is None or kind in TABLES:
        samples = reader(path, request)
    else:
        samples = _labelled(reader, path, request, request.labels)
    samples = samples if time is None else fold(samples, time)
    if not samples.is_lazy:
        check_finite(samples, beside=beside)
    return samples


def _positioned(
    path: str | Path, position: Sequence[str | int] | str, context: Sequence[str | int] | str | None, **options: Any
) -> Samples:
    """The samples with their positions, which are read as a context, alone and with that of the data: columns of a file
    are one or the other."""
    names = _names(position) or ()
    beside = _read(path, names, **options, beside="position")
    samples = _read(path, (*(_names(context) or ()), *names), **options)
    kept = [i for i, name in enumerate(samples.context_names) if name not in beside.context_names]
    return dataclasses.replace(
        samples,
        context=samples.context[:, kept] if kept and samples.context is not None else None,
        context_names=tuple(samples.context_names[i] for i in kept),
        truth={**samples.truth, "position": np.asarray(beside.context)},
    )


def _labelled(reader: Callable[[Path, Request], Samples], path: Path, request: Request, labels: str) -> Samples:
    """The samples of an array of which one column says what the rows are called."""
    columns = None if request.columns is None else (labels, *request.columns)
    whole = reader(path, dataclasses.replace(request, columns=columns, lazy=False))
    number = column_number(labels, whole.feature_names, str(path))
    values = np.asarray(whole.X)[:, number]
    texts = [None if np.isnan(value) else f"{value:.15g}" for value in values]
    kept = [i for i in range(len(whole.feature_names)) if i != number]
    if not kept or len(whole.sample_shape) > 1:
        raise DataError(
            f"{path} has samples of shape {whole.sample_shape}; with a column of labels, '{labels}', expected rows "
            "of at least two numbers."
        )
    return dataclasses.replace(
        whole,
        X=np.asarray(whole.X)[:, kept],
        feature_names=tuple(whole.feature_names[i] for i in kept),
        sample_shape=(len(kept),),
        times=None,
        labels=checked_labels(texts, f"column '{labels}' of {path}"),
    )


def _names(given: Sequence[str | int] | str | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    names = (given,) if isinstance(given, str) else tuple(str(name) for name in given)
    if not names:
        raise ConfigError("an empty list of columns was given; leave it out to take all columns.")
    return names


def _reader_for(path: Path) -> str:
    """The reader of this path, after the checks that are the same for every format."""
    if not path.exists():
        raise FileError(_missing(path))
    if path.is_dir():
        return (
            "zarr" if path.suffix == ".zarr" or any((path / marker).exists() for marker in ZARR_MARKERS) else "images"
        )
    extension = next((e for e in sorted(READERS, key=len, reverse=True) if path.name.lower().endswith(e)), None)
    if extension is None:
        raise FileError(_unknown(path))
    if path.stat().st_size == 0:
        raise FileError(f"{path} is empty (0 bytes). Was it still being written, or did a download fail?")
    with path.open("rb") as file:
        start = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise FileError(
            f"{path} is a web page (HTML), not data: the download probably stopped at a login or warning page. "
            "Open the link in a browser and save the file itself."
        )
    return READERS[extension]


def _missing(path: Path) -> str:
    if str(path).startswith(("http:/", "https:/", "s3:/", "gs:/")):
        return f"{path} is an address, not a file; latax reads local files. Download it first."
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if folder != path.parent:
        return f"{path} does not exist: there is no folder {path.parent}; the path ends at {folder.resolve()}."
    beside = [entry.name for entry in folder.iterdir()]
    near = did_you_mean(path.name, beside)
    return f"{path} does not exist in {folder.resolve()}.{near or ' Check the name and the folder.'}"


def _unknown(path: Path) -> str:
    known = ", ".join(READERS)
    return (
        f"{path} has {f'the extension {path.suffix!r}' if path.suffix else 'no extension'}, which latax does not know; "
        f"it reads {known}, and folders of images or .zarr. Convert the file, or rename it if it is one of these."
    )
