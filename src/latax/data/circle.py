"""Gaussian angle on the circle: x = r (cos φ, sin φ), φ ~ N(π/2, (π/4)²), r ~ N(1, 0.01²).

The 1-sphere of `latax.data.sphere`, where the definition and its source are. The angle covers the circle many times
over; the exact density on it is a wrapped normal, with entropy `OPTIMAL_NLL` = 1.17718699 nats (1.17737406 for the
unwrapped normal): no model can have a lower expected NLL with respect to arc length.
"""

import numpy as np
from jaxtyping import Float

from latax.data import sphere
from latax.data.samples import Samples

OPTIMAL_NLL = 1.17718699


def make(n: int, seed: int, *, ambient_size: int = 2, noise: float = sphere.NOISE) -> Samples:
    """`n` samples around the unit circle of the first two of `ambient_size` coordinates."""
    samples = sphere.make(n, seed, dimension=1, ambient_size=ambient_size, noise=noise)
    return Samples(samples.X, origin=f"built-in circle: in {ambient_size} dimensions, noise {noise}, seed {seed}")


def log_prob(X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
    """Exact log density on the circle (nats, per unit of arc length) at the radial projection of each row of `X`."""
    return sphere.log_prob(X, dimension=1)


def ambient_log_prob(X: Float[np.ndarray, "N d"], *, noise: float = sphere.NOISE) -> Float[np.ndarray, " N"]:
    """Exact log density in R^d (nats) of the noisy samples; its expectation is 2.0090 in the plane at noise 0.01."""
    return sphere.ambient_log_prob(X, dimension=1, noise=noise)


def distance(X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
    """Euclidean distance of each row of `X` to the circle."""
    return sphere.distance(X, dimension=1)
