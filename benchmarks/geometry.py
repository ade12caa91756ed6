"""Time the geometry of a decoder: python benchmarks/geometry.py [name ...]

A multilayer perceptron 3-128-128-784 with tanh, in float32. Metrics and log-volumes at 10^4 points in one compiled
call; everything of the second order at 10^3; lines and geodesics between points that are of order one apart. Every
figure is the median of several runs, in milliseconds.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from timing import show, use

from latax.geometry import christoffel_symbols, geodesic, length, log_volume, pullback_metric, shoot
from latax.nn.mlp import MLP

CHUNK = 500  # points whose Jacobians, 784 x 3 numbers each, are in memory together


def cases() -> dict[str, tuple[float, Callable]]:
    """Name of each figure, with its goal and the function that measures it."""
    key = jax.random.key(0)
    decoder = MLP(3, 784, (128, 128), activation=jnp.tanh, key=key)
    points = jax.random.normal(key, (10_000, 3))
    velocities = jax.random.normal(jax.random.key(1), (10_000, 3))

    def over(function: Callable, *arguments: jax.Array) -> tuple[float, float]:
        return use(lambda *rows: jax.lax.map(lambda row: function(decoder, *row), rows, batch_size=CHUNK), *arguments)

    def line(f: Callable, start: jax.Array, end: jax.Array) -> jax.Array:
        return length(f, jnp.stack([start, end]))

    few, ends = points[:16], points[16:32]
    return {
        "metric 10^4": (1000, lambda: over(pullback_metric, points)),
        "log-volume 10^4": (1000, lambda: over(log_volume, points)),
        "Christoffel 10^3": (1000, lambda: over(christoffel_symbols, points[:1000])),
        "length 10^3": (1000, lambda: over(line, points[:1000], points[1000:2000])),
        "shoot 16": (1000, lambda: over(shoot, few, 0.3 * velocities[:16])),
        "polygon 16": (1000, lambda: over(lambda f, a, b: geodesic(f, a, b, refine=False), few, ends)),
        "geodesic 16": (5000, lambda: over(geodesic, few, ends)),
    }


if __name__ == "__main__":
    show(cases())
