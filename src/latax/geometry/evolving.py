"""Metrics that change with time: of a moving manifold E(u, t), or any g(u, t), together with their rates.

The rate of a metric is one forward derivative in the time, for all of its entries at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.calculus import jacobian_by_jvps
from latax.geometry.metric import pullback_metric

Vector = Float[Array, " n"]
Matrix = Float[Array, "n n"]
Scalar = Float[Array, ""]
MovingMap = Callable[[Vector, Scalar], Float[Array, " d"]]
MovingMetric = Callable[[Vector, Scalar], Matrix]


def induced_metric(embedding: MovingMap) -> MovingMetric:
    """The metric g(u, t) = J^T J that a moving manifold has at each time, J = ∂E/∂u."""
    return lambda u, t: pullback_metric(lambda point: embedding(point, t), u)


def metric_and_rate(metric: MovingMetric, u: Vector, t: Scalar) -> tuple[Matrix, Matrix]:
    """g(u, t) and ∂_t g(u, t)."""
    return jax.jvp(lambda time: metric(u, time), (t,), (jnp.ones_like(t),))


class MovingFrame(NamedTuple):
    """A moving manifold at one point and time: the point, its Jacobian by u, and how fast that changes."""

    point: Float[Array, " d"]
    jacobian: Float[Array, "d n"]
    jacobian_rate: Float[Array, "d n"]

    @property
    def metric(self) -> Matrix:
        """g = J^T J."""
        return self.jacobian.T @ self.jacobian

    @property
    def metric_rate(self) -> Matrix:
        """∂_t g, by the product rule."""
        half = self.jacobian.T @ self.jacobian_rate
        return half + half.T


def moving_frame(embedding: MovingMap, u: Vector, t: Scalar) -> MovingFrame:
    """What `induced_metric` and `metric_and_rate` say together, and the point itself, in one pass."""
    at = lambda time: jacobian_by_jvps(lambda point: embedding(point, time), u)
    (point, jacobian), (_, rate) = jax.jvp(at, (t,), (jnp.ones_like(t),))
    return MovingFrame(point, jacobian, rate)
