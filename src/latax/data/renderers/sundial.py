"""The shadow of a vertical rod on the ground: a cap of the sphere, one point for each direction of the sun.

For the unit vector x towards the sun the tip of a rod of height h throws its shadow to p = -h (x₁, x₂) / x₃, and the
rod to the segment from its foot to p. The rod is a soft one: a blur on the ground, integrated over the height, is the
optical depth, τ(q) = τ₀ ∫₀¹ exp(-|q - s p|² / 2σ²) ds, and the ground has the brightness exp(-τ). Unlike the distance
to a segment this is analytic in p, also for the sun in the zenith, p = 0, and at the two ends.

A renderer in the manner of the image data of Braunsmann, Rajković, Rumpf and Wirth, "Learning low bending and low
distortion manifold embeddings" (CVPR workshops 2021), and not theirs.
"""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax.data.rendered import RenderedManifold
from latax.data.renderers.canvas import FOOTPRINT, check_size, pixel_centres, pixel_width
from latax.data.samples import Samples
from latax.geometry import SphericalCap

OPENING = 1.0
LONGEST = 0.9
"""The length of the shadow of the lowest sun, in half widths of the image."""
_ROD = 0.045  # σ, in half widths
_DEPTH = 16.0  # τ₀: the longest shadow is still nearly black
# Of Gauss and Legendre. The integrand is at least 0.05 wide in s: 32 nodes leave an error of the image below 1e-8.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def sundial(size: int = 32, *, opening: float = OPENING) -> RenderedManifold:
    """Grey images (size, size, 1) of the shadow; points are unit vectors (3,) to the sun, n = 2.

    `opening` is the largest angle (radians, below π/2) of the sun from the zenith. The rod has the height 0.9 /
    tan(opening) half widths, with which every shadow is in the picture; the wider the cap, the shorter most shadows.
    The first two coordinates are to the right and up.

    Raises `ConfigError` for a size below 16 and an opening outside of (0, π/2).
    """
    check_size(size, 16, "a sundial")
    cap = SphericalCap(2, opening)
    height = LONGEST / math.tan(opening)
    variance = _ROD**2 + (FOOTPRINT * pixel_width(size)) ** 2

    def render(sun: Float[Array, "3"]) -> Float[Array, "size size 1"]:
        x, y = pixel_centres(size, sun)
        nodes, weights = (jnp.asarray(values, sun.dtype) for values in ((_NODES + 1) / 2, _WEIGHTS / 2))
        tip = -height * sun[:2] / sun[2]
        profile = lambda axis, end: jnp.exp(-((axis - nodes[:, None] * end) ** 2) / (2 * variance))
        depth = profile(y[:, :1].T, tip[1]).T @ (_DEPTH * weights[:, None] * profile(x[:1], tip[0]))
        return jnp.exp(-depth)[..., None]

    return RenderedManifold(cap, render, "sundial", (size, size, 1))


def make(n: int, seed: int, *, size: int = 32, opening: float = OPENING) -> Samples:
    """`n` images: X (n, size²); `truth["position"]` (n, 3) is the direction to the sun. Raises as `sundial`."""
    return sundial(size, opening=opening).samples(n, seed)
