"""How a CSV file is written: separator, decimal mark, header, row labels, guessed from its first lines.

What a person would see at a glance: the separator is the one that splits every line into the same number of fields,
most of them numbers; the first line is a header when it has words where the lines below have numbers.
"""

import csv
import dataclasses
import re
from collections import Counter

SEPARATORS = (",", ";", "\t", "|", " ")
_LINES = 200
_ROW_LABELS = "row label"
_COUNTING = 3  # A line of so many numbers 0, 1, 2, ... is a header.
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_MISSING = {"", "na", "n/a", "nan", "-nan", "null", "none", "#n/a"}


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How to read a CSV file.

    `names` has one name per column; `skip` counts the lines before the first row of data; `left_out` are the names of
    columns that are not data: an unnamed first column, which labels the rows, and unnamed empty ones.
    """

    separator: str
    decimal: str
    names: tuple[str, ...]
    has_header: bool
    skip: int
    left_out: tuple[str, ...]

    def notes(self) -> tuple[str, ...]:
        """What differs from the plain case (commas, points, header, no row labels), in words."""
        found = []
        if self.separator != ",":
            found.append(f"separator {self.separator!r}")
        if self.decimal == ",":
            found.append("decimal commas")
        if not self.has_header:
            found.append(f"no header: columns named {self.names[0]} to {self.names[-1]}")
        kept = [name for name in self.names if name not in self.left_out]
        if self.has_header and _counted_columns(kept) >= _COUNTING:
            found.append(f"the first line, {kept[0]} to {kept[-1]}, taken as numbers of the columns and not as a row")
        if _ROW_LABELS in self.left_out:
            found.append("the unnamed first column taken as row labels and left out")
        if empty := [name for name in self.left_out if name != _ROW_LABELS]:
            found.append(f"{len(empty)} empty column{'s' * (len(empty) > 1)} left out")
        return tuple(found)


def guess_dialect(text: str, preferred: str = ",") -> Dialect | None:
    """The dialect of a file that begins with `text` (whole lines); None when it has no line but comments and blanks.

    `preferred` is the separator to take when several fit equally well.
    """
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if start is None:
        return None
    body = [line for line in lines[start:] if line.strip()][:_LINES]
    order = [preferred, *(separator for separator in SEPARATORS if separator != preferred)]
    separator = max(order, key=lambda candidate: _fit(body, candidate))
    rows = _fields(body, separator)
    decimal = _decimal_mark(rows, separator)
    width = Counter(len(row) for row in rows[1:] or rows).most_common(1)[0][0]
    has_header = _is_header(rows, decimal)
    header, skip = (rows[0], start + 1) if has_header else (_comment_header(lines[:start], separator, width), start)
    if len(header) == width - 1 and has_header:
        header = ["", *header]  # As R writes tables: the column of row labels has no name.
    names = _unique(header) if header else tuple(f"x{j}" for j in range(width))
    below = rows[1:] if has_header else rows
    unnamed = [j for j in range(width) if j < len(header) and not header[j].strip()]
    empty = [j for j in unnamed if below and not any(row[j : j + 1] and row[j].strip() for row in below)]
    left_out = tuple(names[j] for j in unnamed if j in empty or names[j] == _ROW_LABELS)
    return Dialect(separator, decimal, names, bool(header), skip, left_out)


def is_number(field: str, decimal: str = ".") -> bool:
    """Whether the field is a number, in the way `decimal` says."""
    field = field.strip()
    if decimal == ",":
        field = field.replace(",", ".")
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field


def _fields(lines: list[str], separator: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:  # A field too long to be one: this separator does not split the lines.
        return [[line] for line in lines]


def _fit(lines: list[str], separator: str) -> float:
    """How well a separator fits: the share of lines of the usual width plus the share of fields that are numbers."""
    rows = _fields(lines, separator)
    width, count = Counter(len(row) for row in rows).most_common(1)[0]
    if width == 1:
        return 0.0
    fields = [field for row in rows[1:] or rows for field in row if field.strip()]
    decimal = _decimal_mark(rows, separator)
    return count / len(rows) + sum(is_number(field, decimal) for field in fields) / max(1, len(fields))


def _decimal_mark(rows: list[list[str]], separator: str) -> str:
    if separator == ",":
        return "."
    fields = [field.strip() for row in rows for field in row]
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(field)) for field in fields)
    return "," if commas > sum("." in field and is_number(field) for field in fields) else "."


def _is_header(rows: list[list[str]], decimal: str) -> bool:
    first, rest = rows[0], rows[1:]
    words = [bool(f.strip()) and not is_number(f, decimal) and f.strip().lower() not in _MISSING for f in first]
    if all(words):
        return True
    if counted := _counted_columns(first):
        # Two whole numbers above whole numbers may be a row; three that count hardly are.
        return (counted >= _COUNTING and bool(rest)) or any(not f.strip().isdigit() for row in rest for f in row)
    return any(
        word and rest and all(j < len(row) and is_number(row[j], decimal) for row in rest)
        for j, word in enumerate(words)
    )


def _counted_columns(first: list[str]) -> int:
    """How many columns the first line counts if it is 0, 1, 2, ..., the header that pandas gives to a table without
    names; else 0."""
    numbers = first[1:] if not first[0].strip() else first
    return len(numbers) if len(first) > 1 and numbers == [str(i) for i in range(len(numbers))] else 0


def _comment_header(comments: list[str], separator: str, width: int) -> list[str]:
    """Names from the last comment line above the data, as numpy.savetxt(header=...) writes them."""
    if not comments or not comments[-1].startswith("#"):
        return []
    fields = _fields([comments[-1].lstrip("# ")], separator)
    words = fields and len(fields[0]) == width and not any(is_number(field) for field in fields[0])
    return fields[0] if words else []


def _unique(header: list[str]) -> tuple[str, ...]:
    """Stripped names; `row label` for an unnamed first column, `x3` for others; repeated ones get .1, .2, ..."""
    names: dict[str, None] = {}
    for j, name in enumerate(header):
        name = name.strip() or (_ROW_LABELS if j == 0 and len(header) > 1 else f"x{j}")
        repeat = 0
        while (f"{name}.{repeat}" if repeat else name) in names:
            repeat += 1
        names[f"{name}.{repeat}" if repeat else name] = None
    return tuple(names)
