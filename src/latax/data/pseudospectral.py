"""Periodic partial differential equations u_t = L u + N(u) on [0, 1), by Fourier series and exponential time steps.

L is exact, N by the fourth-order Runge-Kutta method of Cox and Matthews (2002), "Exponential time differencing for
stiff systems", with coefficients by contour integrals (Kassam and Trefethen 2005), which do not cancel. Products are
dealiased: of n nodes only the modes that a product of `degree` factors cannot send back onto themselves are kept.
"""

from collections.abc import Callable

import numpy as np
import scipy.fft
from jaxtyping import Complex, Float

from latax._errors import DataError

Modes = Complex[np.ndarray, "N m"]

_CONTOUR = np.exp(1j * np.pi * (np.arange(32) + 0.5) / 32)


def wavenumbers(n: int) -> Float[np.ndarray, " m"]:
    """2π k of the modes k = 0, ..., n // 2 of a real field on n nodes."""
    return 2 * np.pi * np.arange(n // 2 + 1)


def transform(fields: Float[np.ndarray, "N n"]) -> Modes:
    """The modes of real fields."""
    return np.asarray(scipy.fft.rfft(fields, axis=1, workers=-1))


def values(modes: Modes, n: int) -> Float[np.ndarray, "N n"]:
    """The fields on n equally spaced nodes, the first at 0, of which `transform` made these modes."""
    return np.asarray(scipy.fft.irfft(modes, n, axis=1, workers=-1))


def interpolated(fields: Float[np.ndarray, "N n"], x: Float[np.ndarray, " S"]) -> Float[np.ndarray, "N S"]:
    """The trigonometric polynomials through the fields at any x."""
    n = fields.shape[1]
    modes = transform(fields) / n
    weight = np.full(modes.shape[1], 2.0)
    weight[0] = 1
    if n % 2 == 0:
        weight[-1] = 1
    waves = np.exp(1j * np.outer(wavenumbers(n), x))
    return np.real((modes * weight) @ waves)


def solve(
    initial: Float[np.ndarray, "N n"],
    linear: Float[np.ndarray, " m"],
    nonlinear: Callable[[Float[np.ndarray, "N n"]], Modes],
    times: Float[np.ndarray, " T"],
    *,
    step: float,
    degree: int,
) -> Float[np.ndarray, "N T n"]:
    """The fields at the times, from those of time 0.

    **Arguments:**

    - `linear`: the factor of each mode in L.
    - `nonlinear`: from fields to the modes of N.
    - `step`: the longest step; each interval is cut into as few equal ones as need be.
    - `degree`: that of N as a polynomial in u; modes from n / (degree + 1) on are left out.

    Raises `DataError` naming a field that grows without bounds, which is what too long a step does.
    """
    n = initial.shape[1]
    kept = np.arange(n // 2 + 1) < n / (degree + 1)
    modes = transform(initial) * kept
    right = lambda v: nonlinear(values(v, n)) * kept
    found = np.empty((len(initial), len(times), n))
    now, coefficients, of_step = 0.0, None, 0.0
    for j, t in enumerate(times):
        count = int(np.ceil((t - now) / step - 1e-9))
        if count:
            h = (t - now) / count
            if coefficients is None or abs(h / of_step - 1) > 1e-9:
                coefficients, of_step = _coefficients(linear, h), h
            for _ in range(count):
                modes = _advance(modes, right, coefficients)
            if not np.isfinite(modes).all():
                row = int(np.flatnonzero(~np.isfinite(modes).all(axis=1))[0])
                raise DataError(
                    f"field {row} (the first is 0) grows without bounds before t = {t:g}; take steps below {h:g}."
                )
        found[:, j], now = values(modes, n), t
    return found


def _coefficients(linear: Float[np.ndarray, " m"], h: float) -> tuple[np.ndarray, ...]:
    z = h * linear
    r = z[:, None] + _CONTOUR[None]
    mean = lambda array: h * np.real(array.mean(axis=1))
    # Real L and a contour on the upper half circle: the real part is the mean over the whole circle.
    e = np.exp(r)
    return (
        np.exp(z),
        np.exp(z / 2),
        mean((np.exp(r / 2) - 1) / r),
        mean((-4 - r + e * (4 - 3 * r + r**2)) / r**3),
        mean((2 + r + e * (r - 2)) / r**3),
        mean((-4 - 3 * r - r**2 + e * (4 - r)) / r**3),
    )


def _advance(v: Modes, right: Callable[[Modes], Modes], coefficients: tuple[np.ndarray, ...]) -> Modes:
    whole, half, q, first, middle, last = coefficients
    of_v = right(v)
    a = half * v + q * of_v
    of_a = right(a)
    of_b = right(half * v + q * of_a)
    of_c = right(half * a + q * (2 * of_b - of_v))
    return whole * v + first * of_v + 2 * middle * (of_a + of_b) + last * of_c
