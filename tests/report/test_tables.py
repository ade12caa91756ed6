import csv
import io
import math

import numpy as np
import pytest
import rich.console

from latax._errors import ConfigError
from latax.evaluate import Interval
from latax.report.tables import Table, cell_text, show, to_csv, to_markdown, to_rich

INTERVAL = Interval(4.1103, 4.09, 4.13, 0.95, 5)
TABLE = Table(
    "Models | on [red]digits[/red]",
    ["model", "NLL", "points", "seconds"],
    [["M-flow, a|b", INTERVAL, 12000, 1.23456], ["PCA [bold]", None, 10, math.nan]],
    "Lower is better.",
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        ("as it is", "as it is"),
        (True, "yes"),
        (12345, "12\u2009345"),
        (np.int64(7), "7"),
        (0.123456, "0.123"),
        (np.float64(2.0), "2.00"),
        (INTERVAL, "4.110 [4.090, 4.130]"),
        (Interval(3.0, None, None, 0.95, 1), "3.00"),
    ],
)
def test_cells_are_written_for_people(cell, text):
    assert cell_text(cell) == text


def test_markdown_escapes_what_would_break_the_table():
    lines = to_markdown(TABLE).splitlines()
    assert lines[2] == "| model | NLL | points | seconds |"
    assert lines[3] == "| --- | ---: | ---: | ---: |"
    assert lines[4] == "| M-flow, a\\|b | 4.110 [4.090, 4.130] | 12\u2009000 | 1.23 |"
    assert lines[-1] == "Lower is better."


def test_intervals_of_few_values_say_what_they_are():
    few, enough = Interval(2.0, 1.0, 3.0, 0.75, 3), Interval(2.0, 1.0, 3.0, 0.96875, 6)
    table = Table(
        "", ["a", "b"], [[few, INTERVAL], [few, enough], [Interval(1.0, None, None, 0.5, 2), None]], "Medians."
    )
    assert table.legend == "Medians. So few values cannot give intervals of 95 %: theirs are of 75 % for 3 values."
    assert to_markdown(table).endswith(f"\n{table.legend}\n")
    assert Table("", ["a"], [[INTERVAL]]).legend == ""


def test_csv_has_full_precision_and_four_columns_per_interval():
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows[0] == ["model", "NLL", "NLL low", "NLL high", "NLL level", "points", "seconds"]
    assert rows[1] == ["M-flow, a|b", "4.1103", "4.09", "4.13", "0.95", "12000", "1.23456"]
    assert rows[2] == ["PCA [bold]", "", "", "", "", "10", ""]


def test_the_terminal_shows_user_text_as_it_is():
    console = rich.console.Console(width=100, file=io.StringIO(), color_system=None)
    console.print(to_rich(TABLE))
    shown = console.file.getvalue()
    for text in ("Models | on [red]digits[/red]", "PCA [bold]", "4.110 [4.090, 4.130]", "Lower is better."):
        assert text in shown


def test_a_narrow_terminal_cuts_nothing_off():
    console = rich.console.Console(width=20, file=io.StringIO(), color_system=None)
    show(TABLE, console)
    shown = console.file.getvalue()
    for text in ("4.110", "[4.090,", "12\u2009000", "seconds"):
        assert text in shown
    assert console.width == 20


def test_columns_of_numbers_are_told_from_text():
    assert [TABLE.is_numeric(i) for i in range(4)] == [False, True, True, True]
    assert not Table("", ["a"], [[None]]).is_numeric(0)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(
        ConfigError, match=r"Row 1 of the table 'T' has 1 cells, but there are 2 columns \(a, b\)\. Put None"
    ):
        Table("T", ["a", "b"], [[1, 2], [3]])
