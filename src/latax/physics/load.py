"""A user's physics by name: `file.py:name`, `module:name`, or one of the catalogue."""

from latax._by_name import by_name
from latax._errors import ConfigError
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
    if ":" not in name:
        return catalogue.get(name)
    return by_name(name, AbstractPhysics, "physics", "an ODE, PDE or ClosedForm")
