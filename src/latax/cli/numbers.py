"""Numbers among the options, refused in words where they are none."""

from collections.abc import Callable
from typing import Any, get_args

import tyro

_WORDS = {int: "a whole number", float: "a number"}


def numbers_in_words() -> tyro.constructors.ConstructorRegistry:
    """For tyro: how options that take a number, or a number or nothing, are read."""
    registry = tyro.constructors.ConstructorRegistry()

    def rule(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
        members = set(get_args(info.type))
        kind = next((k for k in _WORDS if info.type is k or members == {k, type(None)}), None)
        if kind is None:
            return None
        optional = info.type is not kind
        return tyro.constructors.PrimitiveConstructorSpec(
            nargs=1,
            metavar=kind.__name__.upper(),
            instance_from_str=lambda args: None if optional and args[0] == "None" else _number(kind, args[0]),
            is_instance=lambda value: isinstance(value, kind) or (optional and value is None) or _is_whole(kind, value),
            str_from_instance=lambda value: [str(value)],
        )

    registry.primitive_rule(rule)
    return registry


def _number(kind: Callable[[str], Any], text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"it must be {_WORDS[kind]}, not {text!r}.") from None


def _is_whole(kind: type, value: Any) -> bool:
    """Whether a whole number stands where any number may."""
    return kind is float and isinstance(value, int)
