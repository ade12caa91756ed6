"""A solid toy that turns in space, seen from far away: the rotations SO(3).

It is made of ellipsoids in different colours, and no rotation but none at all takes it to itself; a symmetry would make
the images those of a quotient of SO(3). Pieces are drawn as in Gaussian splatting (Kerbl, Kopanas, Leimkühler and
Drettakis, "3D Gaussian splatting for real-time radiance field rendering", 2023), whose orthographic projections are
exact, with two changes that make the image analytic in the rotation: optical depths add, and which piece is in front is
a soft choice by depth instead of a sorted one.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax.data.rendered import RenderedManifold
from latax.data.renderers.canvas import FOOTPRINT, Plane, check_size, pixel_centres, pixel_width
from latax.data.samples import Samples
from latax.geometry import SO3

_SOLID = 12.0  # optical depth through the middle of a piece
_RIM = 2.2  # standard deviations from there to where a piece ends for the eye
_DEPTH_BLUR = 0.1  # the difference of depth, in half widths, over which one piece comes before another
_LIGHT = np.array([-0.4, 0.5, 0.77])
_AMBIENT = 0.25  # the brightness of what faces away from the light


class _Piece(NamedTuple):
    """An ellipsoid with the axes of the body, in half widths of the image; colour is red, green, blue."""

    centre: tuple[float, float, float]
    half_axes: tuple[float, float, float]
    colour: tuple[float, float, float]


# An aeroplane: mirror symmetric but for its colours, so that the eye knows at once how it is turned.
PIECES = (
    _Piece((0.0, 0.0, 0.0), (0.68, 0.15, 0.15), (0.95, 0.93, 0.88)),
    _Piece((0.08, 0.44, 0.02), (0.17, 0.40, 0.06), (0.95, 0.22, 0.18)),
    _Piece((0.08, -0.44, 0.02), (0.17, 0.40, 0.06), (0.15, 0.50, 0.98)),
    _Piece((-0.56, 0.0, 0.22), (0.13, 0.06, 0.22), (0.20, 0.85, 0.35)),
    _Piece((0.66, 0.0, -0.02), (0.11, 0.11, 0.11), (1.0, 0.78, 0.15)),
)


def rotating_object(size: int = 32) -> RenderedManifold:
    """Images (size, size, 3), red, green and blue, before black; points are rotation matrices (3, 3), n = 3.

    A rotation takes the body's coordinates to the viewer's: x to the right, y up, z towards the viewer. Without a
    turn the toy is seen from above with its nose to the right.

    Raises `ConfigError` for a size below 16.
    """
    check_size(size, 16, "a rotating object")
    blur = (FOOTPRINT * pixel_width(size)) ** 2

    def render(rotation: Float[Array, "3 3"]) -> Float[Array, "size size 3"]:
        return draw(rotation, PIECES, size, blur)

    return RenderedManifold(SO3(), render, "rotating-object", (size, size, 3))


def draw(
    rotation: Float[Array, "3 3"], pieces: tuple[_Piece, ...], size: int, blur: float
) -> Float[Array, "size size 3"]:
    """These pieces, turned; `blur` is the variance of a pixel's footprint, in half widths squared."""
    x, y = pixel_centres(size, rotation)
    constant = lambda rows: jnp.asarray(np.array(rows), rotation.dtype)
    centres = constant([piece.centre for piece in pieces])
    variances = constant([(np.array(piece.half_axes) / _RIM) ** 2 + blur for piece in pieces])
    exponents, heights, shades = jax.vmap(_splat, (None, 0, 0, None, None))(rotation, centres, variances, x, y)
    opaque = 1 - jnp.exp(-_SOLID * jnp.sum(jnp.exp(exponents), axis=0))
    in_front = jax.nn.softmax(exponents + heights / _DEPTH_BLUR, axis=0)
    colours = constant([piece.colour for piece in pieces])
    return opaque[..., None] * jnp.einsum("khw,khw,kc->hwc", in_front, shades, colours)


def _splat(
    rotation: Float[Array, "3 3"], centre: Float[Array, "3"], variances: Float[Array, "3"], x: Plane, y: Plane
) -> tuple[Plane, Plane, Plane]:
    """The exponent of a turned piece's projection, the height of its surface and its brightness, for each pixel."""
    centre = rotation @ centre
    covariance = (rotation * variances[None]) @ rotation.T
    (a, b, c), (_, d, e), (_, _, f) = covariance
    x, y = x - centre[0], y - centre[1]
    determinant = a * d - b * b
    pull_x, pull_y = (d * x - b * y) / determinant, (a * y - b * x) / determinant
    squared = x * pull_x + y * pull_y
    # Given x and y, the height z of the Gaussian has the mean centre + slope . (x, y) and this standard deviation.
    slope_x, slope_y = (d * c - b * e) / determinant, (a * e - b * c) / determinant
    thickness = jnp.sqrt(f - slope_x * c - slope_y * e)
    # √(1 - squared / rim²), the height of an ellipsoid's surface above that mean, without its root at the rim.
    bulge = jnp.exp(-0.5 * squared / _RIM**2)
    height = centre[2] + slope_x * x + slope_y * y + _RIM * thickness * bulge
    # The normal of the level set of the Gaussian there is its precision times the way from the centre.
    up = _RIM * bulge / thickness
    normal = jnp.stack([pull_x - slope_x * up, pull_y - slope_y * up, up])
    light = jnp.asarray(_LIGHT / np.linalg.norm(_LIGHT), rotation.dtype)
    facing = jnp.tensordot(light, normal, axes=1) / jnp.sqrt(jnp.sum(normal**2, axis=0))
    return -0.5 * squared, height, _AMBIENT + (1 - _AMBIENT) * (0.5 + 0.5 * facing) ** 2


def make(n: int, seed: int, *, size: int = 32) -> Samples:
    """`n` images: X (n, 3 size²); `truth["position"]` (n, 3, 3) has the rotations. Raises as `rotating_object`."""
    return rotating_object(size).samples(n, seed)
