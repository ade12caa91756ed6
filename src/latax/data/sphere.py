r"""Gaussian angles on an n-sphere, with a little noise around it (Brehmer & Cranmer 2020; their code's defaults).

$$\varphi_k \sim N(\mu_k, \sigma_k^2),\ k = 1..n, \qquad r \sim N(1, \varepsilon^2), \qquad
x = r\,(\cos\varphi_1, \sin\varphi_1\cos\varphi_2, \dots, \sin\varphi_1\cdots\sin\varphi_n)$$

with $\mu_k = \pi/2$, $\sigma_k = \pi/4$ and $\varepsilon = 0.01$; further ambient coordinates, if any, are
$N(0, \varepsilon^2)$. The angles cover the sphere many times over: a point has one preimage for every shift of an
angle by $2\pi$, and for each $k < n$ also the one with $\varphi_k \to -\varphi_k$, which turns the coordinates after
it round. The exact density on the sphere is the sum over all of them. (The released code added the Jacobian where it
must be subtracted and summed preimages one dimension at a time: its density integrates to 5.69 on the 2-sphere.)

Everything here is NumPy in float64 on batches: this is the truth that models are compared with. As an embedding,
the sphere in the same angles is `latax.density.charts.Sphere`.
"""

import math

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError
from latax.data.samples import Samples

MEAN = math.pi / 2
STD = math.pi / 4
NOISE = 0.01

# Shifts by 2 pi on each side of the nearest one; the broadest width used (0.4 pi) leaves exp(-150) outside.
_SHIFTS = 3


def make(n: int, seed: int, *, dimension: int = 2, ambient_size: int | None = None, noise: float = NOISE) -> Samples:
    """`n` samples around the unit sphere of this `dimension` in R^ambient_size (by default dimension + 1).

    `noise` is the standard deviation of the radius and of the further coordinates; 0 puts every point on the sphere.
    Raises `ConfigError` when the sphere does not fit into the ambient space.
    """
    size = dimension + 1 if ambient_size is None else ambient_size
    if dimension < 1 or size < dimension + 1:
        raise ConfigError(
            f"a sphere of dimension {dimension} does not fit into {size} ambient dimensions; "
            "take dimension >= 1 and ambient_size >= dimension + 1."
        )
    rng = np.random.default_rng(seed)
    angles = rng.normal(MEAN, STD, (n, dimension))
    return Samples(
        add_noise(from_angles(angles), size, noise, rng),
        origin=f"built-in sphere: dimension {dimension} in {size}, noise {noise}, seed {seed}",
    )


def add_noise(
    sphere: Float[np.ndarray, "N m"], ambient_size: int, noise: float, rng: np.random.Generator
) -> Float[np.ndarray, "N d"]:
    """Scale points of the unit sphere by a radius N(1, noise²) and append coordinates N(0, noise²)."""
    rows, width = sphere.shape
    radius = rng.normal(1.0, noise, (rows, 1))
    return np.concatenate([radius * sphere, rng.normal(0.0, noise, (rows, ambient_size - width))], axis=1)


def from_angles(angles: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N m"]:
    """Points on the unit n-sphere in R^(n+1) from hyperspherical angles."""
    ones = np.ones((len(angles), 1))
    sines = np.concatenate([ones, np.cumprod(np.sin(angles), axis=1)], axis=1)
    return sines * np.concatenate([np.cos(angles), ones], axis=1)


def to_angles(points: Float[np.ndarray, "N m"]) -> Float[np.ndarray, "N n"]:
    """The angles of points of R^(n+1) seen from the origin: the first n-1 in [0, π], the last in [0, 2π)."""
    tails = np.sqrt(np.cumsum(points[:, ::-1] ** 2, axis=1))[:, ::-1]
    polar = np.arctan2(tails[:, 1:-1], points[:, :-2])
    azimuth = np.arctan2(points[:, -1:], points[:, -2:-1]) % (2 * math.pi)
    return np.concatenate([polar, azimuth], axis=1)


def wrapped_normal_log_density(
    angle: Float[np.ndarray, " N"], mean: Float[np.ndarray, " N"] | float, std: Float[np.ndarray, " N"] | float
) -> Float[np.ndarray, " N"]:
    """Log density on the circle of a normal angle taken modulo 2π: the log of the sum over all shifts by 2π."""
    offset = (angle - mean + math.pi) % (2 * math.pi) - math.pi
    terms = [-0.5 * ((offset + 2 * math.pi * j) / std) ** 2 for j in range(-_SHIFTS, _SHIFTS + 1)]
    return np.logaddexp.reduce(terms, axis=0) - np.log(std) - 0.5 * math.log(2 * math.pi)


def angles_log_prob(
    points: Float[np.ndarray, "N m"], means: Float[np.ndarray, "#N n"], stds: Float[np.ndarray, "#N n"]
) -> Float[np.ndarray, " N"]:
    """Exact log density, with respect to the area of the unit n-sphere, of independent normal angles.

    `points` (N, n+1) are seen from the origin: their radius does not matter. The sum over the preimages goes angle
    by angle and keeps two terms, one for each sign that the remaining coordinates may have, so it costs O(n) and not
    O(2^n). The density is infinite, integrably, where a polar angle is 0 or π.
    """
    angles = to_angles(points)
    rows, dimension = angles.shape
    means, stds = np.broadcast_to(means, angles.shape), np.broadcast_to(stds, angles.shape)
    upright, turned = np.zeros(rows), np.full(rows, -np.inf)
    log_area = np.zeros(rows)
    for k in range(dimension - 1):

        def density(angle: Float[np.ndarray, " N"], k: int = k) -> Float[np.ndarray, " N"]:
            return wrapped_normal_log_density(angle, means[:, k], stds[:, k])

        theta = angles[:, k]
        upright, turned = (
            np.logaddexp(upright + density(theta), turned + density(theta - math.pi)),
            np.logaddexp(upright + density(-theta), turned + density(math.pi - theta)),
        )
        with np.errstate(divide="ignore"):
            log_area += (dimension - 1 - k) * np.log(np.sin(theta))
    azimuth, mean, std = angles[:, -1], means[:, -1], stds[:, -1]
    total = np.logaddexp(
        upright + wrapped_normal_log_density(azimuth, mean, std),
        turned + wrapped_normal_log_density(azimuth + math.pi, mean, std),
    )
    return total - log_area


def log_prob(X: Float[np.ndarray, "N d"], *, dimension: int = 2) -> Float[np.ndarray, " N"]:
    """Exact log density on the sphere (nats, per unit of area) at the radial projection of each row of `X`."""
    return angles_log_prob(X[:, : dimension + 1], np.full((1, dimension), MEAN), np.full((1, dimension), STD))


def ambient_log_prob(
    X: Float[np.ndarray, "N d"], *, dimension: int = 2, noise: float = NOISE
) -> Float[np.ndarray, " N"]:
    """Exact log density in R^d (nats) of the noisy samples, rows of `X`.

    Negative radii, whose probability is below 1e-2000 at the default noise, are left out.
    """
    return log_prob(X, dimension=dimension) + noise_log_prob(X, dimension, noise)


def noise_log_prob(X: Float[np.ndarray, "N d"], dimension: int, noise: float) -> Float[np.ndarray, " N"]:
    """What the noise adds to the log density on the unit n-sphere to make it one in R^d: radius, its r^n, and rest."""
    radius = np.linalg.norm(X[:, : dimension + 1], axis=1)
    squares = (radius - 1) ** 2 + np.sum(X[:, dimension + 1 :] ** 2, axis=1)
    count = X.shape[1] - dimension
    log_normal = -0.5 * squares / noise**2 - count * (math.log(noise) + 0.5 * math.log(2 * math.pi))
    return log_normal - dimension * np.log(radius)


def distance(X: Float[np.ndarray, "N d"], *, dimension: int = 2) -> Float[np.ndarray, " N"]:
    """Euclidean distance of each row of `X` to the unit sphere of the first dimension + 1 coordinates."""
    radius = np.linalg.norm(X[:, : dimension + 1], axis=1)
    return np.hypot(radius - 1, np.linalg.norm(X[:, dimension + 1 :], axis=1))
