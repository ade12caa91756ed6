"""The porous medium equation u_t = (u²)_xx for u >= 0, periodic on [0, 1]: gas that spreads, with a front of its own.

Where u = 0 nothing diffuses, so what is empty stays empty until the front arrives, at a finite speed, and the solution
has a corner there: no place for Fourier series. Finite volumes that conserve the mass, with the Runge-Kutta-Legendre
method of second order, whose s stages reach (s² + s - 2)/4 times as far as a step of Euler's (Meyer, Balsara and Aslam
2014).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from latax._errors import DataError
from latax.data.field_series import checked_start, family_set
from latax.data.samples import Samples

END = 0.1
FINE = 400
#: The greatest share of what is stable that a step takes.
_SAFETY = 0.9
#: The longest step, in the time length² / u that gas of the density u takes over the whole period.
_LONGEST = 5e-4


def make(
    n: int,
    seed: int,
    *,
    family: str = "cosine-powers",
    amplitude: float = 1.0,
    nodes: int = 201,
    times: int = 201,
) -> Samples:
    """`n` solutions: X (n, times · nodes) in float32, of sample shape (times, nodes), from t = 0 to 0.1 and x = 0 to 1.

    They start from the positive parts of the fields of `latax.data.initial_fields.draw`, whose `family` and `amplitude`
    are meant; the coefficients are the truth.
    """
    return family_set(
        lambda initial, at, x: solve_at(np.maximum(initial, 0), at, x),
        n,
        seed,
        family=family,
        amplitude=amplitude,
        end=END,
        times=times,
        nodes=nodes,
        fine=FINE,
        origin="porous-medium: u_t = (u²)_xx",
    )


def solve_at(
    initial: Float[np.ndarray, "N n"], times: Float[np.ndarray, " T"] | Sequence[float], x: Float[np.ndarray, " S"]
) -> Float[np.ndarray, "N T S"]:
    """The solutions at any places x in [0, 1], between nodes by straight lines; see `solve`."""
    n = initial.shape[1]
    left = np.floor(x * n).astype(int)
    share = x * n - left
    fine = solve(initial, times)
    return (1 - share) * fine[..., left % n] + share * fine[..., (left + 1) % n]


def solve(
    initial: Float[np.ndarray, "N n"],
    times: Float[np.ndarray, " T"] | Sequence[float],
    *,
    length: float = 1.0,
) -> Float[np.ndarray, "N T n"]:
    """The solutions on the same n nodes of a period `length`, at times t >= 0: of second order but at fronts.

    Steps are short against the time in which gas spreads, however far apart the times are.

    Raises `DataError` for fields that are negative somewhere or not finite, and times that do not increase.
    """
    times = checked_start(initial, times)
    if initial.min() < 0:
        row = int(initial.min(axis=1).argmin())
        raise DataError(
            f"the initial field {row} (the first is 0) falls to {initial.min():g}, and the porous medium equation is "
            "for densities, which are not negative. Take its positive part, numpy.maximum(field, 0)."
        )
    per_area = (initial.shape[1] / length) ** 2
    longest = _LONGEST * length**2 / max(initial.max(), 1e-12)
    found = np.empty((len(initial), len(times), initial.shape[1]))
    u, now = initial, 0.0
    for j, t in enumerate(times):
        count = int(np.ceil((t - now) / longest))
        for _ in range(count):
            u = _advance(u, (t - now) / count, per_area)
        found[:, j], now = u, t
    return found


def _change(u: np.ndarray, per_area: float) -> np.ndarray:
    """The second difference of u |u|, which is u² where it should be, and diffuses what rounding leaves below zero."""
    square = u * np.abs(u)
    return per_area * (np.roll(square, 1, axis=1) - 2 * square + np.roll(square, -1, axis=1))


def _advance(u: np.ndarray, step: float, per_area: float) -> np.ndarray:
    """One step of RKL2, with as many stages as are stable for the greatest diffusivity 2u."""
    stable = 1 / (4 * per_area * max(u.max(), 1e-12))
    stages = max(3, int(np.ceil((np.sqrt(9 + 16 * step / (_SAFETY * stable)) - 1) / 2)))
    w = 4 / (stages**2 + stages - 2)
    b = [1 / 3, 1 / 3, *((j * j + j - 2) / (2 * j * (j + 1)) for j in range(2, stages + 1))]
    slope = _change(u, per_area)
    before, here = u, u + b[1] * w * step * slope
    for j in range(2, stages + 1):
        mu, nu = (2 * j - 1) / j * b[j] / b[j - 1], -(j - 1) / j * b[j] / b[j - 2]
        by, back = mu * w * step, -(1 - b[j - 1]) * mu * w * step
        after = mu * here + nu * before + (1 - mu - nu) * u + by * _change(here, per_area) + back * slope
        before, here = here, after
    return here
