"""Names that the user gives, and the named tuples made of them, in which his functions get their arguments."""

import functools
import keyword
from collections import namedtuple
from collections.abc import Sequence

from latax._errors import ConfigError


def check_names(names: Sequence[str], what: str) -> None:
    """Raise `ConfigError` if a name cannot be written as `p.name`, or is there twice; `what` says of what they are."""
    for i, name in enumerate(names):
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise ConfigError(
                f"{name!r} cannot be the name of a {what}: it has to be a Python name, of letters, digits and "
                "underscores, that begins with a letter and is no keyword."
            )
        if name in names[:i]:
            raise ConfigError(f"there are two {what}s with the name '{name}'; every {what} needs a name of its own.")


def name_tuple(given: Sequence[str], what: str) -> tuple[str, ...]:
    """The names that were given for `what`. Raises `ConfigError` for a single text, whose letters are no names."""
    if isinstance(given, str):
        raise ConfigError(f"{what}={given!r} is a text; expected a list of names: {what}=[{given!r}].")
    return tuple(given)


def positions(chosen: Sequence[str], names: Sequence[str], what: str, kind: str) -> tuple[int, ...]:
    """Where the chosen names are among `names`, each that of a `kind`, such as a state.

    Raises `ConfigError` for one that is not, or is chosen twice.
    """
    for i, name in enumerate(chosen):
        if name not in names:
            raise ConfigError(f"{what}: there is no {kind} '{name}'; the {kind}s are {', '.join(names)}.")
        if name in chosen[:i]:
            raise ConfigError(f"{what}: the {kind} '{name}' is given twice.")
    return tuple(names.index(name) for name in chosen)


@functools.cache
def tuple_class(name: str, fields: tuple[str, ...]) -> type:
    """The named tuple with these fields: one class for each set of names, so that trees made of them match."""
    return namedtuple(name, fields)  # pyright: ignore[reportUntypedNamedTuple]


def function_name(function: object) -> str:
    """What a user calls this function."""
    return getattr(function, "__qualname__", type(function).__name__)
