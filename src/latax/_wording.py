"""Words for messages: names that were meant, names of rows, short lists, counts; a look-up that says what there is."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from latax._errors import ConfigError

T = TypeVar("T")


def look_up(table: Mapping[str, T], name: str, what: str, more: str = "") -> T:
    """What the table has of this name. Raises `ConfigError`, with what there is, for a name that is not there.

    `what` is the kind of thing for the message, and `more` what else could be given instead.
    """
    if name not in table:
        there = f"{did_you_mean(name, table)} There are {', '.join(table)}."
        raise ConfigError(f"there is no {what} {name!r}.{there}{more and ' ' + more}")
    return table[name]


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`" Did you mean 'theta'?"`, with up to three near names, or an empty string when nothing is near."""
    by_lower: dict[str, str] = {}
    for name in known:
        by_lower.setdefault(name.lower(), name)
    near = [by_lower[match] for match in difflib.get_close_matches(wrong.lower(), by_lower, n=3, cutoff=0.6)]
    return f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """The names separated by commas; beyond `most` of them, the number of those left out."""
    names = list(names)
    more = f", ... ({len(names) - most} more)" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def row_name(row: int, labels: Sequence[str], what: str) -> str:
    """`sequence 'subject d3'` where rows have labels; else `sequence 3 (the first sequence is 0)`."""
    return f"{what} {labels[row]!r}" if labels else f"{what} {row} (the first {what} is 0)"


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 row`, `3 rows`; `plural` where an s is not enough."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
