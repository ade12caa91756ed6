"""Samples to a file: .npz, .npy, .nc, .csv or .parquet, never over another one unless told so."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latax._errors import ConfigError, FileError
from latax._wording import listed
from latax.data.coordinates import axes_of
from latax.data.samples import Samples
from latax.data.truth import TIMES, with_prefix

if TYPE_CHECKING:
    import pandas


def write(samples: Samples, path: str | Path, *, overwrite: bool = False, label_name: str = "") -> Path:
    """Write the samples in the format that the extension names, and return the path.

    * .npz, .nc (NetCDF): the data as `x`, of shape (N, ...), one array per context column under its name, the `times`,
      and the truth, so that `latax.data.read(path, context=samples.context_names)` gives them back. NetCDF keeps the
      coordinates that the columns are named by, such as `t=0.5 x=0.25`, too; the data are `field` where x is one.
    * .csv, .parquet: one column per feature and context variable, under their names, after one of the labels, if there
      are any, with the name `label_name`: without a name, `latax.data.read` does not take it for data. Without times
      and truth.
    * .npy: the data alone; refused when there is a context, which would be lost.

    The other formats have no place for labels. The file appears whole or not at all. Raises `FileError` when it exists
    (unless `overwrite`), its folder does not, or it cannot be written; `ConfigError` for an unknown extension.
    """
    path = Path(path).expanduser()
    write_as = _WRITERS.get(path.suffix.lower())
    if write_as is None:
        raise ConfigError(
            f"{path} has {f'the extension {path.suffix!r}' if path.suffix else 'no extension'}, which latax does not "
            f"write; end the name in one of {listed(_WRITERS)}."
        )
    if path.exists() and not overwrite:
        raise FileError(f"{path} exists already and is left as it is. Give another name, or remove it first.")
    if not path.parent.is_dir():
        raise FileError(f"there is no folder {path.parent} to write {path.name} into. Make it first.")
    if samples.labels and label_name in (*samples.feature_names, *samples.context_names):
        raise ConfigError(f"'{label_name}' names both the labels and a column; rename one of them.")
    part = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        write_as(samples, part, label_name)
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{path} cannot be written: {reason}. Free some space, or choose another place.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _npy(samples: Samples, path: Path, label_name: str) -> None:
    if samples.context is not None:
        raise ConfigError(
            f"a .npy file holds one array, and the context ({listed(samples.context_names)}) would be lost. "
            "Write .npz, .csv or .parquet instead."
        )
    np.save(path, _in_shape(samples), allow_pickle=False)


def _npz(samples: Samples, path: Path, label_name: str) -> None:
    if taken := _NPZ_NAMES.intersection(samples.context_names):
        raise ConfigError(f"a context named {listed(sorted(taken))} cannot be written as .npz; rename it.")
    arrays: dict[str, Any] = {**_context(samples), **with_prefix(samples.truth)}
    if samples.times is not None:
        arrays["times"] = samples.times
    np.savez(path, x=_in_shape(samples), **arrays)


def _netcdf(samples: Samples, path: Path, label_name: str) -> None:
    import xarray

    x, coordinates = _in_shape(samples), _coordinates(samples)
    dims = ("sample", *coordinates)
    data = "field" if "x" in coordinates else "x"
    if taken := {data, *dims}.intersection(samples.context_names):
        raise ConfigError(f"a context named {listed(sorted(taken))} cannot be written as .nc; rename it.")
    variables: dict[str, Any] = {data: (dims, x)}
    variables |= {name: ("sample", column) for name, column in _context(samples).items()}
    for name, values in with_prefix(samples.truth).items():
        shared = values.shape == x.shape
        variables[name] = (dims if shared else ("sample", *(f"{name} {i}" for i in range(1, values.ndim))), values)
    known = {name: values for name, values in coordinates.items() if values is not None}
    xarray.Dataset(variables, known).to_netcdf(path, engine="h5netcdf")


def _coordinates(samples: Samples) -> dict[str, np.ndarray | None]:
    """Those of every axis of a sample, where they are known; of the first, the times."""
    axes: dict[str, np.ndarray | None] = dict(axes_of(samples.feature_names, samples.sample_shape) or {})
    if not axes or "sample" in axes:
        axes = {f"axis{i}": None for i in range(1, len(samples.sample_shape) + 1)}
    if samples.times is None:
        return axes
    first, *others = axes
    return {first if first in TIMES else "time": samples.times, **{name: axes[name] for name in others}}


def _csv(samples: Samples, path: Path, label_name: str) -> None:
    _frame(samples).to_csv(path, index=bool(samples.labels), index_label=label_name)


def _parquet(samples: Samples, path: Path, label_name: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = _frame(samples)
    if samples.labels and label_name:
        frame = frame.rename_axis(label_name).reset_index()
    # An index without a name is one that the reader leaves out.
    table = pa.Table.from_pandas(frame, preserve_index=bool(samples.labels and not label_name))
    pq.write_table(table, path)


def _frame(samples: Samples) -> "pandas.DataFrame":
    import pandas as pd

    return pd.DataFrame(_columns(samples), index=list(samples.labels) or None)


# Names that the data and the times have themselves, and what numpy.savez takes for arguments of its own.
_NPZ_NAMES = frozenset(("x", "times", "file", "allow_pickle"))

_WRITERS: dict[str, Callable[[Samples, Path, str], None]] = {
    ".npz": _npz,
    ".npy": _npy,
    ".nc": _netcdf,
    ".csv": _csv,
    ".parquet": _parquet,
}


def _in_shape(samples: Samples) -> np.ndarray:
    return np.asarray(samples.X).reshape(len(samples), *samples.sample_shape)


def _context(samples: Samples) -> dict[str, np.ndarray]:
    columns = () if samples.context is None else samples.context.T
    return dict(zip(samples.context_names, columns, strict=True))


def _columns(samples: Samples) -> dict[str, np.ndarray]:
    features = dict(zip(samples.feature_names, np.asarray(samples.X).T, strict=True))
    if clash := set(features) & set(samples.context_names):
        raise ConfigError(f"{listed(sorted(clash))} names both a data column and a context column; rename one of them.")
    return {**features, **_context(samples)}
