r"""Gaussian angles on an n-sphere whose width and azimuth depend on a context θ ∈ [-1, 1]².

As `latax.data.sphere`, with (Brehmer & Cranmer 2020; definition of their released simulator)

$$\theta \sim U[-1,1]^2, \qquad \sigma = 0.1\pi + \tfrac{1 + \theta_0}{2}\,(0.4\pi - 0.1\pi) \text{ for every angle},
\qquad \mu_n = \tfrac{\pi}{2} + \tfrac{1 + \theta_1}{2}\,\pi, \quad \mu_k = \tfrac{\pi}{2} \text{ for } k < n.$$

(The released code's density integrates to e = 2.7187 here: it adds |r| where log |r| is meant.)
"""

import math

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError
from latax.data import sphere
from latax.data.samples import Samples


def make(
    n: int,
    seed: int,
    *,
    theta: tuple[float, float] | None = None,
    dimension: int = 2,
    noise: float = sphere.NOISE,
) -> Samples:
    """`n` samples around the unit sphere in R^(dimension + 1), with their context θ (N, 2).

    θ is drawn uniformly from [-1, 1]² for each sample unless one `theta` is given for all.
    """
    if dimension < 1:
        raise ConfigError(f"a sphere needs dimension >= 1, not {dimension}.")
    rng = np.random.default_rng(seed)
    thetas = rng.uniform(-1, 1, (n, 2)) if theta is None else np.tile(np.asarray(theta, float), (n, 1))
    means, stds = angle_moments(thetas, dimension)
    points = sphere.from_angles(rng.normal(means, stds))
    drawn = "θ ~ U[-1, 1]²" if theta is None else f"θ = {theta}"
    return Samples(
        sphere.add_noise(points, dimension + 1, noise, rng),
        context=thetas,
        context_names=("theta0", "theta1"),
        origin=f"built-in conditional sphere: dimension {dimension}, {drawn}, noise {noise}, seed {seed}",
    )


def angle_moments(
    theta: Float[np.ndarray, "N 2"], dimension: int
) -> tuple[Float[np.ndarray, "N n"], Float[np.ndarray, "N n"]]:
    """Means and standard deviations (radians) of the angles, given the context."""
    means = np.full((len(theta), dimension), math.pi / 2)
    means[:, -1] += 0.5 * (1 + theta[:, 1]) * math.pi
    width = 0.1 * math.pi + 0.5 * (1 + theta[:, 0]) * 0.3 * math.pi
    return means, np.tile(width[:, None], (1, dimension))


def log_prob(X: Float[np.ndarray, "N m"], context: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, " N"]:
    """Exact log density on the sphere (nats, per unit of area) at the radial projection of each row, given θ."""
    return sphere.angles_log_prob(X, *angle_moments(context, X.shape[1] - 1))


def ambient_log_prob(
    X: Float[np.ndarray, "N m"], context: Float[np.ndarray, "N 2"], *, noise: float = sphere.NOISE
) -> Float[np.ndarray, " N"]:
    """Exact log density in R^(n+1) (nats) of the noisy samples, given θ."""
    return log_prob(X, context) + sphere.noise_log_prob(X, X.shape[1] - 1, noise)


def distance(X: Float[np.ndarray, "N m"]) -> Float[np.ndarray, " N"]:
    """Euclidean distance of each row of `X` to the unit sphere."""
    return sphere.distance(X, dimension=X.shape[1] - 1)
