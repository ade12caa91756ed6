"""What the published code computes in place of the wave equation. For comparisons only: it is not that equation.

Song, Keller, Sebe and Welling 2023, arXiv 2304.12944, code of October 2023 (re-derived from its behaviour).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.potential.potential import Latent, PotentialFunction, Time


def row_sums(f: Callable[[Latent], Float[Array, ""]], z: Latent) -> Latent:
    """The Hessian of f at z times (1, ..., 1): for f = ½ zᵀAz these are sums of rows of A, and not its trace."""
    return jax.jvp(jax.grad(f), (z,), (jnp.ones_like(z),))[1]


def wave_loss(u: PotentialFunction, z: Float[Array, "batch n"], t: Time, speed: Float[Array, ""]) -> Float[Array, ""]:
    """The mean of (Σ_batch ∂²u/∂t² - c² (H 1)_i)² over batch and coordinates; one t for the batch.

    The time derivatives of all samples are added up, so the value grows with the size of the batch.
    """
    total = lambda t: jnp.sum(jax.vmap(lambda z: u(z, t))(z))
    summed: Array = jax.grad(jax.grad(total))(t)
    rows = jax.vmap(lambda z: row_sums(lambda z: u(z, t), z))(z)
    return jnp.mean((summed - speed**2 * rows) ** 2)
