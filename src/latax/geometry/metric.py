"""The metric that a decoder pulls back to its latent space: lengths, volumes and how far from isometric it is.

For a map f from latent coordinates z (n,) to data (d,), d >= n, with Jacobian J: G = J^T J. A latent velocity v has the
length √(v^T G v) in units of the data.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.calculus import VectorMap, gram, jacobian_by_jvps, pushforward
from latax.geometry.smooth import norm
from latax.linear_algebra import log_abs_diagonal_of_r, orthonormalise

Vector = Float[Array, " n"]
Scalar = Float[Array, ""]


def pullback_metric(f: VectorMap, z: Vector) -> Float[Array, "n n"]:
    """G = J^T J at z."""
    return gram(f, z)


def log_volume(f: VectorMap, z: Vector) -> Scalar:
    """1/2 log det G at z, as the sum of log R_ii of J = Q R; -inf where J has not full rank."""
    return log_abs_diagonal_of_r(jacobian_by_jvps(f, z)[1])


def condition_number(f: VectorMap, z: Vector) -> Scalar:
    """The greatest singular value of J at z divided by the least: 1 for a conformal map; that of G is its square."""
    singular = jnp.linalg.svd(orthonormalise(jacobian_by_jvps(f, z)[1])[1], compute_uv=False)
    return singular[0] / singular[-1]


def speed(f: VectorMap, z: Vector, velocity: Vector) -> Scalar:
    """√(v^T G v): the length, in units of the data, of a latent velocity at z."""
    return norm(pushforward(f, z, velocity)[1])
