"""Reference metrics by name, for estimators and the command line: built-in ones, and a user's own."""

from collections.abc import Callable

import numpy as np

from latax._by_name import by_name
from latax._errors import ConfigError
from latax.data.wording import did_you_mean
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
    elif surface.endswith(")"):  # An object's description, which is what a saved model has of it.
        raise ConfigError(
            "the surface was given as an object, which the file of a model cannot hold. Load the model in Python by "
            "latax.load(path, surface=...), or fit with its name, surface='file.py:name'."
        )
    elif ":" in surface:
        found = by_name(surface, AbstractReferenceMetric, "reference metric", "a latax.geometry.OwnReference")
    elif surface in BUILT_IN:
        found = BUILT_IN[surface](size, radius, MARGIN if bounded else None)
    else:
        raise ConfigError(
            f"There is no surface '{surface}'.{did_you_mean(surface, BUILT_IN)} Give one of {', '.join(BUILT_IN)}, or "
            "file.py:name (module:name) for your own."
        )
    if found.dim != size:
        raise ConfigError(
            f"the surface has {found.dim} coordinates, and latent_size={size}. Give latent_size={found.dim}."
        )
    return found
