"""The order of symmetric matrices: A ⪰ B where A - B has no negative eigenvalue, and how far from it two metrics are.

A metric g ⪰ κ Σ is nowhere shorter than √κ times the reference metric Σ in any direction, so its volume is bounded from
below. The penalty is a function of eigenvalues that is smooth where eigenvalues meet and where they change sign.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.linear_algebra import symmetric_eigen

Matrix = Float[Array, "n n"]
Scalar = Float[Array, ""]


@jax.custom_jvp
def negative_energy(matrix: Matrix) -> Scalar:
    """The sum of λ² over the negative eigenvalues λ of a symmetric matrix. Its gradient is twice `negative_part`.

    Once continuously differentiable everywhere, equal eigenvalues included.
    """
    values, _ = symmetric_eigen(matrix)
    return jnp.sum(jnp.minimum(values, 0) ** 2)


@negative_energy.defjvp
def _negative_energy_jvp(primals, tangents):
    values, vectors = symmetric_eigen(primals[0])
    negative = jnp.minimum(values, 0)
    part = (vectors * negative[None]) @ vectors.T
    return jnp.sum(negative**2), 2 * jnp.sum(part * tangents[0])


def negative_part(matrix: Matrix) -> Matrix:
    """The symmetric matrix with only the negative eigenvalues: minus the distance to the nearest that is ⪰ 0."""
    values, vectors = symmetric_eigen(matrix)
    return (vectors * jnp.minimum(values, 0)[None]) @ vectors.T


def order_penalty(g: Matrix, lower: Matrix) -> Scalar:
    """How far g ⪰ lower is from true: the mean over all n eigenvalues λ of g - lower of min(λ, 0)²."""
    return negative_energy(g - lower) / g.shape[0]


def order_violation(g: Matrix, lower: Matrix, tolerance: float = 1e-4) -> Scalar:
    """The share of the eigenvalues of g - lower that are below zero by more than the tolerance.

    That is relative to the mean eigenvalue of g plus that of lower, so the unit of length does not matter.
    """
    values, _ = symmetric_eigen(g - lower)
    size = (jnp.trace(g) + jnp.trace(lower)) / g.shape[0]
    return jnp.mean((values < -tolerance * size).astype(g.dtype))
