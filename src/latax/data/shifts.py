"""Initial states unlike those of training: what a forecast from them is asked to stand.

Noise falls on the state that a model is shown only; the truth is the solution from the state without. Amplitudes,
frequencies and families that were not trained on are solved anew.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError
from latax._wording import look_up
from latax.data.samples import Samples


@dataclasses.dataclass(frozen=True)
class Shift:
    """A kind of initial states: see `latax.data.initial_fields.draw` for families and amplitudes.

    `noise` is the standard deviation of a Gaussian on `share` of the nodes, other ones in each sample.
    """

    description: str
    family: str = "cosine-powers"
    amplitude: float = 1.0
    noise: float = 0.0
    share: float = 1.0


SHIFTS = {
    "none": Shift("as in training"),
    "noise": Shift("noise of deviation 1 on 51 of 201 nodes", noise=1.0, share=51 / 201),
    "louder-noise": Shift(
        "amplitude 1.15, and noise of deviation 0.65 on 101 of 201 nodes", amplitude=1.15, noise=0.65, share=101 / 201
    ),
    "amplitude": Shift("amplitude 1.5", amplitude=1.5),
    "frequency": Shift("twice the frequency", family="frequency"),
    "waves": Shift("four harmonics of random phase", family="waves"),
    "bumps": Shift("three narrow bumps", family="bumps"),
}

#: Others, to choose a model by before it is tested on those.
VALIDATION_SHIFTS = {
    "some-noise": Shift("noise of deviation 0.5 on 15 % of the nodes", noise=0.5, share=0.15),
    "larger": Shift("amplitude 1.25", amplitude=1.25),
    "moved": Shift("moved by up to a tenth of the period", family="moved"),
}


class Shifted(NamedTuple):
    """Initial states as a model is shown them, and the solutions from the true ones."""

    initial: Float[np.ndarray, "N S"]
    solutions: Samples


def shifted(make: Callable[..., Samples], name: str, n: int, seed: int, **grid: int) -> Shifted:
    """`n` solutions made by a set's `make` under the shift of this name, and their initial states, disturbed if so.

    `grid` is passed on, e.g. `nodes=101`. Raises `ConfigError` for a name in neither of the two lists.
    """
    shift = look_up(SHIFTS | VALIDATION_SHIFTS, name, "shift")
    solutions = make(n, seed, family=shift.family, amplitude=shift.amplitude, **grid)
    initial = np.asarray(solutions.X[:, : solutions.sample_shape[1]])
    return Shifted(with_noise(initial, shift.noise, shift.share, seed=seed), solutions)


def with_noise(
    fields: Float[np.ndarray, "N S"], deviation: float, share: float, *, seed: int
) -> Float[np.ndarray, "N S"]:
    """The fields with Gaussian noise on this share of their nodes, other ones in each, and at least one.

    Raises `ConfigError` for a negative deviation and a share outside of (0, 1].
    """
    if not 0 <= deviation < np.inf or not 0 < share <= 1:
        raise ConfigError(
            f"noise of deviation {deviation:g} on a share of {share:g} of the nodes: expected a deviation of 0 or "
            "more, and a share above 0 and up to 1."
        )
    # The second number keeps the noise apart from what the set itself draws from the same seed.
    rng = np.random.default_rng([seed, 1])
    size = fields.shape[1]
    noise = rng.normal(0, deviation, fields.shape)
    order = rng.permuted(np.tile(np.arange(size), (len(fields), 1)), axis=1)
    return (fields + noise * (order < max(1, round(share * size)))).astype(fields.dtype)
