"""Linear maps between coupling layers, which decide what the layers see as their two halves.

`Permutation` deals the features anew; `LUMixing` follows it by a trainable matrix L U (Kingma and Dhariwal 2018,
arXiv 1807.03039, section 3.2, and Durkan et al. 2019, arXiv 1906.04032, section 4).
"""

import functools
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from latax._errors import ConfigError
from latax.linear_algebra import inverse_lower
from latax.nn.linear import zeros

Mixing = Literal["permutation", "lu"]


class Permutation(AbstractBijection):
    """A fixed reordering, y[i] = x[order[i]].

    The order is an array, not part of the program, so that replicates with different orders share one program.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    cond_shape: None = eqx.field(static=True)
    order: Int[Array, " d"]
    inverse_order: Int[Array, " d"]

    def __init__(self, order: Int[Array, " d"]):
        self.shape = order.shape
        self.cond_shape = None
        self.order = order
        self.inverse_order = _inverse(order)

    def transform_and_log_det(self, x, condition=None):
        """Latent to data, with log-determinant zero."""
        x = jnp.asarray(x)
        return _take(x, self.order), jnp.zeros((), x.dtype)

    def inverse_and_log_det(self, y, condition=None):
        """Data to latent, with log-determinant zero."""
        y = jnp.asarray(y)
        return _take(y, self.inverse_order), jnp.zeros((), y.dtype)


class LUMixing(AbstractBijection):
    """A trainable invertible linear map y = L U x + bias that starts as the identity.

    L has a unit diagonal and U the diagonal exp(log_diagonal), so that the log-determinant is the sum of
    `log_diagonal`.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    cond_shape: None = eqx.field(static=True)
    lower: Float[Array, "d d"]
    upper: Float[Array, "d d"]
    log_diagonal: Float[Array, " d"]
    bias: Float[Array, " d"]

    def __init__(self, size: int):
        self.shape = (size,)
        self.cond_shape = None
        self.lower = zeros(size, size)
        self.upper = zeros(size, size)
        self.log_diagonal = zeros(size)
        self.bias = zeros(size)

    def transform_and_log_det(self, x, condition=None):
        """Latent to data."""
        lower, upper = self._factors()
        return lower @ (upper @ x) + self.bias, jnp.sum(self.log_diagonal)

    def inverse_and_log_det(self, y, condition=None):
        """Data to latent."""
        lower, upper = self._factors()
        # Under vmap over samples the two inverses are made once for the whole batch.
        return inverse_lower(upper.T).T @ (inverse_lower(lower) @ (y - self.bias)), -jnp.sum(self.log_diagonal)

    def _factors(self) -> tuple[Array, Array]:
        unit = jnp.eye(self.shape[0], dtype=self.lower.dtype)
        return jnp.tril(self.lower, -1) + unit, jnp.triu(self.upper, 1) + jnp.diag(jnp.exp(self.log_diagonal))


def check_mixing(mixing: str) -> None:
    """Refuse a kind of mixing that does not exist."""
    if mixing not in ("permutation", "lu"):
        raise ConfigError(
            f"mixing={mixing!r} is not known. Use mixing='permutation' (a fixed random reordering of the features) "
            "or mixing='lu' (the reordering followed by a trainable linear map; better above some ten features)."
        )


@jax.jit
def _inverse(order: Int[Array, " d"]) -> Int[Array, " d"]:
    # Cheaper to compile than a sort.
    places = jnp.arange(order.shape[0], dtype=order.dtype)
    return jnp.zeros_like(order).at[order].set(places, mode="promise_in_bounds", unique_indices=True)


def _take(x: Shaped[Array, " d"], order: Int[Array, " d"]) -> Shaped[Array, " d"]:
    return x.at[order].get(mode="promise_in_bounds", unique_indices=True)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def deals(
    size: int, rounds: tuple[int, ...], step: int, *, key: PRNGKeyArray
) -> tuple[Int[Array, "layers d"], Int[Array, " d"]]:
    """The reordering before each layer, and the one that brings every feature back to its place after them all.

    `rounds` says how many layers each random deal serves. Within a round the features turn on a circle by `step` places
    from layer to layer.
    """
    arrangements = [
        jnp.roll(deal, turn * step)
        for deal, layers in zip(jnp.argsort(jax.random.uniform(key, (len(rounds), size)), axis=1), rounds, strict=True)
        for turn in range(layers)
    ]
    places = jnp.arange(size)
    orders = []
    for arrangement in arrangements:
        orders.append(_take(_inverse(places), arrangement))
        places = arrangement
    return jnp.stack(orders), _inverse(places)
