"""Images of a square, an ellipse or a heart with five known factors, in the layout of dSprites (Matthey 2017).

Factors are shape (3 values), scale (6), orientation (40) and position x, y (32 each). Nothing is downloaded: the
shapes are drawn here, with soft edges. Positions and scale do not wrap around, so no path jumps over the
edge of the picture; orientation does, and a square looks the same after a quarter of a turn, an ellipse after half.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from latax._errors import ConfigError
from latax.data.samples import Samples, default_names

FACTORS = ("shape", "scale", "orientation", "x", "y")
COUNTS = (3, 6, 40, 32, 32)
SHAPES = ("square", "ellipse", "heart")
#: The part of a turn after which each shape looks the same.
SYMMETRY = (math.pi / 2, math.pi, 2 * math.pi)
SIDE = 32
#: Half the width of the largest square, how far its centre goes from the middle, and the softness of edges; in sides.
_RADIUS, _REACH, _SOFT = 0.16, 0.25, 1 / 64
_CYCLIC = (False, False, True, False, False)


def values(classes: Int[np.ndarray, "N 5"]) -> Float[np.ndarray, "N 5"]:
    """The factors of class numbers: the shape's number, scale 0.5 to 1, orientation in radians, x and y in [0, 1]."""
    if (classes < 0).any() or (classes >= np.array(COUNTS)).any():
        raise ConfigError(f"Class numbers have to lie below {COUNTS} for {', '.join(FACTORS)}, and not below 0.")
    shape, scale, turn, x, y = classes.T
    return np.stack([shape, 0.5 + 0.1 * scale, 2 * math.pi * turn / 40, x / 31, y / 31], axis=1).astype(np.float64)


def render(factors: Float[Array, " 5"], side: int = SIDE) -> Float[Array, "{side} {side} 1"]:
    """The image of one object from its `values`; x goes right and y down."""
    shape, scale, turn, x, y = factors
    pixels = (jnp.arange(side, dtype=factors.dtype) + 0.5) / side - 0.5
    right = (pixels[None, :] - _REACH * (2 * x - 1)) * jnp.ones_like(pixels)[:, None]
    down = (pixels[:, None] - _REACH * (2 * y - 1)) * jnp.ones_like(pixels)[None, :]
    size = _RADIUS * scale
    a = (right * jnp.cos(turn) + down * jnp.sin(turn)) / size
    b = (down * jnp.cos(turn) - right * jnp.sin(turn)) / size
    outside = jnp.stack([_distance(f, a, b) for f in (_square, _ellipse, _heart)])
    chosen = jnp.take(outside, jnp.round(shape).astype(jnp.int32), axis=0)
    return jax.nn.sigmoid(-4 * chosen * size / _SOFT)[..., None]


def path(start: Int[np.ndarray, "N 5"], factor: str, steps: int, *, stride: int = 1) -> Int[np.ndarray, "N T 5"]:
    """Class numbers along paths that change one factor by `stride` at each of `steps` steps, the first being the start.

    Where a path of scale or position would leave its range, it begins earlier, so that all of it is there. Raises
    `ConfigError` for the shape, whose numbers have no order, an unknown factor, and paths longer than the range.
    """
    if factor not in FACTORS[1:]:
        raise ConfigError(f"factor={factor!r} is not one of {', '.join(FACTORS[1:])}, along which there are paths.")
    number = FACTORS.index(factor)
    count, length = COUNTS[number], stride * (steps - 1)
    if steps < 1 or stride < 1 or (length >= count and not _CYCLIC[number]):
        raise ConfigError(
            f"steps={steps} with stride={stride}: {factor} has {count} values, and a path has to stay within them."
        )
    found = np.repeat(start[:, None], steps, axis=1)
    first = start[:, number] if _CYCLIC[number] else np.minimum(start[:, number], count - 1 - length)
    along = first[:, None] + stride * np.arange(steps)
    found[:, :, number] = along % count if _CYCLIC[number] else along
    return found


def make(size: int, seed: int = 0) -> Samples:
    """`size` random objects, (32, 32, 1); `truth`: "factors" (size, 5), the `values`, and "classes", their numbers."""
    classes = np.random.default_rng(seed).integers(0, COUNTS, size=(size, 5))
    factors = values(classes)
    draw = jax.jit(lambda rows: jax.lax.map(render, rows, batch_size=256))
    images = np.asarray(draw(jnp.asarray(factors, jnp.float32)))
    shape = (SIDE, SIDE, 1)
    return Samples(
        images.reshape(size, -1),
        feature_names=default_names(shape, "pixel"),
        sample_shape=shape,
        origin=f"rendered sprites: square, ellipse or heart with scale, orientation and position, seed {seed}",
        truth={"factors": factors, "classes": classes},
    )


def _distance(f, a: Float[Array, "side side"], b: Float[Array, "side side"]) -> Float[Array, "side side"]:
    """About the distance to the curve f = 0, negative within: f / |∇f|."""
    value, pull = jax.vjp(f, a, b)
    slope = jnp.sqrt(sum(part**2 for part in pull(jnp.ones_like(value))) + 1e-12)
    return value / slope


def _square(a: Array, b: Array) -> Array:
    return jnp.maximum(jnp.abs(a), jnp.abs(b)) - 1


def _ellipse(a: Array, b: Array) -> Array:
    return a**2 + (2 * b) ** 2 - 1


def _heart(a: Array, b: Array) -> Array:
    a, b = 1.15 * a, -1.15 * b + 0.1
    return (a**2 + b**2 - 1) ** 3 - a**2 * b**3
