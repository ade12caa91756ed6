"""From the arrays found in a file to `Samples`: which array, which context, whole or by blocks."""

import dataclasses
import math
import shlex
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax._wording import did_you_mean, listed
from latax.data.lazy import LazyRows, RowReader
from latax.data.memory import require_memory, should_be_lazy
from latax.data.numeric import as_float, float_dtype, is_numeric
from latax.data.request import Request, split_columns
from latax.data.samples import Samples, default_names, row_blocks
from latax.data.truth import TIMES, are_times, kept_times, split_truth


@dataclasses.dataclass(frozen=True)
class StoredArray:
    """An array in a file: its shape and type are known, its rows are read when they are wanted.

    `read` is given a slice of step one or a strictly increasing array of row numbers. `column_names` labels the
    second axis of a two-dimensional array, where the file has such labels. A coordinate can be context, and is data
    only when asked for by name.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    read: RowReader
    column_names: tuple[str, ...] = ()
    is_coordinate: bool = False

    def __str__(self) -> str:
        return f"{self.shape} {self.dtype}"


def assemble(path: Path, kind: str, arrays: Mapping[str, StoredArray], request: Request, *, in_blocks: bool) -> Samples:
    """The samples of a file with named arrays.

    `kind` names the format in the origin; `in_blocks` says whether its arrays can be read by blocks of rows. Each of
    the request's context names is an array of the file (one value, or one row of values, per sample), or else a
    column of the chosen array. Times and truth are found by their names: see `latax.data.truth`. Raises `ConfigError`
    for what was asked for wrongly and `DataError` for arrays that cannot be used.
    """
    if not in_blocks:
        request.refuse_lazy(str(path))
    arrays, truth = split_truth(arrays)
    name = choose_array(path, arrays, request)
    stored = arrays[name]
    what = f"the array '{name}' of {path}" if name else str(path)
    _check_usable(stored, what)
    beside = tuple(c for c in request.context if c in arrays and c != name)
    inside = tuple(c for c in request.context if c not in beside)
    sample_shape = stored.shape[1:] or (1,)
    names = stored.column_names or default_names(sample_shape)
    if wrong := [c for c in inside if c not in names and not c.isdigit()]:
        raise ConfigError(_no_context(path, wrong[0], arrays, names))
    features, context_columns = split_columns(names, request.columns, inside, what)
    everything = len(features) == len(names) and request.columns is None
    rows = LazyRows(stored.read, stored.shape, stored.dtype, what, None if everything else np.asarray(features))
    lazy = should_be_lazy(rows.nbytes, request.lazy) if in_blocks else False
    if not lazy:
        require_memory(rows.nbytes, what)
    context = [_context_array(arrays[c], c, stored.shape[0], path) for c in beside]
    if context_columns:
        columns = LazyRows(stored.read, stored.shape, stored.dtype, what, np.asarray(context_columns))
        context.append((_in_memory(columns, in_blocks), tuple(names[i] for i in context_columns)))
    others = {c: a for c, a in arrays.items() if c not in (name, *beside)}
    times = _times(path, others, stored.shape)
    if times is None:  # Of states one after another, each row has a time of its own.
        truth |= {c: a for c, a in others.items() if c in TIMES and a.shape == stored.shape[:1]}
    return Samples(
        rows if lazy else _in_memory(rows, in_blocks and not everything),
        context=_joined([values for values, _ in context]),
        feature_names=tuple(names[i] for i in features),
        context_names=tuple(label for _, labels in context for label in labels),
        sample_shape=sample_shape if everything else (len(features),),
        origin=f"{path}{f', array {name!r}' if name else ''} ({kind}{', read by blocks' if lazy else ''})",
        times=times if everything else kept_times(times, features, sample_shape),
        truth={label: np.asarray(array.read(slice(0, array.shape[0]))) for label, array in truth.items()},
    )


def choose_array(path: Path, arrays: Mapping[str, StoredArray], request: Request) -> str:
    """The name of the array that holds the data.

    As named by the request; else the only numeric array of two or more dimensions that is not context; else, when
    there is none, the only one-dimensional one. Raises `ConfigError` when there is no such array or no single one.
    """
    contents = "; ".join(f"{name or 'array'} {array}" for name, array in arrays.items())
    if request.name is not None:
        if request.name not in arrays:
            near = did_you_mean(request.name, arrays)
            raise ConfigError(f"{path} has no array '{request.name}'.{near} It holds: {contents or 'nothing'}.")
        return request.name
    if not arrays:
        raise DataError(f"{path} holds no arrays; latax expects one with the samples along its first axis.")
    usable = [
        name
        for name, array in arrays.items()
        if is_numeric(array.dtype) and array.shape and not array.is_coordinate and name not in request.context
    ]
    candidates = [name for name in usable if len(arrays[name].shape) > 1] or usable
    if len(candidates) == 1:
        return candidates[0]
    if len(arrays) == 1:
        return next(iter(arrays))
    if not candidates:
        raise DataError(f"{path} holds no array of numbers with the samples along its first axis, only: {contents}.")
    if all(len(arrays[name].shape) == 1 for name in candidates):
        raise ConfigError(
            f"{path} holds several one-dimensional arrays and no table: {contents}. Say which is the data, e.g. "
            f"{_as_name(candidates[0])}, or stack them into one array of shape (rows, columns) with numpy.stack(..., "
            "axis=1), or save them as the columns of a CSV or Parquet file."
        )
    raise ConfigError(
        f"{path} holds several arrays: {contents}. Say which is the data, e.g. {_as_name(candidates[0])}, and "
        "whether one of the others is the context."
    )


def _as_name(array: str) -> str:
    return f"name={array!r} in Python, --array {shlex.quote(array)} on the command line"


def _no_context(path: Path, wrong: str, arrays: Mapping[str, StoredArray], columns: tuple[str, ...]) -> str:
    known = [name for name in arrays if name]
    holds = f" Its arrays are {listed(known)}." if known else ""
    return (
        f"{path} has no array or column '{wrong}' to use as context.{did_you_mean(wrong, [*known, *columns])}"
        f"{holds} The columns of the data are {listed(columns)}."
    )


def _check_usable(stored: StoredArray, what: str) -> None:
    float_dtype(stored.dtype, what)
    if not stored.shape:
        raise DataError(f"{what} is a single number; latax expects an array with the samples along its first axis.")
    if math.prod(stored.shape) == 0:
        raise DataError(f"{what} is empty: its shape is {stored.shape}. latax needs at least one row and one column.")


def _in_memory(rows: LazyRows, in_blocks: bool) -> Float[np.ndarray, "N d"]:
    """All rows; block by block where only some columns of a file, perhaps larger than memory, are kept."""
    if not in_blocks:
        return rows[:]
    whole = np.empty(rows.shape, rows.dtype)
    for start, block in row_blocks(rows):
        whole[start : start + len(block)] = block
    return whole


def _context_array(
    stored: StoredArray, name: str, rows: int, path: Path
) -> tuple[Float[np.ndarray, "N c"], tuple[str, ...]]:
    what = f"the context array '{name}' of {path}"
    _check_usable(stored, what)
    rank = len(stored.shape)
    if rank > 2:
        raise DataError(f"{what} has shape {stored.shape}; a context is one number, or one row of numbers, per sample.")
    if stored.shape[0] != rows:
        raise DataError(
            f"{what} has {stored.shape[0]} rows and the data have {rows}; "
            "there must be one row of context for each sample, in the same order."
        )
    values = as_float(np.asarray(stored.read(slice(0, rows))), what).reshape(rows, -1)
    one_name = rank == 1 or stored.shape[1] == 1
    return values, (name,) if one_name else (stored.column_names or default_names((values.shape[1],), name))


def _times(
    path: Path, arrays: Mapping[str, StoredArray], data_shape: tuple[int, ...]
) -> Float[np.ndarray, " T"] | None:
    """The times of the sequences, where an array with one of the names for them fits."""
    found = [name for name in TIMES if name in arrays and are_times(name, arrays[name].shape, data_shape)]
    if not found:
        return None
    stored = arrays[found[0]]
    return as_float(np.asarray(stored.read(slice(0, data_shape[1]))), f"the array '{found[0]}' of {path}")


def _joined(parts: list[Float[np.ndarray, "N _"]]) -> Float[np.ndarray, "N c"] | None:
    return np.concatenate(parts, axis=1) if parts else None
