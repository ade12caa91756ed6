"""A picture as a smooth function of the plane: cubic B-splines through its pixels."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

_REACH = 2  # pixels, of a cubic B-spline to either side


def coefficients(image: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """Those of the spline that interpolates the image, limited to [0, 1].

    A spline is a mean of its coefficients, so it stays in [0, 1] too, and those amid black pixels are set to zero, so
    that it is black there. Where this changes nothing, as in images that are smooth at the scale of a pixel, it passes
    through all pixels; beside hard edges it is a little softer than they.
    (Unser, Aldroubi and Eden, "B-spline signal processing", IEEE Transactions on Signal Processing, 1993.)
    """
    from scipy.ndimage import maximum_filter, spline_filter

    # Interpolation overshoots at an edge, to both sides in turn: what is above 0 in the black would be spots.
    near = maximum_filter(image, size=3, mode="constant") > 0
    return np.where(near, np.clip(spline_filter(image, order=3, mode="mirror"), 0, 1), 0)


def evaluate(
    coefficients: Float[np.ndarray, "height width"], row: Float[Array, "..."], column: Float[Array, "..."]
) -> Float[Array, "..."]:
    """The spline at these places, in pixels from the centre of the first one; it is zero outside of the image.

    Twice continuously differentiable.
    """
    height, width = coefficients.shape
    # Zeros all around, so that every place on the screen of a turned image has sixteen neighbours.
    margin = math.ceil(max(height, width) / 2) + _REACH + 1
    padded = jnp.asarray(np.pad(coefficients, margin), row.dtype)
    top, down = _cell(row, height, margin)
    left, right = _cell(column, width, margin)
    around = padded[_next_four(top)[..., :, None], _next_four(left)[..., None, :]]
    return jnp.einsum("...i,...ij,...j->...", _weights(down), around, _weights(right))


def _cell(place: Float[Array, "..."], length: int, margin: int) -> tuple[Int[Array, "..."], Float[Array, "..."]]:
    """The first of the four pixels (of the padded image) around a place, and how far it is beyond the second."""
    place = jnp.clip(place, -_REACH - 0.5, length + _REACH - 0.5)
    below = jnp.floor(place)
    return below.astype(jnp.int32) - 1 + margin, place - below


def _next_four(first: Int[Array, "..."]) -> Int[Array, "... 4"]:
    return jnp.stack([first, first + 1, first + 2, first + 3], axis=-1)


def _weights(t: Float[Array, "..."]) -> Float[Array, "... 4"]:
    pieces = (1 - t) ** 3 / 6, 2 / 3 - t**2 * (2 - t) / 2, 2 / 3 - (1 - t) ** 2 * (1 + t) / 2, t**3 / 6
    return jnp.stack(pieces, axis=-1)
