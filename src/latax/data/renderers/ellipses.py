"""Filled ellipses of one shape: a box of centres times a circle of orientations, which come back after half a turn.

The axes have to differ. For equal ones an orientation is not to be seen: the image is the same for all of them, its
derivative with respect to the angle vanishes, and the images form a manifold of dimension 2 and not 3. Near there the
map is an embedding in theory only, since its smallest singular value goes to zero with the difference of the axes. A
family with free axes has that singular point in its midst, which is why the ratio is fixed here.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.data.rendered import RenderedManifold
from latax.data.renderers.canvas import check_size, pixel_centres, pixel_width
from latax.data.samples import Samples
from latax.geometry import Euclidean, FlatTorus, Product

RATIO = 0.4
ANGLE_WEIGHT = 0.25
_MAJOR = 0.45  # half of the long axis, in half widths of the image
_MARGIN = 0.05
_SIGMOID_EDGE = 4.4  # from 10 % to 90 % of a logistic function of scale 1
_EDGE = 2.0  # pixels, of the same
_LEAST_RATIO, _MOST_RATIO = 0.1, 0.9


def ellipses(size: int = 32, *, ratio: float = RATIO, angle_weight: float = ANGLE_WEIGHT) -> RenderedManifold:
    """Grey images (size, size, 1); points are (x, y, θ): the centre in half widths and the long axis' angle, n = 3.

    **Arguments:**

    - `ratio`: of the short axis to the long one.
    - `angle_weight`: the length, in half widths, that a radian counts for in the manifold's distance. The default is
      about the distance by which a radian moves the border, so that no direction is much shorter than it looks.

    Raises `ConfigError` for a size below 16, for a ratio near 1, where orientations cannot be seen, or one that makes
    the ellipse narrower than two pixels, and for a weight that is not positive.
    """
    check_size(size, 16, "ellipses")
    _check_ratio(ratio, size)
    box = 1 - _MAJOR - _MARGIN
    manifold = Product([Euclidean(2, -box, box), FlatTorus(math.pi)], weights=[1.0, angle_weight])
    minor = ratio * _MAJOR
    edge = _EDGE * pixel_width(size) / _SIGMOID_EDGE

    def render(pose: Float[Array, "3"]) -> Float[Array, "size size 1"]:
        x, y = pixel_centres(size, pose)
        x, y = x - pose[0], y - pose[1]
        cosine, sine = jnp.cos(pose[2]), jnp.sin(pose[2])
        along, across = x * cosine + y * sine, y * cosine - x * sine
        level = 1 - (along / _MAJOR) ** 2 - (across / minor) ** 2
        # The distance from the border to first order. The constant keeps the root from zero, where it is not smooth;
        # there, at the centre, the image is white anyhow.
        slope = 2 * jnp.sqrt((along / _MAJOR**2) ** 2 + (across / minor**2) ** 2 + (0.25 / _MAJOR) ** 2)
        return jax.nn.sigmoid(level / slope / edge)[..., None]

    return RenderedManifold(manifold, render, "ellipses", (size, size, 1))


def _check_ratio(ratio: float, size: int) -> None:
    if not _LEAST_RATIO <= ratio <= _MOST_RATIO:
        raise ConfigError(
            f"ellipses: ratio = {ratio:g} of the short axis to the long one. Expected a number from {_LEAST_RATIO} to "
            f"{_MOST_RATIO}: a circle looks the same in every orientation, so near 1 the images are no manifold of "
            "dimension 3. For discs without an orientation use translations."
        )
    if 2 * ratio * _MAJOR < 2 * pixel_width(size):
        raise ConfigError(
            f"ellipses: ratio = {ratio:g} makes them narrower than two pixels at size = {size}. Use a ratio of at "
            f"least {pixel_width(size) / _MAJOR:.2f}, or a larger size."
        )


def make(n: int, seed: int, *, size: int = 32, ratio: float = RATIO) -> Samples:
    """`n` images: X (n, size²); `truth["position"]` (n, 3) has centre and angle (rad). Raises as `ellipses`."""
    return ellipses(size, ratio=ratio).samples(n, seed)
