r"""Burgers' equation u_t + u u_x = ν u_xx, periodic on [0, 1] with ν = 0.01: waves that steepen to fronts and fade.

Solved exactly. With φ = exp(-∫u/2ν) it is the heat equation (Hopf 1950, Cole 1951), so that

$$u(x, t) = \frac{\int \frac{x - y}{t} K_t(x - y) φ_0(y) dy}{\int K_t(x - y) φ_0(y) dy},
\qquad K_t(d) = \sum_k e^{-(d + k)^2 / 4νt}.$$

Both integrals, by the trapezoidal rule, which converges exponentially, are matrix products for all fields at once. All
terms of the lower one are positive, so nothing cancels, although φ_0 spans fifteen orders of magnitude: by Fourier
series all digits would be lost.

The set of "Variational autoencoders with latent high-dimensional steady geometric flows for dynamics" (Gracyk, arXiv
2410.10137): 201 nodes, both ends stored, at 201 times in [0, 1]. The released solver takes the grid for one of period
1.005 and does not dealias: its data are off by 0.5 to 3.4 % at t = 0.5. These are not.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax.data.field_series import checked_start, family_set
from latax.data.pseudospectral import interpolated, transform, values, wavenumbers
from latax.data.samples import Samples

VISCOSITY = 0.01
FINE = 256
#: Nodes for each standard deviation of the narrowest integrand, with which the trapezoidal rule errs by 1e-14.
_NODES_PER_WIDTH, _MOST_NODES = 1.3, 2**15
#: exp(-700) is the least that a float64 holds with all digits.
_WIDEST = 700.0


def make(
    n: int,
    seed: int,
    *,
    family: str = "cosine-powers",
    amplitude: float = 1.0,
    nodes: int = 201,
    times: int = 201,
) -> Samples:
    """`n` solutions: X (n, times · nodes) in float32, of sample shape (times, nodes), from t = 0 to 1 and x = 0 to 1.

    `family` and `amplitude` are those of `latax.data.initial_fields.draw`; the coefficients are the truth.
    """
    return family_set(
        solve,
        n,
        seed,
        family=family,
        amplitude=amplitude,
        end=1.0,
        times=times,
        nodes=nodes,
        fine=FINE,
        origin=f"burgers: viscosity {VISCOSITY}",
    )


def solve(
    initial: Float[np.ndarray, "N n"],
    times: Float[np.ndarray, " T"] | Sequence[float],
    x: Float[np.ndarray, " S"],
    *,
    viscosity: float = VISCOSITY,
) -> Float[np.ndarray, "N T S"]:
    """The solutions at times t >= 0 and any places x, from fields on n equally spaced nodes of [0, 1), the first at 0.

    Fields are taken for the trigonometric polynomials through their nodes. Exact to rounding if these show them in
    full. Raises `DataError` for fields that are not finite or so great that exp(-∫u/2ν) has no place in float64, times
    that do not increase, and a time so short after 0 that the integrals would need too many nodes; `ConfigError` for
    a viscosity that is not positive.
    """
    times = checked_start(initial, times)
    if not 0 < viscosity < np.inf:
        raise ConfigError(f"viscosity = {viscosity:g}: expected a number greater than 0, such as {VISCOSITY:g}.")
    mean = initial.mean(axis=1)
    # A mean wind m carries the rest along: u(x, t) = m + v(x - m t, t). All fields share the kernels if they share it.
    if np.abs(mean).max() > 1e-12:
        return np.concatenate([_carried(row[None], times, x, viscosity) for row in initial])
    fine = _refined(initial, times, viscosity)
    grid, weights = np.arange(fine.shape[1]) / fine.shape[1], _weights(fine, viscosity)
    found = np.empty((len(initial), len(times), len(x)))
    for j, t in enumerate(times):
        found[:, j] = interpolated(initial, x) if t == 0 else _at(grid, weights, t, x, viscosity)
    return found


def _carried(initial: np.ndarray, times: np.ndarray, x: np.ndarray, viscosity: float) -> np.ndarray:
    mean = float(initial.mean())
    rest = initial - mean
    return mean + np.concatenate([solve(rest, [t], (x - mean * t) % 1, viscosity=viscosity) for t in times], axis=1)


def _refined(initial: np.ndarray, times: np.ndarray, viscosity: float) -> np.ndarray:
    """The fields on as many nodes as the integrands need: these vary like Gaussians of variance 2ν / (1/t + |u_x|)."""
    if not (times > 0).any():
        return initial
    n, first = initial.shape[1], times[times > 0][0]
    steepest = np.abs(values(1j * wavenumbers(n) * transform(initial), n)).max()
    needed = int(np.ceil(_NODES_PER_WIDTH / np.sqrt(2 * viscosity / (1 / first + steepest))))
    if needed > _MOST_NODES:
        raise DataError(
            f"t = {first:g} is too short after 0 for viscosity {viscosity:g}: the integrals would need {needed} nodes. "
            "Leave that time out, or raise the viscosity."
        )
    return initial if needed <= n else interpolated(initial, np.arange(needed) / needed)


def _weights(initial: np.ndarray, viscosity: float) -> Float[np.ndarray, "n N"]:
    """φ_0, divided by its greatest value."""
    n = initial.shape[1]
    k = wavenumbers(n)
    modes = transform(initial)
    modes[:, 1:] /= 1j * k[1:]
    modes[:, 0] = 0
    exponent = -values(modes, n).T / (2 * viscosity)
    exponent -= exponent.max(axis=0)
    if (lowest := exponent.min()) < -_WIDEST:
        row = int(exponent.min(axis=0).argmin())
        raise DataError(
            f"the initial field {row} (the first is 0) is too great for viscosity {viscosity:g}: exp(-∫u/2ν) spans a "
            f"factor of e^{-lowest:.0f}, and e^{_WIDEST:.0f} is what float64 holds. Lower the amplitude, or raise the "
            "viscosity."
        )
    return np.exp(exponent)


def _at(grid: np.ndarray, weights: np.ndarray, t: float, x: np.ndarray, viscosity: float) -> Float[np.ndarray, "N S"]:
    # Images whose kernel is above e^-40 of the greatest at the same place.
    images = int(np.ceil(0.5 + np.sqrt(4 * viscosity * t * 40)))
    offset = x[:, None] - grid[None]
    offset -= np.round(offset)
    lower, upper = np.zeros_like(offset), np.zeros_like(offset)
    for k in range(-images, images + 1):
        kernel = np.exp(-((offset + k) ** 2) / (4 * viscosity * t))
        lower += kernel
        upper += (offset + k) / t * kernel
    return ((upper @ weights) / (lower @ weights)).T
