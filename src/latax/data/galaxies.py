"""Rendered disc galaxies in three colours, with known physics that a model of the disc alone lacks.

The disc is I₀ exp(-r), r² = (x'/A)² + (y'/B)², B = A (1 - e), on [-1, 1]², y = 1 in the first row (as in
`latax.physics.exponential_disc`). What is missing there: a round red bulge, a disc that is larger in blue than in red,
blurring by the telescope, and noise. A replacement that needs no download for the edge-on galaxies of Takeishi and
Kalousis (NeurIPS 2021), with true parameters.
"""

import math

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError
from latax.data.samples import Samples
from latax.data.simulated import Truth, given

SIZES = (32, 69)
NOISE = 0.01
# Lengths in half widths of the image; `bulge` is a brightness, `gradient` a relative difference of radius.
RANGES = {
    "intensity": (0.4, 0.8),
    "radius": (0.2, 0.5),
    "ellipticity": (0.2, 0.8),
    "angle": (0.0, math.pi),
    "bulge": (0.0, 0.3),
    "bulge_radius": (0.05, 0.15),
    "gradient": (0.0, 0.3),
    "blur": (0.02, 0.06),
}
_BULGE_COLOUR = np.array([1.0, 0.8, 0.5])
_GRADIENT_SIGN = np.array([-1.0, 0.0, 1.0])  # Red, green, blue.


def make(n: int, seed: int, *, size: int = 32, noise: float = NOISE) -> Samples:
    """`n` images: X (n, size·size·3) of sample shape (size, size, 3); `size` is 32 or 69.

    `truth` has the parameters of `RANGES`, each (n,), and the images without noise, `signal` (n, size, size, 3).
    Raises `ConfigError` for another size.
    """
    if size not in SIZES:
        raise ConfigError(f"galaxies of {size} by {size} pixels are not made; size is 32 or 69.")
    rng = np.random.default_rng(seed)
    truth = {name: rng.uniform(*bounds, n) for name, bounds in RANGES.items()}
    signal = render(truth, size=size)
    return Samples(
        (signal + rng.normal(0.0, noise, signal.shape)).reshape(n, -1),
        sample_shape=(size, size, 3),
        origin=f"built-in galaxies: {size}×{size} RGB, noise {noise}, seed {seed}",
        truth={**truth, "signal": signal},
    )


def render(truth: Truth, *, size: int = 32) -> Float[np.ndarray, "N size size 3"]:
    """The images without noise of these parameters, which are one number per sample for each of `RANGES`.

    With bulge, gradient and blur 0 the images are those of `latax.physics.exponential_disc`. Raises `ConfigError` when
    a parameter is missing.
    """
    from scipy.ndimage import gaussian_filter

    values = given(truth, list(RANGES))
    axis = np.linspace(-1.0, 1.0, size)
    x, y = np.meshgrid(axis, -axis)
    images = np.stack([_sharp(x, y, *row) for row in zip(*values[:-1], strict=True)])
    pixels = (size - 1) / 2
    for image, blur in zip(images, values[-1], strict=True):
        if blur > 0:
            image[:] = gaussian_filter(image, sigma=(blur * pixels, blur * pixels, 0.0), mode="nearest")
    return images


def _sharp(
    x: Float[np.ndarray, "size size"],
    y: Float[np.ndarray, "size size"],
    intensity: float,
    radius: float,
    ellipticity: float,
    angle: float,
    bulge: float,
    bulge_radius: float,
    gradient: float,
) -> Float[np.ndarray, "size size 3"]:
    along = x * math.cos(angle) - y * math.sin(angle)
    across = (x * math.sin(angle) + y * math.cos(angle)) / (1 - ellipticity)
    r = np.hypot(along, across)[..., None] / (radius * (1 + gradient * _GRADIENT_SIGN))
    profile = np.exp(-0.5 * (x**2 + y**2) / bulge_radius**2)[..., None]
    return intensity * np.exp(-r) + bulge * profile * _BULGE_COLOUR
