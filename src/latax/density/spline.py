"""Monotone rational-quadratic splines with linear tails (Durkan et al. 2019, arXiv 1906.04032, section 3.1).

A spline maps [-B, B] onto itself through K bins and is the identity outside. In a bin of width w, height h and slope
s = h / w, with slopes d0 and d1 at its ends and xi in [0, 1] the relative position (equations 4 and 5):

    y = y0 + h (s xi^2 + d0 xi (1 - xi)) / (s + (d0 + d1 - 2 s) xi (1 - xi)).

The slope is 1 at -B and B, so the map is continuously differentiable everywhere, and a density that goes through it is
continuous; FlowJAX's spline leaves those two slopes free. Only the two slopes that are used are made positive, and the
bin is found by counting: for batches of a hundred a gradient takes two thirds of the time of FlowJAX's.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

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
    within = jnp.where(inside, x, 0.0)  # not clip, whose slope is a half at the ends
    at = _select(within, parameters, interval, by_height=False)
    xi = (within - at.x0) / at.width
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
    within = jnp.where(inside, y, 0.0)
    at = _select(within, parameters, interval, by_height=True)
    slope = at.height / at.width
    rise = within - at.y0
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
    right = jnp.cumsum(widths, axis=1) - interval
    top = jnp.cumsum(heights, axis=1) - interval
    # Zero stands for a slope of one, here at both ends of the interval.
    raw_slopes = jnp.pad(parameters[:, 2 * bins :], ((0, 0), (1, 1)))
    # Counting the knots passed is faster than a search, also because it vectorises.
    index = jnp.sum(value[:, None] >= (top if by_height else right)[:, :-1], axis=1)
    width, height = _at(widths, index), _at(heights, index)
    return _Bin(
        x0=_at(right, index) - width,
        y0=_at(top, index) - height,
        width=width,
        height=height,
        slope0=_slope(_at(raw_slopes, index)),
        slope1=_slope(_at(raw_slopes, index + 1)),
    )


def _at(rows: Float[Array, "f k"], index: Int[Array, " f"]) -> Float[Array, " f"]:
    return jnp.take_along_axis(rows, index[:, None], axis=1, mode="promise_in_bounds")[:, 0]


def _slope(raw: Float[Array, " f"]) -> Float[Array, " f"]:
    return _MIN_SLOPE + jax.nn.softplus(raw + _SLOPE_SHIFT)


def _shares(logits: Float[Array, "f k"], interval: float) -> Float[Array, "f k"]:
    """Sizes of the bins along one axis: positive, at least the minimum share, and 2 B together."""
    least = 2 * interval * _MIN_SHARE
    return least + (2 * interval - least * logits.shape[1]) * jax.nn.softmax(logits, axis=1)
