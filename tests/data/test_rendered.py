"""A renderer of the user's own, with constants in one precision or in that of the point."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from latax._errors import ConfigError
from latax.data.rendered import RenderedManifold
from latax.geometry import FlatTorus

GRID = np.linspace(-1.0, 1.0, 6)


def blob(constant):
    """A blob on a circle, beside a grid that `constant` makes of the point."""

    def render(point):
        x, y = jnp.cos(point[0]), jnp.sin(point[0])
        squared = (constant(point) - x)[None] ** 2 + (constant(point) - y)[:, None] ** 2
        return jnp.exp(-4 * squared)[..., None]

    return RenderedManifold(FlatTorus(2 * math.pi), render, "blob", (6, 6, 1))


def test_constants_of_the_type_of_the_point_are_drawn():
    rendered = blob(lambda point: jnp.asarray(GRID, point.dtype))
    image = rendered.samples(3).X[2].reshape(6, 6)
    assert rendered.render(jnp.zeros(1)).dtype == jnp.float32
    angle = rendered.samples(3).truth["position"][2, 0]
    by_hand = np.exp(-4 * ((GRID - np.cos(angle))[None] ** 2 + (GRID - np.sin(angle))[:, None] ** 2))
    np.testing.assert_allclose(image, by_hand, rtol=1e-6)


def test_constants_of_numpy_are_explained():
    # JAX keeps an array of NumPy as it first saw it, in single precision, and cannot use it in double.
    rendered = blob(lambda point: GRID)
    assert rendered.render(jnp.zeros(1)).dtype == jnp.float32
    with pytest.raises(ConfigError, match=r"arrays of NumPy.* type of the point: jnp\.asarray\(constant, point\.dtype"):
        rendered.samples(3)


@pytest.mark.parametrize(
    "constant",
    [lambda point: jnp.asarray(GRID, jnp.float32), lambda point: lax.mul(np.float32(GRID), jnp.ones(6, point.dtype))],
)
def test_constants_in_one_precision_are_refused_at_once(constant):
    with pytest.raises(ConfigError, match=r"'blob': render mixes single and double .* jnp\.asarray\(constant, point\."):
        blob(constant)


def test_errors_of_the_renderer_itself_are_left_as_they_are():
    with pytest.raises(TypeError, match="incompatible shapes"):
        blob(lambda point: jnp.zeros(5) + jnp.zeros(6))
