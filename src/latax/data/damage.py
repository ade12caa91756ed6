"""Turning a library's error about a broken file into one that says what to do."""

import contextlib
from collections.abc import Generator
from pathlib import Path

from latax._errors import FileError, LataxError


@contextlib.contextmanager
def damage_reported(path: Path | str, kind: str, errors: tuple[type[Exception], ...]) -> Generator[None, None, None]:
    """Raise `FileError` with a cure when one of `errors` comes up within the block; our own errors pass."""
    try:
        yield
    except LataxError:
        raise
    except errors as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise FileError(
            f"{path} cannot be read as {kind}: it is damaged, cut short or another kind of file ({reason}). "
            "Copy or download it again, or write it again."
        ) from error
