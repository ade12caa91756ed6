"""What went wrong in code that a user wrote, and where, for messages."""

import inspect
import sysconfig
import traceback
from pathlib import Path
from typing import Any

#: How the files begin that no user of latax wrote.
_INSTALLED = (
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
    str(Path(__file__).parent),
    "<frozen",
    "<@beartype",
)


def told(error: BaseException, function: Any = None) -> str:
    """The kind of error, its first line and the user's line that led to it: "NameError: name 'a' is not defined (line 5
    of /home/own.py: `return a`)".

    Where no line of the user's was run, as when `function` takes another number of arguments, it is that where
    `function` begins.
    """
    said = str(error).partition("\n")[0].strip().rstrip(".")
    return type(error).__name__ + (said and f": {said}") + _place(error, function)


def _place(error: BaseException, function: Any) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    begins = "" if code is None else code.co_filename
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == begins or not frame.filename.startswith(_INSTALLED)]
    if own:
        line = f": `{own[-1].line}`" if own[-1].line else ""
        return f" (line {own[-1].lineno} of {own[-1].filename}{line})"
    return "" if code is None else f" (line {code.co_firstlineno} of {begins})"
