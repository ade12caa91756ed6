"""Comma-separated values, or semicolons, tabs, bars or spaces; with or without a header; optionally gzipped."""

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latax._errors import DataError, FileError
from latax._wording import counted
from latax.data.damage import damage_reported
from latax.data.memory import require_memory
from latax.data.readers.csv_dialect import Dialect, guess_dialect, is_number
from latax.data.request import Request
from latax.data.samples import Samples
from latax.data.table import Columns, from_columns, text_message

_HEAD_BYTES = 2**18
_HEAD_LINES = 4
_BLOCK_BYTES = 2**24  # Has to hold the longest line.
_MISSING = ["", "NA", "N/A", "n/a", "na", "NaN", "nan", "-nan", "-NaN", "NULL", "null", "None", "#N/A", "NAN"]
_BOOLEANS = {"true": 1.0, "false": 0.0}


def read(path: Path, request: Request) -> Samples:
    """One sample per row, one variable per column; the context is other columns."""
    import pyarrow as pa

    require_memory(path.stat().st_size, str(path))
    with damage_reported(path, "CSV", (OSError, UnicodeError, pa.ArrowException)):
        text, encoding = _head(path)
        dialect = guess_dialect(text, "\t" if ".tsv" in path.suffixes else ",")
        if dialect is None:
            raise DataError(
                f"{path} has no rows, only blank lines or comments. latax needs at least one row of numbers."
            )

        def columns(wanted: Sequence[str]) -> list[np.ndarray]:
            return _read_columns(path, dialect, encoding, list(wanted))

        def texts(name: str) -> list[str | None]:
            return _parse(path, dialect, encoding, [name], pa.string()).column(name).to_pylist()

        table = Columns(dialect.names, columns, texts, dialect.left_out, dialect.notes())
        return from_columns(path, "CSV", table, request)


def _head(path: Path) -> tuple[str, str]:
    """The first whole lines of the file, at least a few of them, and its encoding."""
    import pyarrow as pa

    with pa.input_stream(str(path)) as stream:
        start = more = stream.read(_HEAD_BYTES)
        while more and start.count(b"\n") < _HEAD_LINES:
            more = stream.read(_HEAD_BYTES)
            start += more
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    if encoding == "utf-8" and b"\x00" in start:
        raise FileError(
            f"{path} is not a text file, so it is not CSV. Spreadsheets (.xlsx) must be exported as CSV; "
            "if it is another format, give it that format's extension."
        )
    try:
        # An incremental decoder leaves out a character that the end of the head cuts in two.
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError:
        text, encoding = start.decode("latin-1"), "latin-1"
    whole = text if len(start) < _HEAD_BYTES else text[: text.rfind("\n") + 1] or text
    return whole.removeprefix("\ufeff"), encoding


def _read_columns(path: Path, dialect: Dialect, encoding: str, wanted: list[str]) -> list[np.ndarray]:
    import pyarrow as pa

    try:
        table = _parse(path, dialect, encoding, wanted, pa.float64())
        return [table.column(name).to_numpy() for name in wanted]
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise
    # Slow but rare: read as text, so that yes/no columns can be taken and the message can name what is in the way.
    table = _parse(path, dialect, encoding, wanted, pa.string())
    numbers = {name: _numbers(table.column(name).to_pylist(), dialect) for name in wanted}
    if text := {name: bad for name, bad in numbers.items() if isinstance(bad, str)}:
        raise DataError(text_message(path, text, [name for name in wanted if name not in text]))
    return [np.asarray(numbers[name]) for name in wanted]


def _parse(path: Path, dialect: Dialect, encoding: str, wanted: list[str], kind: Any) -> Any:
    import pyarrow.csv

    ragged = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    table = pyarrow.csv.read_csv(
        str(path),
        # With threads, a ragged row would come without its number.
        read_options=pyarrow.csv.ReadOptions(
            column_names=list(dialect.names),
            skip_rows=dialect.skip,
            encoding=encoding,
            block_size=_BLOCK_BYTES,
            use_threads=False,
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=dialect.separator, invalid_row_handler=note, newlines_in_values=True
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, kind),
            include_columns=wanted,
            decimal_point=dialect.decimal,
            null_values=_MISSING,
            strings_can_be_null=True,
        ),
    )
    if ragged:
        raise DataError(_ragged_message(path, dialect, ragged))
    return table


def _numbers(values: list[str | None], dialect: Dialect) -> list[float] | str:
    """The column as numbers (missing: NaN; true and false: 1 and 0), or the first value in the way, with its row."""
    numbers = []
    for row, value in enumerate(values):
        if value is None:
            numbers.append(float("nan"))
        elif is_number(value, dialect.decimal):
            numbers.append(float(value.replace(dialect.decimal, ".")))
        elif value.strip().lower() in _BOOLEANS:
            numbers.append(_BOOLEANS[value.strip().lower()])
        else:
            return f"{value!r} in row {row} (the first row is 0; line {row + 1 + dialect.skip} of the file)"
    return numbers


def _ragged_message(path: Path, dialect: Dialect, ragged: list[Any]) -> str:
    first = ragged[0]
    line = "" if first.number is None else f" is line {first.number}"
    return (
        f"{path} has {counted(first.expected_columns, 'column')}, but {counted(len(ragged), 'row')} of another length; "
        f"the first{line}, with {counted(first.actual_columns, 'value')}: {first.text[:80]!r}. "
        f"The separator was taken to be {dialect.separator!r}. "
        "Give every row the same number of values; quote texts that contain the separator."
    )
