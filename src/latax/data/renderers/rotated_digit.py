"""An image turned in its plane by a known angle: the circle R / 2πZ, with a real picture on it.

The image is taken for a smooth function of the plane (`spline_image`), which is turned exactly and then looked at on
the grid. So no angle is blurred more than another, and angles of a fraction of a pixel give the differences that they
should.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from latax._errors import DataError
from latax.data.rendered import RenderedManifold
from latax.data.renderers.canvas import check_size, pixel_centres
from latax.data.renderers.spline_image import coefficients, evaluate
from latax.geometry import FlatTorus

_BLACK = 1e-3
_TURNS = tuple(range(2, 13))
_SAME = 0.02  # the difference of two images, relative to their brightness, below which they are taken for the same


def rotated_digit(image: Shaped[np.ndarray, "..."], size: int | None = None) -> RenderedManifold:
    """Grey images (size, size, 1) of the user's own, turned; points are the angle (1,) in radians, n = 1.

    Angles are counted as by `numpy.rot90`, against the clock. The digit of the name may be any picture.

    **Arguments:**

    - `image`: (H, H), values from 0, the background, to 1. Beyond the largest circle in it it has to be black, because
      what is there would leave the picture. `numpy.pad(image, k)` makes room.
    - `size`: of the images that come out, the image's own when not given. More pixels show the same smooth function on
      a finer grid.

    Raises `DataError` for an image that is not square, not finite, not in [0, 1], not black beyond the circle, or that
    looks the same after a part of a turn, so that angles could not be told from one another; `ConfigError` for a size
    below 8.
    """
    image = _checked(image)
    side = image.shape[0]
    pixels = side if size is None else size
    check_size(pixels, 8, "a rotated image")
    spline = coefficients(image)
    half, middle = side / 2, (side - 1) / 2

    def render(angle: Float[Array, "1"]) -> Float[Array, "size size 1"]:
        x, y = pixel_centres(pixels, angle)
        cosine, sine = jnp.cos(angle[0]), jnp.sin(angle[0])
        # Where the pixel was before the turn.
        before_x, before_y = x * cosine + y * sine, y * cosine - x * sine
        return evaluate(spline, middle - half * before_y, middle + half * before_x)[..., None]

    _refuse_symmetry(render)
    return RenderedManifold(FlatTorus(2 * math.pi), render, "rotated-digit", (pixels, pixels, 1))


def _checked(image: Shaped[np.ndarray, "..."]) -> Float[np.ndarray, "side side"]:
    if image.ndim != 2 or image.shape[0] != image.shape[1]:
        raise DataError(
            f"rotated_digit: the image has shape {image.shape}. Expected a square one, (H, H), without channels; "
            "numpy.pad makes it square, and image.mean(axis=-1) grey."
        )
    image = np.asarray(image, float)
    if bad := int((~np.isfinite(image)).sum()):
        raise DataError(f"rotated_digit: {bad} pixels of the image are NaN or infinite. numpy.nan_to_num(image)?")
    if image.min() < 0 or image.max() > 1:
        raise DataError(
            f"rotated_digit: the image has values from {image.min():g} to {image.max():g}. Expected 0, black, to 1: "
            "divide by 255 if they are bytes."
        )
    middle = (image.shape[0] - 1) / 2
    row, column = np.indices(image.shape) - middle
    radius = np.where(image > _BLACK, np.hypot(row, column), 0).max()
    if radius > middle:
        raise DataError(
            f"rotated_digit: the image is not black beyond the largest circle in it, of {middle:g} pixels, and would "
            f"lose what is there when turned. numpy.pad(image, {math.ceil(radius - middle)}) makes room."
        )
    return image


def _refuse_symmetry(render) -> None:
    angles = jnp.asarray([[2 * math.pi / turns] for turns in (1, *_TURNS)], jnp.float32)
    upright, *turned = np.asarray(jax.vmap(render)(angles))
    brightness = np.linalg.norm(upright)
    for turns, other in zip(_TURNS, turned, strict=True):
        if np.linalg.norm(other - upright) <= _SAME * brightness:
            raise DataError(
                f"rotated_digit: the image looks the same after 1/{turns} of a turn, so that angles cannot be told "
                "from it. Use one without rotational symmetry, such as a 4 or a 7."
            )
