"""A blob moved about a picture whose opposite sides meet: the flat torus (R / 2πZ)².

The brightness is exp(κ (cos(a - u) - 1) + κ (cos(b - v) - 1)) at the pixel (a, b), the density of two von Mises
distributions up to a factor: a blob of width 1 / √κ that leaves on one side and comes in on the other.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.data.rendered import RenderedManifold
from latax.data.renderers.canvas import check_size, pixel_centres
from latax.data.samples import Samples
from latax.geometry import FlatTorus

CONCENTRATION = 8.0


def translations(size: int = 32, *, concentration: float = CONCENTRATION) -> RenderedManifold:
    """Grey images (size, size, 1); points are the two angles (2,) of the blob's centre, to the right and up, n = 2.

    `concentration` is κ. The smaller the blob, the sooner images of different points have nothing in common, so that
    their pixels no longer tell how far they are from one another.

    Raises `ConfigError` for a size below 8, and where the blob is not wider than a pixel.
    """
    check_size(size, 8, "translations")
    most = (size / (2 * math.pi)) ** 2
    if not 0 < concentration <= most:
        raise ConfigError(
            f"translations: concentration = {concentration:g}. Expected a positive number of at most (size / 2π)² = "
            f"{most:.3g}, at which the blob is as narrow as a pixel; beyond, it falls between them."
        )

    def render(angles: Float[Array, "2"]) -> Float[Array, "size size 1"]:
        x, y = pixel_centres(size, angles)
        along = jnp.cos(math.pi * x - angles[0]) - 1
        up = jnp.cos(math.pi * y - angles[1]) - 1
        return jnp.exp(concentration * (along + up))[..., None]

    return RenderedManifold(FlatTorus((2 * math.pi, 2 * math.pi)), render, "translations", (size, size, 1))


def make(n: int, seed: int, *, size: int = 32, concentration: float = CONCENTRATION) -> Samples:
    """`n` images: X (n, size²); `truth["position"]` (n, 2) has the angles (rad). Raises as `translations`."""
    return translations(size, concentration=concentration).samples(n, seed)
