"""A user's own objects by name: `file.py:name` or `package.module:name`."""

import functools
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from latax._errors import ConfigError, FileError, LataxError
from latax._own_code import told

_USERS = "latax_user_"


def is_own(name: str) -> bool:
    """Whether this says an object of a user's own: `file.py:name`, or the description that a saved model has of one."""
    return ":" in name or is_description(name)


def is_description(name: str) -> bool:
    """Whether this is the description of an object that was given in Python, which names nothing."""
    return name.endswith(")")


def by_name(name: str, kind: type | tuple[type, ...], what: str, example: str, argument: str | None = None) -> Any:
    """The object of this kind, or of one of several, that a `name` for which `is_own` says.

    `what` it is, an `example`, and the `argument` that it is given as, if that is called otherwise, are for people.

    What is found there is such an object, or a function without arguments that makes one. Raises `FileError` when there
    is no such file, `ConfigError` when it cannot be imported or holds no such object.
    """
    argument = argument or what
    if is_description(name):
        raise ConfigError(
            f"the {what} was given as an object, which the file of a model cannot hold. Load the model in Python by "
            f"latax.load(path, {argument}=...), or fit with its name, {argument}='file.py:name'."
        )
    where, _, attribute = name.rpartition(":")
    if not where or not attribute:
        raise ConfigError(f"'{name}' does not say where a {what} is; write 'file.py:name' or 'package.module:name'.")
    module = _from_file(Path(where).expanduser(), what, argument) if where.endswith(".py") else _from_path(where)
    if attribute not in vars(module):
        candidates = [key for key, value in vars(module).items() if isinstance(value, kind)]
        found = f" It holds the {what} {', '.join(candidates)}." if candidates else ""
        raise ConfigError(f"{where} has nothing by the name '{attribute}'.{found}")
    return _made(vars(module)[attribute], module, name, kind, what, example)


def anywhere(name: str) -> str:
    """The name such that it says the same in every folder: `file.py:name` with the file's whole path, else as it is."""
    where, _, attribute = name.rpartition(":")
    return f"{Path(where).expanduser().absolute()}:{attribute}" if where.endswith(".py") else name


def _made(found: Any, module: ModuleType, name: str, kind: type | tuple[type, ...], what: str, example: str) -> Any:
    made = found
    if not isinstance(found, kind) and callable(found) and _may_be_called(found, module):
        try:
            made = found()
        except Exception as error:
            if _takes_nothing(found):
                raise ConfigError(f"'{name}' makes no {what}: {_said(error, found)}") from error
            raise ConfigError(
                f"'{name}' is no {what}, and cannot be called without arguments to make one ({error}). "
                f"Name {example}, or a function without arguments that returns one."
            ) from error
    if not isinstance(made, kind):
        raise ConfigError(
            f"'{name}' is a {type(made).__name__}; expected a {what}: {example}, "
            "or a function without arguments that returns one."
        )
    return made


def _said(error: Exception, function: Any = None) -> str:
    """What went wrong, where that is not said already."""
    return str(error) if isinstance(error, LataxError) else f"{told(error, function)}."


def _takes_nothing(function: Any) -> bool:
    """Whether it can be called without arguments, or says nothing about that."""
    try:
        inspect.signature(function).bind()
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _may_be_called(found: object, module: ModuleType) -> bool:
    """In a user's file anything; of a package only its own, since a name may come from the file of a model."""
    of_package = module.__name__.partition(".")[0]
    return module.__name__.startswith(_USERS) or str(getattr(found, "__module__", "")).partition(".")[0] == of_package


def _from_path(dotted: str) -> ModuleType:
    try:
        return importlib.import_module(dotted)
    except ImportError as error:
        raise ConfigError(
            f"the module '{dotted}' cannot be imported: {error}. For a file of your own give its path, 'file.py:name'."
        ) from error
    except Exception as error:
        raise ConfigError(f"the module '{dotted}' cannot be run: {_said(error)}") from error


def _from_file(path: Path, what: str, argument: str) -> ModuleType:
    if not path.is_file():
        place = f"{path}" if path.is_absolute() else f"{path} in {Path.cwd()}"
        raise FileError(
            f"there is no file {place} to take a {what} from. Check the name and the folder; for a model that was "
            "fitted with it, put it back there, or say where it is now: latax.load(path, "
            f"{argument}='file.py:name'), or in the model's config.json."
        )
    status = path.stat()
    return _run(path.resolve(), status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _run(path: Path, modified: int, size: int) -> ModuleType:
    """The module of a file, run once for each of its versions, with what lies beside it importable as in a script."""
    spec = importlib.util.spec_from_file_location(_USERS + path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise ConfigError(f"{path} cannot be run: {_said(error)}") from error
    finally:
        sys.path.remove(str(path.parent))
    return module
