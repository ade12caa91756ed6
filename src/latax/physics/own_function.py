"""Functions that a user wrote, called such that a mistake in them is told as his."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax

from latax._errors import ConfigError, LataxError
from latax._own_code import told
from latax._wording import did_you_mean
from latax.physics.names import function_name


def called(function: Callable[..., Any], **arguments: Any) -> Any:
    """What a user's function gives for these arguments, which it takes by their order.

    Raises `ConfigError` where it fails, and where it asks JAX for a value that is not known yet: with the line, and how
    it was called.
    """
    try:
        return function(*arguments.values())
    except LataxError:
        raise
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
        raise ConfigError(
            f"the function '{function_name(function)}' of the physics cannot be compiled: {told(error, function)}. "
            "Write it with jax.numpy instead of numpy and math, and with jax.numpy.where instead of if."
        ) from error
    except Exception as error:
        arguments = dict(zip(_names(function, arguments), arguments.values(), strict=True))
        raise ConfigError(
            f"the function '{function_name(function)}' of the physics fails: {told(error, function)}."
            f"{_meant(error, function, arguments)} It is called with ({', '.join(arguments)}){_fields(arguments)}."
        ) from error


def _names(function: Callable[..., Any], arguments: Mapping[str, Any]) -> list[str]:
    """What the user calls the arguments; as they are called here where he takes another number of them."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return names if len(names) == len(arguments) else list(arguments)


def _fields(arguments: Mapping[str, Any]) -> str:
    """`, where y has position, velocity and p has stiffness`."""
    fields = {name: getattr(value, "_fields", ()) for name, value in arguments.items()}
    said = " and ".join(f"{name} has {', '.join(has)}" for name, has in fields.items() if has)
    return said and f", where {said}"


def _meant(error: Exception, function: Callable[..., Any], arguments: Mapping[str, Any]) -> str:
    """What may have been meant by a name that is not there."""
    if not isinstance(error, AttributeError | NameError) or not error.name:
        return ""
    if isinstance(error, AttributeError):
        return did_you_mean(error.name, [name for name in dir(error.obj) if not name.startswith("_")])
    for argument, value in arguments.items():
        if error.name in getattr(value, "_fields", ()):
            return f" Write {argument}.{error.name}."
    return did_you_mean(error.name, [*arguments, *getattr(function, "__globals__", ())])
