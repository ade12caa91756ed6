"""Metrics that change with time: of a moving manifold E(u, t), or any g(u, t), together with their rates.

The rate of a metric is one forward derivative in the time, for all of its entries at once.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

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
