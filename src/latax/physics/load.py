"""A user's physics by name: `file.py:name`, `module:name`, or one of the catalogue."""

from latax._by_name import by_name, is_own
from latax.physics import catalogue
from latax.physics.physics import AbstractPhysics


def load(name: str) -> AbstractPhysics:
    """The physics that `name` says: a name of the catalogue, `file.py:name` or `package.module:name`.

    What is found there is a physics, or a function without arguments that makes one. Raises `FileError` when there is
    no such file, `ConfigError` when it cannot be imported or holds no such physics.
    """
    if is_own(name):
        return by_name(name, AbstractPhysics, "physics", "an ODE, PDE or ClosedForm")
    return catalogue.get(name)
