"""The Allen-Cahn equation u_t = ε² u_xx + u - u³, periodic on [0, 1] with ε = 0.03: a field that parts into two phases.

Within a time of about two it is -1 or 1 nearly everywhere, with fronts of a width of some 3ε between, which move ever
more slowly. Solved by Fourier series on 256 nodes, of which 64 modes take part in products, with exponential steps of
fourth order (`latax.data.pseudospectral`).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from latax.data import pseudospectral
from latax.data.field_series import checked_start, family_set
from latax.data.samples import Samples

WIDTH = 0.03
END = 2.0
FINE = 256
STEP = 0.005


def make(
    n: int,
    seed: int,
    *,
    family: str = "cosine-powers",
    amplitude: float = 1.0,
    nodes: int = 201,
    times: int = 201,
) -> Samples:
    """`n` solutions: X (n, times · nodes) in float32, of sample shape (times, nodes), from t = 0 to 2 and x = 0 to 1.

    `family` and `amplitude` are those of `latax.data.initial_fields.draw`; the coefficients are the truth.
    """
    return family_set(
        solve_at,
        n,
        seed,
        family=family,
        amplitude=amplitude,
        end=END,
        times=times,
        nodes=nodes,
        fine=FINE,
        origin=f"allen-cahn: front width {WIDTH}",
    )


def solve_at(
    initial: Float[np.ndarray, "N n"], times: Float[np.ndarray, " T"] | Sequence[float], x: Float[np.ndarray, " S"]
) -> Float[np.ndarray, "N T S"]:
    """The solutions at any places x, by their Fourier series; see `solve`."""
    fine = solve(initial, times)
    return pseudospectral.interpolated(fine.reshape(-1, fine.shape[-1]), x).reshape(*fine.shape[:2], len(x))


def solve(
    initial: Float[np.ndarray, "N n"],
    times: Float[np.ndarray, " T"] | Sequence[float],
    *,
    width: float = WIDTH,
    step: float = STEP,
) -> Float[np.ndarray, "N T n"]:
    """The solutions on the same n nodes at times t >= 0; `width` is ε, and `step` the longest step.

    Raises `DataError` for fields that are not finite or grow without bounds, and times that do not increase.
    """
    times = checked_start(initial, times)
    n = initial.shape[1]
    linear = 1 - (width * pseudospectral.wavenumbers(n)) ** 2
    return pseudospectral.solve(initial, linear, lambda u: -pseudospectral.transform(u**3), times, step=step, degree=3)
