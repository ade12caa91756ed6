"""Curvature of a metric that is given as a function of the point, without a surface that has it.

Sign and scale: the sphere of dimension n and radius r has the Ricci tensor (n - 1) g / r² and the scalar curvature
n (n - 1) / r² (do Carmo, Riemannian Geometry, 1992, chapter 4, where the traces are divided by n - 1 and n as well).
Derivatives of the metric are taken up to the second order, so it has to be smooth.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Vector = Float[Array, " n"]
Matrix = Float[Array, "n n"]
Scalar = Float[Array, ""]
MetricField = Callable[[Vector], Matrix]


def ricci_tensor(metric: MetricField, u: Vector) -> Matrix:
    """R_ij = ∂_k Γ^k_ij - ∂_j Γ^k_ik + Γ^k_kl Γ^l_ij - Γ^k_jl Γ^l_ik; nan or inf where the metric is singular."""
    gamma = _christoffel(metric, u)
    change = jax.jacfwd(lambda u: _christoffel(metric, u))(u)  # [k, i, j, m]: by u_m
    linear = jnp.einsum("kijk->ij", change) - jnp.einsum("kikj->ij", change)
    products = jnp.einsum("kkl,lij->ij", gamma, gamma) - jnp.einsum("kjl,lik->ij", gamma, gamma)
    found = linear + products
    return (found + found.T) / 2


def scalar_curvature(metric: MetricField, u: Vector) -> Scalar:
    """The trace of the Ricci tensor by the metric; twice the Gaussian curvature of a surface."""
    return jnp.trace(jnp.linalg.solve(metric(u), ricci_tensor(metric, u)))


def _christoffel(metric: MetricField, u: Vector) -> Float[Array, "n n n"]:
    """Γ^k_ij as an array [k, i, j]: ½ g^kl (∂_i g_jl + ∂_j g_il - ∂_l g_ij)."""
    n = u.shape[0]
    change = jax.jacfwd(metric)(u)  # [i, j, m]: by u_m
    lower = (jnp.einsum("jli->lij", change) + jnp.einsum("ilj->lij", change) - jnp.einsum("ijl->lij", change)) / 2
    return jnp.linalg.solve(metric(u), lower.reshape(n, -1)).reshape(n, n, n)
