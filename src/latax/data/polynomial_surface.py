r"""A mixture of two Gaussians on a polynomial surface in R³, given a parameter θ (Brehmer & Cranmer 2020, sec. 4).

$$z \sim 0.6\,N\big((1,-1),\,2^2 I\big) + 0.4\,N\big((-1,1),\,s(\theta)^2 I\big), \qquad
s(\theta) = 0.2 + 0.8\,\tfrac{1+\theta}{2}, \qquad \theta \sim U[-1,1]$$

$$x = R\,(z_0, z_1, F(z))^T, \qquad F(z) = e^{-|z|^2/10} \sum_{i+j \le 5} a_{ij}\, z_0^i z_1^j$$

with frozen coefficients and a frozen rotation. The exact density on the surface is $p(z|\theta)/\sqrt{1+|\nabla F|^2}$,
and its entropy, the least NLL that any model can have, is 3.306596, 4.110399 and 4.450250 nats at θ = -1, 0 and 1.
(The released code's `log_density` is instead that of a slab of half-width 1e-3, and one outside of it.)

The truth is NumPy in float64 on batches; `PolynomialSurfaceChart` is the same surface as a JAX embedding.
"""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.polynomial import polyder, polyval2d

from latax._errors import ConfigError
from latax.data.samples import Samples
from latax.density.embedding import AbstractEmbedding

# In the order 1, z0, z1, z0², z0 z1, z1², z0³, ...
_GRADED = (
    -1.21685866, 1.52221851, -1.21371848, 0.05650829, -0.02389158, -0.04667901, -0.05568487,
    -0.00767495, -0.05717929, -0.05169484, 0.01371357, 0.00019578, -0.00708568, -0.00662612,
    0.0033305, -0.00832319, -0.01095186, 0.00408107, -0.00464778, -0.00880601, 0.0121157,
)  # fmt: skip
_DEGREE = 5
_PRINTED_ROTATION = (
    (0.97388722, -0.22686057, -0.00883027),
    (0.22703194, 0.97307389, 0.03979568),
    (-0.00043557, -0.04076126, 0.99916882),
)

WEIGHTS = (0.6, 0.4)
CENTRES = ((1.0, -1.0), (-1.0, 1.0))
BROAD = 2.0


def _coefficient_matrix() -> Float[np.ndarray, "6 6"]:
    """a_ij, the coefficient of z0^i z1^j."""
    exponents = [(degree - j, j) for degree in range(_DEGREE + 1) for j in range(degree + 1)]
    matrix = np.zeros((_DEGREE + 1, _DEGREE + 1))
    for (i, j), value in zip(exponents, _GRADED, strict=True):
        matrix[i, j] = value
    return matrix


def _nearest_rotation() -> Float[np.ndarray, "3 3"]:
    """The rotation nearest to the printed one, which eight digits leave orthogonal to 1e-8 only.

    It agrees with every printed digit, and makes R^T the inverse of R to machine precision.
    """
    left, _, right = np.linalg.svd(np.asarray(_PRINTED_ROTATION))
    return left @ right


COEFFICIENTS = _coefficient_matrix()
ROTATION = _nearest_rotation()


def narrow_width(theta: Float[np.ndarray, " N"] | float) -> Float[np.ndarray, " N"] | float:
    """s(θ), the standard deviation of the narrow component: 0.2 at θ = -1, 1 at θ = 1."""
    return 0.2 + 0.4 * (1.0 + theta)


def make(n: int, seed: int, *, theta: float | None = None, noise: float = 0.0) -> Samples:
    """`n` samples x (N, 3) with their context θ (N, 1), drawn uniformly from [-1, 1] unless one `theta` is given.

    `noise` is the standard deviation of isotropic noise added in R³: θ = 0 and 0.1 give the paper's
    out-of-distribution set. Raises `ConfigError` for a θ outside [-1, 1].
    """
    if theta is not None and not -1 <= theta <= 1:
        raise ConfigError(f"theta = {theta} is outside of [-1, 1], where the polynomial surface is defined.")
    rng = np.random.default_rng(seed)
    thetas = rng.uniform(-1, 1, n) if theta is None else np.full(n, float(theta))
    narrow = rng.uniform(size=n) >= WEIGHTS[0]
    width = np.where(narrow, narrow_width(thetas), BROAD)
    z = np.asarray(CENTRES)[narrow.astype(int)] + width[:, None] * rng.normal(size=(n, 2))
    drawn = "θ ~ U[-1, 1]" if theta is None else f"θ = {theta}"
    return Samples(
        embed(z) + noise * rng.normal(size=(n, 3)),
        context=thetas[:, None],
        context_names=("theta",),
        origin=f"built-in polynomial surface: {drawn}, noise {noise}, seed {seed}",
    )


def height(z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, " N"]:
    """F(z), the height of the surface before it is rotated."""
    return np.exp(-0.1 * np.sum(z**2, axis=1)) * polyval2d(z[:, 0], z[:, 1], COEFFICIENTS)


def log_volume(z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, " N"]:
    """½ log det JᵀJ of the embedding: ½ log(1 + |∇F|²), the gradient in closed form."""
    fall = np.exp(-0.1 * np.sum(z**2, axis=1))
    value = polyval2d(z[:, 0], z[:, 1], COEFFICIENTS)
    slopes = [polyval2d(z[:, 0], z[:, 1], polyder(COEFFICIENTS, axis=k)) - 0.2 * z[:, k] * value for k in range(2)]
    return 0.5 * np.log1p(fall**2 * (slopes[0] ** 2 + slopes[1] ** 2))


def embed(z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 3"]:
    """x = R (z0, z1, F(z))."""
    return np.column_stack([z, height(z)]) @ ROTATION.T


def project(X: Float[np.ndarray, "N 3"]) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " N"]]:
    """The z below each point and its offset from the surface along the third unrotated axis."""
    unrotated = X @ ROTATION
    return unrotated[:, :2], unrotated[:, 2] - height(unrotated[:, :2])


def distance(X: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, " N"]:
    """|offset| along the third unrotated axis: the paper's distance; never less than the orthogonal one."""
    return np.abs(project(X)[1])


def latent_log_prob(z: Float[np.ndarray, "N 2"], theta: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """log p(z|θ) (nats, per unit of area of the z plane)."""
    terms = []
    for weight, centre, width in zip(WEIGHTS, CENTRES, (np.full_like(theta, BROAD), narrow_width(theta)), strict=True):
        squares = np.sum((z - np.asarray(centre)) ** 2, axis=1) / width**2
        terms.append(math.log(weight) - 0.5 * squares - np.log(2 * math.pi * width**2))
    return np.logaddexp(terms[0], terms[1])


def log_prob(X: Float[np.ndarray, "N 3"], context: Float[np.ndarray, "N 1"]) -> Float[np.ndarray, " N"]:
    """Exact log density on the surface (nats, per unit of area) at the vertical projection of each row, given θ."""
    z, _ = project(X)
    return latent_log_prob(z, context[:, 0]) - log_volume(z)


def optimal_nll(theta: float) -> float:
    """The entropy of the density on the surface at this θ, in nats: what a perfect model reaches.

    By the trapezoidal rule, which converges faster than any power of the step on a smooth function that vanishes at
    the boundary; the step is a fifth of the narrow width. Good to 1e-6.
    """
    width = float(narrow_width(theta))
    broad = _entropy_part(0, 0.1, theta)
    narrow = _entropy_part(1, width / 5, theta)
    return WEIGHTS[0] * broad + WEIGHTS[1] * narrow


def _entropy_part(component: int, step: float, theta: float) -> float:
    """-E[log p(x|θ)] with z from one component of the mixture, over its centre ± 9 standard deviations."""
    width = (BROAD, float(narrow_width(theta)))[component]
    axis = np.arange(-9 * width, 9 * width + step / 2, step)
    offsets = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    weights = np.exp(-0.5 * np.sum(offsets**2, axis=1) / width**2)
    z = np.asarray(CENTRES[component]) + offsets
    log_p = latent_log_prob(z, np.full(len(z), theta)) - log_volume(z)
    return float(-np.sum(weights * log_p) / np.sum(weights))


class PolynomialSurfaceChart(AbstractEmbedding):
    """The surface as an embedding of R² in R³, injective everywhere: u = (z0, z1) -> x = R (z0, z1, F(z)).

    Its off-manifold coordinate is the offset along the third unrotated axis. It depends on no context and has no
    parameters; numbers are those of the dtype that comes in.
    """

    in_size: int = eqx.field(default=2, static=True, init=False)
    out_size: int = eqx.field(default=3, static=True, init=False)
    context_size: int | None = eqx.field(default=None, static=True, init=False)

    def embed(self, u: Float[Array, "2"], context: Float[Array, " c"] | None = None) -> Float[Array, "3"]:
        """R (u0, u1, F(u))."""
        return jnp.asarray(ROTATION, u.dtype) @ jnp.append(u, _height(u))

    def project(
        self, x: Float[Array, "3"], context: Float[Array, " c"] | None = None
    ) -> tuple[Float[Array, "2"], Float[Array, "1"]]:
        """The u vertically below or above x, and x's offset from the surface there."""
        unrotated = x @ jnp.asarray(ROTATION, x.dtype)
        u = unrotated[:2]
        return u, unrotated[2:] - _height(u)


def _height(u: Float[Array, "2"]) -> Float[Array, ""]:
    powers = [jnp.ones_like(u)]
    for _ in range(_DEGREE):
        powers.append(powers[-1] * u)
    of_first, of_second = jnp.stack(powers, axis=1)
    return jnp.exp(-0.1 * jnp.sum(u**2)) * (of_first @ jnp.asarray(COEFFICIENTS, u.dtype) @ of_second)
