"""Reference metrics by name, for estimators and the command line: built-in ones, and a user's own."""

from collections.abc import Callable

import numpy as np

from latax._by_name import by_name, is_own
from latax._errors import ConfigError
from latax._wording import look_up
from latax.geometry import (
    AbstractReferenceMetric,
    EllipsoidMetric,
    FlatTorusMetric,
    RevolutionTorusMetric,
    SphereMetric,
)
from latax.geometry.round_metrics import MARGIN


def _revolution(size: int, radius: float, margin: float | None) -> AbstractReferenceMetric:
    if size != 2:
        raise ConfigError(f"surface='revolution' has two coordinates, and latent_size={size}. Give latent_size=2.")
    return RevolutionTorusMetric(major=radius, minor=radius / 4)


#: Name, and how to make one from the number of coordinates, a length, and the margin of its chart.
BUILT_IN: dict[str, Callable[[int, float, float | None], AbstractReferenceMetric]] = {
    "sphere": lambda size, radius, margin: SphereMetric(dim=size, radius=radius, margin=margin),
    "ellipsoid": lambda size, radius, margin: EllipsoidMetric(
        semi_axes=tuple(radius * np.linspace(0.5, 1, size + 1)), margin=margin
    ),
    "flat-torus": lambda size, radius, margin: FlatTorusMetric(radii=(radius,) * size),
    "revolution": _revolution,
}


def find_reference(
    surface: str | AbstractReferenceMetric, size: int, radius: float, *, bounded: bool
) -> AbstractReferenceMetric:
    """The reference metric that this names, or is, on `size` coordinates; `radius` and `bounded` are for built-in ones.

    Raises `ConfigError` for a name that says none, and for a metric on another number of coordinates.
    """
    if isinstance(surface, AbstractReferenceMetric):
        found = surface
    elif is_own(surface):
        example = "a latax.geometry.OwnReference"
        found = by_name(surface, AbstractReferenceMetric, "reference metric", example, "surface")
    else:
        own = "For your own give file.py:name or module:name."
        found = look_up(BUILT_IN, surface, "surface", own)(size, radius, MARGIN if bounded else None)
    if found.dim != size:
        raise ConfigError(
            f"the surface has {found.dim} coordinates, and latent_size={size}. Give latent_size={found.dim}."
        )
    return found
