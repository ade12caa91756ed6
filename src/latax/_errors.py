"""What a user can mend: every error here says what is wrong with which value, what was expected, and what to do.

The command line prints the message of a `LataxError` and leaves with status 2; anything else is a fault of ours and
leaves with status 1. Each class is also the built-in exception that a caller would expect, so plain `except ValueError`
works.
"""

from collections.abc import Sequence


class LataxError(Exception):
    """An error whose message contains its cure."""


class ConfigError(LataxError, ValueError):
    """An argument, or a combination of arguments, that cannot work."""


class DataError(LataxError, ValueError):
    """Data that cannot be used as they are: wrong shape, type or values."""


class FileError(LataxError, OSError):
    """A file or folder that is missing, damaged, foreign, in the way, or cannot be written."""


class DivergenceError(LataxError, ArithmeticError):
    """Training met a value that is not finite: because of these `rows`, where it is known which, and not of all alike.

    From an estimator they are rows of the data that it was given; from `latax.train.fit`, of its training data, or else
    of its `validation` data.
    """

    def __init__(self, message: str, *, rows: Sequence[int] = (), validation: bool = False):
        super().__init__(message)
        self.rows, self.validation = tuple(rows), validation


class DataWarning(UserWarning):
    """Data that can be used, but perhaps are not what was meant."""
