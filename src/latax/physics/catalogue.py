"""The built-in physics by name."""

import difflib
import functools
from collections.abc import Callable
from typing import Any

from latax._errors import ConfigError
from latax.physics.advection_diffusion import advection_diffusion
from latax.physics.exponential_disc import exponential_disc
from latax.physics.pendulum import pendulum
from latax.physics.physics import AbstractPhysics

ENTRIES: dict[str, Callable[..., AbstractPhysics]] = {
    "pendulum": pendulum,
    "advection-diffusion": advection_diffusion,
    "exponential-disc": exponential_disc,
}


@functools.cache
def get(name: str, **options: Any) -> AbstractPhysics:
    """The built-in physics `name` with its options, every time the same object.

    Raises `ConfigError` for an unknown name.
    """
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=1)
        raise ConfigError(
            f"there is no built-in physics '{name}'.{f' Did you mean {near[0]!r}?' if near else ''} There are "
            f"{', '.join(ENTRIES)}. For a physics of your own give 'file.py:name' or 'module:name'."
        )
    return ENTRIES[name](**options)
