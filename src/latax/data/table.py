"""From named columns of numbers to `Samples`: the part that CSV and Parquet share."""

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from latax._errors import DataError
from latax._wording import listed
from latax.data.numeric import as_float
from latax.data.request import Request, position, split_columns
from latax.data.samples import Samples

ROW_NUMBER_NAMES = ("index",)


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a table, read when they are asked for.

    `read` is given the names of the columns wanted and returns one array per column, in that order; `read_text` returns
    one column as texts, None where nothing is. `left_out` are
    columns that label the rows or are empty; they are data only when asked for by name. `notes` says what was found and
    done, for people.
    """

    names: tuple[str, ...]
    read: Callable[[Sequence[str]], list[Shaped[np.ndarray, " N"]]]
    read_text: Callable[[str], list[str | None]]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def from_columns(path: Path, kind: str, table: Columns, request: Request) -> Samples:
    """The samples of a table: one per row.

    Raises `ConfigError` for unknown columns, and `DataError` for columns that are not numbers or a table of no rows.
    """
    request.refuse_name(str(path))
    request.refuse_lazy(str(path))
    asked = {*(request.columns or ()), *request.context, request.labels}
    names = tuple(name for name in table.names if name not in table.left_out or name in asked)
    if not names:
        raise DataError(f"{path} has no columns of data. latax expects one column per variable, one row per sample.")
    features, context = split_columns(names, request.columns, request.context, str(path))
    label = None if request.labels is None else names[position(request.labels, names, str(path))]
    if request.columns is None:
        features = [i for i in features if names[i] != label]
        if not features:
            raise DataError(f"{path} has no columns of data besides '{label}', which names the rows.")
    wanted = [names[i] for i in (*features, *context)]
    arrays = table.read(wanted)
    if arrays[0].shape[0] == 0:
        raise DataError(f"{path} has the columns {listed(names)} and no rows. latax needs at least one row of numbers.")
    values = {name: as_float(array, f"column '{name}' of {path}") for name, array in zip(wanted, arrays, strict=True)}
    notes = table.notes
    feature_names = [names[i] for i in features]
    if request.columns is None and len(feature_names) > 1 and _is_row_number(feature_names[0], values):
        notes = (*notes, f"the row numbers in column '{feature_names[0]}' left out")
        feature_names = feature_names[1:]
    return Samples(
        _stacked([values[name] for name in feature_names]),
        context=_stacked([values[names[i]] for i in context]) if context else None,
        feature_names=tuple(feature_names),
        context_names=tuple(names[i] for i in context),
        origin=f"{path} ({', '.join((kind, *notes))})",
        labels=() if label is None else checked_labels(table.read_text(label), f"column '{label}' of {path}"),
    )


def checked_labels(texts: Sequence[str | None], what: str) -> tuple[str, ...]:
    """The labels of the rows, without blanks around. Raises `DataError` for a row without one; `what` they are of."""
    labels = tuple((text or "").strip() for text in texts)
    if "" in labels:
        raise DataError(
            f"{what} has gaps: row {labels.index('')} (the first row is 0) has nothing there, and every row needs a "
            "label. Fill them in, or leave such rows out."
        )
    return labels


def text_message(path: Path, text: dict[str, str], numeric: Sequence[str]) -> str:
    """The refusal of columns that hold text: `text` maps each to its first such value and the place of it."""
    (name, first), *others = text.items()
    more = f" The same holds for {listed(repr(other) for other, _ in others)}." if others else ""
    options = " ".join(f"--columns {shlex.quote(name)}" for name in numeric[:12])
    keep = (
        f"Keep the others (columns={list(numeric[:12])!r} in Python, {options} on the command line),"
        if numeric
        else "Give a table of numbers,"
    )
    return (
        f"column '{name}' of {path} holds text or something else that is not numbers: the first is {first}.{more} "
        f"{keep} or encode the values as numbers first."
    )


def _is_row_number(name: str, values: dict[str, Float[np.ndarray, " N"]]) -> bool:
    column = values[name]
    return name.lower() in ROW_NUMBER_NAMES and any(
        np.array_equal(column, np.arange(start, start + len(column), dtype=column.dtype)) for start in (0, 1)
    )


def _stacked(columns: list[Float[np.ndarray, " N"]]) -> Float[np.ndarray, "N d"]:
    return np.column_stack(columns).astype(np.result_type(*columns), copy=False)
