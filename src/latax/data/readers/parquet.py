"""Apache Parquet: a table with typed columns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latax._errors import DataError
from latax.data.damage import damage_reported
from latax.data.memory import require_memory
from latax.data.request import Request
from latax.data.samples import Samples
from latax.data.table import Columns, from_columns, text_message


def read(path: Path, request: Request) -> Samples:
    """One sample per row, one variable per column; the context is other columns. Missing values are NaN."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with damage_reported(path, "Parquet", (pa.ArrowException, OSError)):
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
        require_memory(8 * rows * len(schema.names), str(path))

        def columns(wanted: Sequence[str]) -> list[np.ndarray]:
            with pq.ParquetFile(path) as file:
                return _numbers(path, file.read(columns=list(wanted)), wanted)

        def texts(name: str) -> list[str | None]:
            with pq.ParquetFile(path) as file:
                values = file.read(columns=[name]).column(name).to_pylist()
            return [None if value is None else str(value) for value in values]

        labels = tuple(name for name in (schema.pandas_metadata or {}).get("index_columns", ()) if name in schema.names)
        notes = (f"row labels {labels[0]!r} left out",) if labels else ()
        return from_columns(path, "Parquet", Columns(tuple(schema.names), columns, texts, labels, notes), request)


def _place(row: int, value: Any, kind: Any) -> str:
    return f"{value!r} in row {row} (the first row is 0; type {kind})"


def _numbers(path: Path, table: Any, wanted: Sequence[str]) -> list[np.ndarray]:
    """The columns as NumPy arrays; `DataError` names those that are not numbers, with the first value."""
    import pyarrow as pa

    arrays, text = {}, {}
    for name in wanted:
        column = table.column(name)
        kind = column.type
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        elif pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        elif not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            first = next(((i, value) for i, value in enumerate(column.to_pylist()) if value is not None), None)
            text[name] = f"(its type is {kind})" if first is None else _place(*first, kind)
            continue
        arrays[name] = column.to_numpy()
    if text:
        raise DataError(text_message(path, text, list(arrays)))
    return list(arrays.values())
