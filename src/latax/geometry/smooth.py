"""Functions of distances and angles with derivatives of every order where the textbook formula is 0 / 0."""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

_TERMS = 12
_SERIES_BELOW = 0.25  # a series of twelve terms is exact to the last bit of float64 below, the formula is above

_COSINE = [(-1) ** k / math.factorial(2 * k) for k in range(_TERMS)]
_SINC = [(-1) ** k / math.factorial(2 * k + 1) for k in range(_TERMS)]
_ARCSINE = [math.factorial(2 * k) / (4**k * math.factorial(k) ** 2 * (2 * k + 1)) for k in range(_TERMS)]
_ARCSINE_BELOW = 0.04


def norm(v: Float[Array, "..."]) -> Float[Array, ""]:
    """The Euclidean length of an array, NaN where it has one; its derivative at zero, where there is none, is zero."""
    return root(jnp.sum(v**2))


def root(square: Float[Array, ""]) -> Float[Array, ""]:
    """√s for s >= 0, NaN for NaN; its derivative at zero, where there is none, is zero."""
    zero = square == 0
    return jnp.where(zero, 0, jnp.sqrt(jnp.where(zero, 1, square)))


def cos_of_root(s: Float[Array, ""]) -> Float[Array, ""]:
    """cos √s for s >= 0: an entire function of s."""
    return _by_series(s, _SERIES_BELOW, _COSINE, lambda root: jnp.cos(root))


def sinc_of_root(s: Float[Array, ""]) -> Float[Array, ""]:
    """sin √s / √s for s >= 0: an entire function of s."""
    return _by_series(s, _SERIES_BELOW, _SINC, lambda root: jnp.sin(root) / root)


def angle_over_sine(sine_squared: Float[Array, ""], cosine: Float[Array, ""]) -> Float[Array, ""]:
    """θ / sin θ for an angle θ in [0, π), from sin² θ and cos θ; 0 instead of infinity at π."""
    series = _polynomial(sine_squared, _ARCSINE)
    small = (sine_squared < _ARCSINE_BELOW) & (cosine > 0)
    square = jnp.where(small | (sine_squared <= 0), 1, sine_squared)
    sine = jnp.sqrt(square)
    formula = jnp.where(sine_squared <= 0, 0, jnp.arctan2(sine, jnp.where(small, 1, cosine)) / sine)
    return jnp.where(small, series, formula)


def _by_series(s, below, coefficients, formula):
    small = s < below
    return jnp.where(
        small, _polynomial(jnp.where(small, s, 0), coefficients), formula(jnp.sqrt(jnp.where(small, 1, s)))
    )


def _polynomial(s, coefficients):
    value = jnp.zeros_like(s)
    for coefficient in reversed(coefficients):
        value = value * s + coefficient
    return value
