"""Log-volumes from random directions, without the Jacobian: for many latent coordinates.

With G = J^T J and directions e that satisfy E[e e^T] = I,

    1/2 log det G = 1/2 E[e^T log(G) e],     d(1/2 log det G) = 1/2 E[(G^-1 e)^T dG e].

The gradient is that of rectangular flows (Caterini et al. 2021, arXiv 2106.01413, equation 12). There the loss has the
value of the surrogate (G^-1 e)^T G e, which is n whatever G is. Here the value estimates the log-volume too: both come
from one Krylov space, by Golub and Kahan's bidiagonalisation of J (so the condition number is not squared) and
Gauss quadrature (Golub and Meurant 2010, Matrices, Moments and Quadrature, chapter 6).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError

Linear = Callable[[Float[Array, " a"]], Float[Array, " b"]]


def stochastic_log_volume(
    embed: Callable[[Float[Array, " n"]], Float[Array, " d"]],
    u: Float[Array, " n"],
    *,
    probes: int,
    steps: int,
    key: PRNGKeyArray,
) -> Float[Array, ""]:
    """An estimate of 1/2 log det J^T J at u, whose gradient estimates the gradient.

    The directions are orthonormal, times sqrt(n), which has less variance than independent ones; with `probes` = n
    the result is exact. Value and gradient are unbiased if `steps` >= n, up to rounding; fewer steps leave the error
    of that many conjugate-gradient iterations, small when J is well conditioned. One probe costs `steps` products with
    J and with J^T, and two products that are differentiated. Raises `ConfigError` unless 1 <= probes <= n and
    steps >= 1.
    """
    n = u.shape[0]
    if not 1 <= probes <= n or steps < 1:
        raise ConfigError(
            f"probes={probes}, steps={steps} cannot estimate the volume of {n} latent coordinates. "
            f"Use between 1 and {n} probes and at least one step."
        )
    directions = n**0.5 * jnp.linalg.qr(jax.random.normal(key, (n, probes), u.dtype))[0].T
    _, push = jax.linearize(embed, u)

    def one(direction: Float[Array, " n"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        value, solution = jax.lax.stop_gradient(_quadrature(push, direction, min(steps, n)))
        return value, jnp.vdot(push(solution), push(direction)) / 2

    values, surrogates = jax.vmap(one)(directions)
    surrogate = jnp.mean(surrogates)
    return jnp.mean(values) + surrogate - jax.lax.stop_gradient(surrogate)


def _quadrature(push: Linear, e: Float[Array, " n"], steps: int) -> tuple[Float[Array, ""], Float[Array, " n"]]:
    """1/2 e^T log(J^T J) e and (J^T J)^-1 e for the matrix J of the linear map `push`."""
    length = jnp.linalg.norm(e)
    diagonal, above, basis = _bidiagonalise(push, e / length, steps)
    _, singular, right = jnp.linalg.svd(jnp.diag(diagonal) + jnp.diag(above[:-1], 1))
    weights = right[:, 0]
    value = length**2 * jnp.sum(weights**2 * jnp.log(singular))
    return value, length * basis.T @ (right.T @ (weights / singular**2))


def _bidiagonalise(
    push: Linear, start: Float[Array, " n"], steps: int
) -> tuple[Float[Array, " m"], Float[Array, " m"], Float[Array, "m n"]]:
    """Diagonal and superdiagonal of B, and V with orthonormal rows, such that J V^T = U^T B; V[0] = start.

    The last entry of the superdiagonal is left over. If the Krylov space is exhausted earlier, the remaining rows of V
    are zero and the remaining diagonal is one, which adds nothing to logarithm or solution.
    """
    pull = jax.linear_transpose(push, start)
    image_size = jax.eval_shape(push, start).shape[0]
    smallest = 100 * jnp.finfo(start.dtype).eps

    def step(carry, index):
        v, beta, left, basis, scale = carry
        alive = jnp.any(v != 0)
        raw = push(v)
        scale = jnp.maximum(scale, jnp.linalg.norm(raw))
        image = _orthogonal(raw, left)
        alpha = jnp.linalg.norm(image)
        left = left.at[index].set(image / jnp.where(alpha > 0, alpha, 1))
        basis = basis.at[index].set(v)
        following = _orthogonal(pull(left[index])[0], basis)
        beta = jnp.linalg.norm(following)
        goes_on = alive & (beta > smallest * scale)
        beta = jnp.where(goes_on, beta, 0)
        v = jnp.where(goes_on, following / jnp.where(goes_on, beta, 1), 0)
        return (v, beta, left, basis, scale), (jnp.where(alive, alpha, 1), beta)

    zero = jnp.zeros((), start.dtype)
    left = jnp.zeros((steps, image_size), start.dtype)
    basis = jnp.zeros((steps, start.shape[0]), start.dtype)
    carry, (diagonal, above) = jax.lax.scan(step, (start, zero, left, basis, zero), jnp.arange(steps))
    return diagonal, above, carry[3]


def _orthogonal(vector: Float[Array, " a"], rows: Float[Array, "m a"]) -> Float[Array, " a"]:
    """The part of the vector orthogonal to all rows; twice, because once is not enough in floating point."""
    for _ in range(2):
        vector = vector - rows.T @ (rows @ vector)
    return vector
