"""Four small renderers, 16 by 16 pixels, for known answers: S¹, T², S² and SO(3), as simple as they can be.

The exact minimum of the low-bending energy is known on each of them, so that a trained encoder can be held against it
(Braunsmann, Rajković, Rumpf and Wirth, 2021, for the energy).
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.data.rendered import RenderedManifold
from latax.data.renderers.canvas import pixel_centres
from latax.data.renderers.translations import translations
from latax.geometry import SO3, FlatTorus, Sphere

SIZE = 16


def check_circle() -> RenderedManifold:
    """S¹: Gaussian blobs at 0.55 and -0.35, of widths 0.22 and 0.15, brightness 1 and 0.6, turned by an angle (1,)."""

    def render(angle: Float[Array, "1"]) -> Float[Array, "16 16 1"]:
        x, y = pixel_centres(SIZE, angle)
        cosine, sine = jnp.cos(angle[0]), jnp.sin(angle[0])
        large = _blob(x - 0.55 * cosine, y - 0.55 * sine, 0.22)
        small = _blob(x + 0.35 * cosine, y + 0.35 * sine, 0.15)
        return (large + 0.6 * small)[..., None]

    return RenderedManifold(FlatTorus(2 * math.pi), render, "check-circle", (SIZE, SIZE, 1))


def check_torus() -> RenderedManifold:
    """T²: a blob exp(4 (cos - 1)) in each of two periodic directions, moved by two angles (2,)."""
    return translations(SIZE, concentration=4.0)


def check_sphere() -> RenderedManifold:
    """S²: a ball with normals n in the light from the unit vector x (3,), of brightness (½ + ½ n . x)²."""

    def render(light: Float[Array, "3"]) -> Float[Array, "16 16 1"]:
        x, y = pixel_centres(SIZE, light)
        squared = x**2 + y**2
        # The ball stays where it is, so that its hard border is the same in all images and moves in none.
        inside = squared < 1
        z = jnp.sqrt(jnp.where(inside, 1 - squared, 1))
        facing = x * light[0] + y * light[1] + z * light[2]
        return jnp.where(inside, (0.5 + 0.5 * facing) ** 2, 0)[..., None]

    return RenderedManifold(Sphere(2), render, "check-sphere", (SIZE, SIZE, 1))


def check_rotations() -> RenderedManifold:
    """SO(3): red, green and blue splats at 0.6 e_i turned by a matrix (3, 3), of width 0.2 (1 + 0.6 z) at height z."""

    def render(rotation: Float[Array, "3 3"]) -> Float[Array, "16 16 3"]:
        x, y = pixel_centres(SIZE, rotation)
        centres = 0.6 * rotation
        blobs = [_blob(x - a, y - b, 0.2 * (1 + 0.6 * z)) for a, b, z in centres.T]
        return jnp.stack(blobs, axis=-1)

    return RenderedManifold(SO3(), render, "check-rotations", (SIZE, SIZE, 3))


def _blob(x: Array, y: Array, width: float | Array) -> Array:
    return jnp.exp(-(x**2 + y**2) / (2 * width**2))
