"""A manifold of one's own, from a distance and a midpoint."""

import math
from collections.abc import Callable

import equinox as eqx

from latax._errors import ConfigError
from latax.geometry.manifold import AbstractMetricSpace, Point, Scalar


def _shape(shape: int | tuple[int, ...]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


class MetricSpace(AbstractMetricSpace):
    """Points with the user's own distance and midpoint.

        circle = MetricSpace(angle_between, halfway, point_shape=1, injectivity_radius=math.pi)

    **Arguments:**

    - `distance_function`: (x, y) -> the geodesic distance, a scalar. It should be differentiable in JAX only where
      points are to be trained; pairs are data otherwise.
    - `midpoint_function`: (x, y) -> the point halfway on the shortest path. Not a mean of images: that is no point.
    - `point_shape`: the shape of one point.
    - `injectivity_radius`: below which the shortest path is unique.

    Raises `ConfigError` for functions that cannot be called and a radius that is not positive.
    """

    distance_function: Callable = eqx.field(static=True)
    midpoint_function: Callable = eqx.field(static=True)
    point_shape: tuple[int, ...] = eqx.field(static=True, kw_only=True, converter=_shape)
    injectivity_radius: float = eqx.field(static=True, kw_only=True, default=math.inf, converter=float)

    def __check_init__(self):
        for name in ("distance_function", "midpoint_function"):
            if not callable(getattr(self, name)):
                raise ConfigError(f"MetricSpace: {name} is {getattr(self, name)!r}. Expected a function of two points.")
        if not self.injectivity_radius > 0:
            raise ConfigError(
                f"MetricSpace: injectivity_radius = {self.injectivity_radius:g} has to be positive. Leave it out where "
                "shortest paths are always unique."
            )

    def distance(self, x: Point, y: Point) -> Scalar:
        """The user's distance."""
        return self.distance_function(x, y)

    def midpoint(self, x: Point, y: Point) -> Point:
        """The user's midpoint."""
        return self.midpoint_function(x, y)
