"""One table for the terminal, Markdown, CSV and the HTML report.

Cells are text, numbers, intervals, or None where there is nothing; how each is written is decided here, once.
"""

import csv
import io
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from latax._errors import ConfigError
from latax.evaluate.stats import Interval, format_number

if TYPE_CHECKING:
    import rich.console
    import rich.table

#: Intervals of a lower level are told.
_USUAL = 0.949
Cell = str | int | float | bool | np.integer | np.floating | Interval | None


@dataclass(frozen=True)
class Table:
    """A titled table: one name per column, one cell per column in each row, and a sentence that says how to read it.

    Raises `ConfigError` if a row has another number of cells than there are columns.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ConfigError(
                    f"Row {i} of the table {self.title!r} has {len(row)} cells, but there are "
                    f"{len(self.columns)} columns ({', '.join(self.columns)}). Put None where there is nothing to show."
                )

    def text_rows(self) -> list[list[str]]:
        """The cells as they are shown to people."""
        return [[cell_text(cell) for cell in row] for row in self.rows]

    @property
    def legend(self) -> str:
        """The caption, and where so few values cannot give intervals of 95 %, what theirs are."""
        cells = [cell for row in self.rows for cell in row if isinstance(cell, Interval) and cell.low is not None]
        lower = sorted({(cell.n, cell.level) for cell in cells if cell.level < _USUAL})
        each = [f"{100 * level:.3g} % for {n} values" for n, level in lower]
        note = f"So few values cannot give intervals of 95 %: theirs are of {', '.join(each)}." if each else ""
        return " ".join(filter(None, (self.caption, note)))

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers only (or nothing), so that it is aligned to the right."""
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and all(not isinstance(cell, str | bool) for cell in cells)


def cell_text(cell: Cell) -> str:
    """How a cell is shown: numbers with three significant digits, intervals with their bounds, nothing as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, Interval):
        return cell.short()
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, numbers.Integral):
        return f"{int(cell):,}".replace(",", "\u2009")
    return format_number(float(cell))


def to_rich(table: Table) -> "rich.table.Table":
    """The table for a terminal."""
    import rich.box
    import rich.markup
    import rich.table

    def plain(text: str) -> str:
        return rich.markup.escape(text)

    shown = rich.table.Table(
        title=plain(table.title) or None,
        caption=plain(table.legend) or None,
        box=rich.box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    rows = table.text_rows()
    for i, column in enumerate(table.columns):
        words = [word for text in (column, *(row[i] for row in rows)) for word in text.split()]
        longest = min(max(map(len, words), default=1), 14)
        justify = "right" if table.is_numeric(i) else "left"
        shown.add_column(plain(column), justify=justify, overflow="fold", min_width=longest)
    for row in rows:
        shown.add_row(*(plain(cell) for cell in row))
    return shown


def show(table: Table, console: "rich.console.Console") -> None:
    """Prints the table. On a terminal too narrow for it lines run over, and nothing is cut off."""
    shown, width = to_rich(table), console.width
    console.width = max(width, console.measure(shown, options=console.options.update(width=1000)).minimum)
    try:
        console.print(shown, crop=False)
    finally:
        console.width = width


def to_markdown(table: Table) -> str:
    """The table in GitHub's Markdown, with its title and caption."""
    header = [_markdown_cell(column) for column in table.columns]
    rules = ["---:" if table.is_numeric(i) else "---" for i in range(len(header))]
    rows = [[_markdown_cell(cell) for cell in row] for row in table.text_rows()]
    lines = ["| " + " | ".join(cells) + " |" for cells in [header, rules, *rows]]
    title = [f"**{table.title}**", ""] if table.title else []
    caption = ["", table.legend] if table.legend else []
    return "\n".join([*title, *lines, *caption]) + "\n"


def to_csv(table: Table) -> str:
    """The table for machines: full precision, nothing as empty, an interval as x, x low, x high, x level."""
    wide = [any(isinstance(row[i], Interval) for row in table.rows) for i in range(len(table.columns))]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    columns = zip(table.columns, wide, strict=True)
    writer.writerow([name for c, w in columns for name in ([c, f"{c} low", f"{c} high", f"{c} level"] if w else [c])])
    for row in table.rows:
        writer.writerow([value for cell, w in zip(row, wide, strict=True) for value in _csv_cells(cell, w)])
    return file.getvalue()


def _csv_cells(cell: Cell, wide: bool) -> list[object]:
    values: list[object] = [cell, *[None] * (3 * wide)]
    if isinstance(cell, Interval):
        values = [cell.estimate, cell.low, cell.high, None if cell.low is None else cell.level]
    return ["" if v is None or (isinstance(v, float) and math.isnan(v)) else v for v in values]


def _markdown_cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
