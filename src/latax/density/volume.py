"""Log-volumes: 1/2 log det J^T J for the Jacobian J (d x n) of an embedding: how much it stretches n-volume."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def embed_and_log_volume(
    embed: Callable[[Float[Array, " n"]], Float[Array, " d"]], u: Float[Array, " n"]
) -> tuple[Float[Array, " d"], Float[Array, ""]]:
    """The image of u and the exact log-volume there, for little more than the cost of the Jacobian.

    n forward-mode derivatives and a QR decomposition: the sum of log |R_ii|. J^T J, whose condition number is the
    square, is never formed.
    """
    x, pushforward = jax.linearize(embed, u)
    columns = jax.vmap(pushforward)(jnp.eye(u.shape[0], dtype=u.dtype))
    triangle = jnp.linalg.qr(columns.T, mode="r")
    return x, jnp.sum(jnp.log(jnp.abs(jnp.diagonal(triangle))))


def log_volume(embed: Callable, u: Float[Array, " n"]) -> Float[Array, ""]:
    """1/2 log det J^T J of `embed` at u."""
    return embed_and_log_volume(embed, u)[1]
