"""The grid that renderers draw on: square pixels that tile [-1, 1]², x to the right and y up."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError

Plane = Float[Array, "size size"]

# The standard deviation, in pixels, of the soft spot that a pixel sees. Half a pixel keeps what a shift by a fraction
# of one does to an image nearly the same wherever the shift begins, which is all that anti-aliasing asks for.
FOOTPRINT = 0.5


def pixel_centres(size: int, like: Float[Array, "..."]) -> tuple[Plane, Plane]:
    """x and y of the centres, in the type of `like`; y is largest in the first row."""
    axis = (2 * np.arange(size) + 1) / size - 1
    x, y = np.meshgrid(axis, -axis)
    return jnp.asarray(x, like.dtype), jnp.asarray(y, like.dtype)


def pixel_width(size: int) -> float:
    """In half widths of the image."""
    return 2 / size


def check_size(size: int, least: int, what: str) -> None:
    """Raise `ConfigError` for an image too small for its content."""
    if size < least:
        raise ConfigError(
            f"{what} of {size} by {size} pixels: details would fall between the pixels, and different points of the "
            f"manifold have the same image. Take a size of at least {least}; 32 is the default."
        )
