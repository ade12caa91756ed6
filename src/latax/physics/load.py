"""A user's physics by name: `file.py:name`, `module:name`, or one of the catalogue."""

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from latax._errors import ConfigError, FileError
from latax.physics import catalogue
from latax.physics.physics import AbstractPhysics


def load(name: str) -> AbstractPhysics:
    """The physics that `name` says: a name of the catalogue, `file.py:name` or `package.module:name`.

    What is found there is a physics, or a function without arguments that makes one. Raises `FileError` when there is
    no such file, `ConfigError` when it cannot be imported or holds no such physics.
    """
    if name.endswith(")"):  # An object's description, which is what a saved model has of it.
        raise ConfigError(
            "the physics was given as an object, which the file of a model cannot hold. Load the model in Python by "
            "latax.load(path, physics=...), or fit with the name of the physics, physics='file.py:name'."
        )
    where, colon, attribute = name.rpartition(":")
    if not colon:
        return catalogue.get(name)
    if not where or not attribute:
        raise ConfigError(f"'{name}' does not say where a physics is; write 'file.py:name' or 'package.module:name'.")
    module = _from_file(Path(where).expanduser()) if where.endswith(".py") else _from_path(where)
    if attribute not in vars(module):
        candidates = [key for key, value in vars(module).items() if isinstance(value, AbstractPhysics)]
        found = f" It holds the physics {', '.join(candidates)}." if candidates else ""
        raise ConfigError(f"{where} has nothing by the name '{attribute}'.{found}")
    return _physics(vars(module)[attribute], name)


def _physics(found: object, name: str) -> AbstractPhysics:
    if not isinstance(found, AbstractPhysics) and callable(found):
        try:
            found = found()
        except TypeError as error:
            raise ConfigError(
                f"'{name}' is no physics, and cannot be called without arguments to make one ({error}). "
                "Name an ODE, PDE or ClosedForm, or a function without arguments that returns one."
            ) from error
    if not isinstance(found, AbstractPhysics):
        raise ConfigError(
            f"'{name}' is a {type(found).__name__}; expected a physics: an ODE, PDE or ClosedForm, "
            "or a function without arguments that returns one."
        )
    return found


def _from_path(dotted: str) -> ModuleType:
    try:
        return importlib.import_module(dotted)
    except ImportError as error:
        raise ConfigError(
            f"the module '{dotted}' cannot be imported: {error}. For a file of your own give its path, 'file.py:name'."
        ) from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileError(
            f"there is no file {path} in {Path.cwd()} to take a physics from. Check the name and the folder."
        )
    status = path.stat()
    return _run(path.resolve(), status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _run(path: Path, modified: int, size: int) -> ModuleType:
    """The module of a file, run once for each of its versions, with what lies beside it importable as in a script."""
    spec = importlib.util.spec_from_file_location(f"latax_user_physics_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise ConfigError(f"{path} cannot be run: {type(error).__name__}: {error}.") from error
    finally:
        sys.path.remove(str(path.parent))
    return module
