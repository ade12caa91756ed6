"""Monotone rational-quadratic splines with linear tails (Durkan et al. 2019, arXiv 1906.04032, section 3.1).

A spline maps [-B, B] onto itself through K bins and is the identity outside. In a bin of width w, height h and slope
s = h / w, with slopes d0 and d1 at its ends and xi in [0, 1] the relative position (equations 4 and 5):

    y = y0 + h (s xi^2 + d0 xi (1 - xi)) / (s + (d0 + d1 - 2 s) xi (1 - xi)).

The slope is 1 at -B and B, so the map is continuously differentiable everywhere, and a density that goes through it is
continuous. FlowJAX's spline leaves those two slopes free. The bin is selected by comparison and a sum instead of by
search and gather: no scatter in the backward pass, and the kernels vectorise.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_MIN_SHARE = 1e-3  # of the interval, in width and in height
_MIN_SLOPE = 1e-3
_SLOPE_SHIFT = math.log(math.expm1(1 - _MIN_SLOPE))  # softplus of it, plus the minimum, is one


class _Bin(NamedTuple):
    """The bin a point falls into: lower corner, size, and the slopes at both ends; one entry per feature."""

    x0: Array
    y0: Array
    width: Array
    height: Array
    slope0: Array
    slope1: Array


def parameter_count(bins: int) -> int:
    """How many numbers describe one spline: K widths, K heights and K - 1 inner slopes."""
    return 3 * bins - 1


def spline(
    x: Float[Array, " f"], parameters: Float[Array, "f p"], interval: float
) -> tuple[Float[Array, " f"], Float[Array, ""]]:
    """The image of each feature under its own spline, and the log-determinant (sum of log slopes).

    `parameters` are unconstrained, p = 3 K - 1; all zero gives the identity.
    """
    inside = jnp.abs(x) <= interval
    clipped = jnp.clip(x, -interval, interval)
    at = _select(clipped, parameters, interval, by_height=False)
    xi = (clipped - at.x0) / at.width
    slope = at.height / at.width
    numerator = slope * xi**2 + at.slope0 * xi * (1 - xi)
    denominator = slope + (at.slope0 + at.slope1 - 2 * slope) * xi * (1 - xi)
    y = at.y0 + at.height * numerator / denominator
    return jnp.where(inside, y, x), _log_slope(at, slope, xi, denominator, inside)


def spline_inverse(
    y: Float[Array, " f"], parameters: Float[Array, "f p"], interval: float
) -> tuple[Float[Array, " f"], Float[Array, ""]]:
    """The point that `spline` maps to y, by the quadratic formula, and the log-determinant of the inverse."""
    inside = jnp.abs(y) <= interval
    clipped = jnp.clip(y, -interval, interval)
    at = _select(clipped, parameters, interval, by_height=True)
    slope = at.height / at.width
    rise = clipped - at.y0
    bend = rise * (at.slope0 + at.slope1 - 2 * slope)
    a = at.height * (slope - at.slope0) + bend
    b = at.height * at.slope0 - bend
    c = -slope * rise
    # Positive in exact arithmetic; the floor keeps rounding from making the square root or its slope undefined.
    discriminant = jnp.maximum(b**2 - 4 * a * c, jnp.finfo(y.dtype).tiny)
    # The root in [0, 1], written so that nothing cancels; b < 0 implies a > 0.
    falling = b < 0
    q = jnp.abs(b) + jnp.sqrt(discriminant)
    xi = jnp.where(falling, q / jnp.where(falling, 2 * a, 1), -2 * c / q)
    denominator = slope + (at.slope0 + at.slope1 - 2 * slope) * xi * (1 - xi)
    x = at.x0 + at.width * xi
    return jnp.where(inside, x, y), -_log_slope(at, slope, xi, denominator, inside)


def _log_slope(at: _Bin, slope: Array, xi: Array, denominator: Array, inside: Array) -> Array:
    numerator = slope**2 * (at.slope1 * xi**2 + 2 * slope * xi * (1 - xi) + at.slope0 * (1 - xi) ** 2)
    derivative = jnp.where(inside, numerator / denominator**2, 1)
    return jnp.sum(jnp.log(derivative))


def _select(value: Array, parameters: Array, interval: float, *, by_height: bool) -> _Bin:
    bins = (parameters.shape[-1] + 1) // 3
    widths = _shares(parameters[:, :bins], interval)
    heights = _shares(parameters[:, bins : 2 * bins], interval)
    inner = _MIN_SLOPE + jax.nn.softplus(parameters[:, 2 * bins :] + _SLOPE_SHIFT)
    # Only compared with, never differentiated: the corner of the bin is summed again below.
    sizes = jax.lax.stop_gradient(heights if by_height else widths)
    knots = jnp.cumsum(sizes[:, :-1], axis=1) - interval
    passed = (value[:, None] >= knots).astype(value.dtype)
    ends = jnp.ones_like(value)[:, None]
    here = jnp.concatenate((ends, passed), axis=1) - jnp.concatenate((passed, 0 * ends), axis=1)
    return _Bin(
        x0=jnp.sum(widths[:, :-1] * passed, axis=1) - interval,
        y0=jnp.sum(heights[:, :-1] * passed, axis=1) - interval,
        width=jnp.sum(widths * here, axis=1),
        height=jnp.sum(heights * here, axis=1),
        slope0=jnp.sum(jnp.concatenate((ends, inner), axis=1) * here, axis=1),
        slope1=jnp.sum(jnp.concatenate((inner, ends), axis=1) * here, axis=1),
    )


def _shares(logits: Float[Array, "f k"], interval: float) -> Float[Array, "f k"]:
    """Sizes of the bins along one axis: positive, at least the minimum share, and 2 B together."""
    least = 2 * interval * _MIN_SHARE
    return least + (2 * interval - least * logits.shape[1]) * jax.nn.softmax(logits, axis=1)
