"""Heat that spreads and is carried along on a line, of which a model may know only the spreading.

∂T/∂t = a ∂²T/∂s² - b ∂T/∂s on 20 nodes s = 0, 0.1, ..., 1.9 by central differences, with T = 0 at s = -0.1 and 2.0;
T(0, s) = m sin(π s/1.9); observed at 50 times 0.02 s apart, with noise. Drawn from `numpy.random.default_rng(seed)` in
this order: m ~ U(0.5, 1.5), a ~ U(0.01, 0.1), b ~ U(0.01, 0.1), noise ~ N(0, 0.001²).

The set of Takeishi and Kalousis, "Physics-Integrated Variational Autoencoders for Robust and Interpretable Generative
Modeling" (NeurIPS 2021), with 1000 samples of seed 1234 to train, 500 of 1235 to validate and 1000 of 1236 to test.
Their released code turns the difference kernel around, so that its data obey + b ∂T/∂s: `reference=True` makes those,
number for number.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from latax.data.coordinates import names_of
from latax.data.samples import Samples
from latax.data.simulated import PUBLISHED, Rate, Truth, checked_times, given, solve_each

TIMES = 0.02 * np.arange(50)
SPACING = 0.1
NODES = SPACING * np.arange(20)
NOISE = 1e-3
RANGES = {"initial_height": (0.5, 1.5), "diffusion": (0.01, 0.1), "advection": (0.01, 0.1)}


def make(n: int, seed: int, *, reference: bool = False) -> Samples:
    """`n` fields T: X (n, 50·20) of sample shape (50, 20), time by node, with `times` in s.

    `truth` has the three parameters, each (n,), and the fields without noise, `signal` (n, 50, 20). With `reference`,
    the sign of the advection is that of the released code.
    """
    rng = np.random.default_rng(seed)
    truth = {name: rng.uniform(*bounds, n) for name, bounds in RANGES.items()}
    signal = _solve(truth, TIMES, PUBLISHED, reference)
    # The published noise was drawn node by time.
    noise = rng.normal(0.0, NOISE, (n, len(NODES), len(TIMES))).transpose(0, 2, 1)
    sign = ", advection of the wrong sign as in the released code" if reference else ""
    return Samples(
        (signal + noise).reshape(n, -1),
        feature_names=names_of({"t": TIMES, "s": NODES}),
        sample_shape=(len(TIMES), len(NODES)),
        origin=f"built-in advection-diffusion: noise {NOISE}, seed {seed}{sign}",
        times=TIMES,
        truth={**truth, "signal": signal},
    )


def solve(
    truth: Truth,
    times: Float[np.ndarray, " T"] | Sequence[float] = TIMES,
    *,
    reference: bool = False,
) -> Float[np.ndarray, "N T 20"]:
    """The fields without noise at any times, from the first of them on, to a relative tolerance of 1e-9.

    `truth` has one number per sample for each of `RANGES`: that of a made set, for longer times, or with changed
    parameters for what would have been. Raises `ConfigError` when a parameter is missing, `DataError` for times that do
    not increase.
    """
    return _solve(truth, checked_times(times), (1e-9, 1e-9), reference)


def _solve(
    truth: Truth,
    times: Float[np.ndarray, " T"],
    tolerances: tuple[float, float],
    reference: bool,
) -> Float[np.ndarray, "N T 20"]:
    height, diffusion, advection = given(truth, list(RANGES))
    velocity = -advection if reference else advection
    initial = height[:, None] * np.sin(np.pi * NODES / 1.9)
    rates = [_rate(a, b) for a, b in zip(diffusion, velocity, strict=True)]
    return solve_each(rates, initial, times, tolerances)


def _rate(diffusion: float, velocity: float) -> Rate:
    spread, carry = diffusion / SPACING**2, velocity / (2 * SPACING)

    def rate(t: float, field: np.ndarray) -> np.ndarray:
        change = -2 * spread * field
        change[1:] += (spread + carry) * field[:-1]
        change[:-1] += (spread - carry) * field[1:]
        return change

    return rate
