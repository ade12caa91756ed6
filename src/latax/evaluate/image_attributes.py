"""What can be seen in an image of one object without a model: where it is, how large, how long, how turned, its hue."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError


class ImageAttributes(NamedTuple):
    """Attributes of N sequences of T images, each (N, T), from moments of their brightness.

    The brightness of a colour is that of its strongest channel, so it is the same for all hues.

    `x`, `y`: the centre of mass, in pixels, x to the right and y down; `size`: the root of the mass, a length; `long`:
    from 0 for a shape that is as wide in all directions to 1 for a line; `turned`: the angle in radians by which the
    long axis has turned since the first image, each part of it times `long`, so that what has no long axis cannot turn;
    `hue`: the angle in radians of the mean colour, unwrapped along the sequence, zeros for grey images. Not a number
    where an image is empty.
    """

    x: Float[np.ndarray, "N T"]
    y: Float[np.ndarray, "N T"]
    size: Float[np.ndarray, "N T"]
    long: Float[np.ndarray, "N T"]
    turned: Float[np.ndarray, "N T"]
    hue: Float[np.ndarray, "N T"]


def image_attributes(images: Float[np.ndarray, "N T height width c"]) -> ImageAttributes:
    """The attributes of images with one channel or three. Negative values count as zero.

    Raises `DataError` for other numbers of channels.
    """
    height, width, channels = images.shape[2:]
    if channels not in (1, 3):
        raise DataError(f"The images have {channels} channels; expected one for grey, or three for colour.")
    values = np.maximum(images.astype(np.float64), 0)
    grey = values.max(axis=4)
    mass = grey.sum(axis=(2, 3))
    mass = np.where(mass > 0, mass, np.nan)
    across, down = np.arange(width), np.arange(height)
    x = np.einsum("nthw,w->nt", grey, across) / mass
    y = np.einsum("nthw,h->nt", grey, down) / mass
    right, below = across - x[..., None], down - y[..., None]
    xx = np.einsum("nthw,ntw->nt", grey, right**2) / mass
    yy = np.einsum("nthw,nth->nt", grey, below**2) / mass
    xy = np.einsum("nthw,nth,ntw->nt", grey, below, right) / mass
    spread = np.maximum(xx + yy, np.finfo(float).tiny)
    long = np.hypot(xx - yy, 2 * xy) / spread
    angle = np.arctan2(2 * xy, xx - yy) / 2
    # An axis looks the same after half a turn.
    steps = (np.diff(angle, axis=1) + np.pi / 2) % np.pi - np.pi / 2
    parts = steps * (long[:, 1:] + long[:, :-1]) / 2
    turned = np.concatenate([np.zeros((len(x), 1)), np.cumsum(parts, axis=1)], axis=1)
    hue = np.zeros_like(x)
    if channels == 3:
        red, green, blue = np.moveaxis(values.sum(axis=(2, 3)), 2, 0)
        hue = np.unwrap(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue), axis=1)
    return ImageAttributes(x, y, np.sqrt(mass), long, turned, hue)
