"""Forced and damped pendulums, of which a model may know only the frequency.

θ'' = A ω² cos(2π f t) - γ θ' - ω² sin θ, θ'(0) = 0; the angle θ is observed at 50 times 0.05 s apart, with noise. Drawn
from `numpy.random.default_rng(seed)` in this order: θ(0) ~ U(-1.57, 1.57) rad, ω ~ U(0.785, 3.14) rad/s, γ ~ U(0, 0.8)
1/s, A ~ U(0, 40), f ~ U(3.14, 6.28) Hz, noise ~ N(0, 0.01²) rad. The set of Takeishi and Kalousis, "Physics-Integrated
Variational Autoencoders for Robust and Interpretable Generative Modeling" (NeurIPS 2021), number for number; theirs are
1000 samples of seed 1234 to train, 500 of 1235 to validate and 1000 of 1236 to test.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from latax.data.coordinates import names_of
from latax.data.samples import Samples
from latax.data.simulated import PUBLISHED, Rate, Truth, checked_times, given, solve_each

TIMES = 0.05 * np.arange(50)
NOISE = 0.01
RANGES = {
    "initial_angle": (-1.57, 1.57),
    "omega": (0.785, 3.14),
    "gamma": (0.0, 0.8),
    "amplitude": (0.0, 40.0),
    "frequency": (3.14, 6.28),
}


def make(n: int, seed: int) -> Samples:
    """`n` pendulums: X (n, 50), the angles in rad, with `times` in s.

    `truth` has the five parameters, each (n,), and the angles without noise, `signal` (n, 50).
    """
    rng = np.random.default_rng(seed)
    truth = {name: rng.uniform(*bounds, n) for name, bounds in RANGES.items()}
    signal = _solve(truth, TIMES, PUBLISHED)
    return Samples(
        signal + rng.normal(0.0, NOISE, signal.shape),
        feature_names=names_of({"t": TIMES}),
        origin=f"built-in pendulum: angles in rad, noise {NOISE}, seed {seed}",
        times=TIMES,
        truth={**truth, "signal": signal},
    )


def solve(truth: Truth, times: Float[np.ndarray, " T"] | Sequence[float] = TIMES) -> Float[np.ndarray, "N T"]:
    """The angles without noise at any times, from the first of them on, to a relative tolerance of 1e-9.

    `truth` has one number per sample for each of `RANGES`: that of a made set, for longer times, or with changed
    parameters for what would have been. (`signal` in a made set has the errors of the published one: 1.6e-4 rad in the
    root mean square, 4e-3 at most.)
    Raises `ConfigError` when a parameter is missing, `DataError` for times that do not increase.
    """
    return _solve(truth, checked_times(times), (1e-9, 1e-9))


def _solve(truth: Truth, times: Float[np.ndarray, " T"], tolerances: tuple[float, float]) -> Float[np.ndarray, "N T"]:
    angle, *others = given(truth, list(RANGES))
    rates = [_rate(*values) for values in zip(*others, strict=True)]
    return solve_each(rates, np.stack([angle, np.zeros_like(angle)], axis=1), times, tolerances)[..., 0]


def _rate(omega: float, gamma: float, amplitude: float, frequency: float) -> Rate:
    def rate(t: float, y: np.ndarray) -> tuple[float, float]:
        force = amplitude * omega**2 * math.cos(2 * math.pi * frequency * t)
        return y[1], force - gamma * y[1] - omega**2 * math.sin(y[0])

    return rate
