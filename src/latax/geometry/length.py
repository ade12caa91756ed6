"""Lengths of latent curves by the metric that a decoder pulls back."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.calculus import VectorMap
from latax.geometry.latent_map import check_map
from latax.geometry.metric import speed
from latax.geometry.smooth import norm

Scalar = Float[Array, ""]
Curve = Callable[[Scalar], Float[Array, " n"]]


def length(f: VectorMap, curve: Float[Array, "points n"] | Curve, *, pieces: int = 32, nodes: int = 5) -> Scalar:
    """The length, in units of the data, of the image of a latent curve under f.

    The speed √(v^T G v) integrated by Gauss and Legendre's rule: with m nodes on pieces of length h, to order 2m in h.

    **Arguments:**

    - `curve`: latent points, joined by straight lines in latent space; or a differentiable function of t in [0, 1].
    - `pieces`: into how many equal ones [0, 1] is divided for a function; points make one piece of each line.
    - `nodes`: at how many times the speed is evaluated in each piece.

    Raises `ConfigError` for fewer than one piece or node, fewer than two points, and a map that does not give a vector
    of at least n numbers.
    """
    if pieces < 1 or nodes < 1:
        raise ConfigError(f"pieces = {pieces}, nodes = {nodes}: both have to be at least 1.")
    if callable(curve):
        return _of_function(f, curve, pieces, nodes)
    if len(curve) < 2:
        raise ConfigError(f"A curve of {len(curve)} points has no length: pass two points or more, shape (points, n).")
    check_map(f, curve[0])
    times, weights = _rule(nodes, curve)

    def of_line(start: Float[Array, " n"], step: Float[Array, " n"]) -> Scalar:
        return jnp.dot(weights, jax.vmap(lambda t: speed(f, start + t * step, step))(times))

    return jnp.sum(jax.vmap(of_line)(curve[:-1], jnp.diff(curve, axis=0)))


def _of_function(f: VectorMap, curve: Curve, pieces: int, nodes: int) -> Scalar:
    zero = jnp.zeros(())
    check_map(f, curve(zero))
    times, weights = _rule(nodes, zero)

    def speed_at(t: Scalar) -> Scalar:
        return norm(jax.jvp(lambda t: f(curve(t)), (t,), (jnp.ones_like(t),))[1])

    starts = jnp.arange(pieces, dtype=zero.dtype)
    speeds = jax.vmap(jax.vmap(speed_at))((starts[:, None] + times[None]) / pieces)
    return jnp.sum(speeds @ weights) / pieces


def _rule(nodes: int, like: Array) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """Times in (0, 1), and weights with the sum 1."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return jnp.asarray((1 + points) / 2, like.dtype), jnp.asarray(weights / 2, like.dtype)
