"""The built-in physics by name."""

import functools
from collections.abc import Callable
from typing import Any

from latax._wording import look_up
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
    own = "For a physics of your own give 'file.py:name' or 'module:name'."
    return look_up(ENTRIES, name, "built-in physics", own)(**options)
