"""Checks of constructor arguments that several estimators share."""

from typing import Any

import numpy as np

from latax._errors import ConfigError

#: JAX makes its keys from 32 bits; a replicate takes the next seed.
MOST_SEED = 2**31 - 1


def require_count(name: str, value: Any, *, least: int = 1) -> None:
    """Refuses anything but a whole number of at least `least`."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{name}={value!r} must be a whole number of at least {least}.")


def require_flag(name: str, value: Any) -> None:
    """Refuses anything but True and False: a text such as "no" would count as true."""
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{name}={value!r} must be True or False.")


def require_seed(value: Any) -> None:
    """Refuses anything but a whole number from 0 to `MOST_SEED`."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 0 <= value <= MOST_SEED:
        raise ConfigError(f"seed={value!r} must be a whole number from 0 to {MOST_SEED}.")


def require_positive(name: str, value: Any) -> None:
    """Refuses anything but a finite number greater than 0."""
    if not _is_number(value) or not 0 < value < np.inf:
        raise ConfigError(f"{name}={value!r} must be a number greater than 0.")


def require_not_negative(name: str, value: Any) -> None:
    """Refuses anything but a finite number of 0 or more."""
    if not _is_number(value) or not 0 <= value < np.inf:
        raise ConfigError(f"{name}={value!r} must be a number of 0 or more.")


def require_fraction(name: str, value: Any) -> None:
    """Refuses anything but a number between 0 and 1."""
    if not _is_number(value) or not 0 < value < 1:
        raise ConfigError(f"{name}={value!r} must lie between 0 and 1.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
