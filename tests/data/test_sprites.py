import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.data import catalogue, sprites

SQUARE, ELLIPSE, HEART = 0.0, 1.0, 2.0


@pytest.fixture(scope="module")
def image():
    with jax.enable_x64(True):
        draw = jax.jit(lambda factors: sprites.render(factors, 64)[..., 0])
        return lambda *factors: np.asarray(draw(jnp.asarray(factors)))


def test_areas_and_places_are_those_of_the_factors(image, x64):
    radius = sprites._RADIUS * 64
    for shape, area in ((SQUARE, 4.0), (ELLIPSE, math.pi / 2)):
        for scale in (0.6, 1.0):
            found = image(shape, scale, 0.4, 0.5, 0.5).sum()
            np.testing.assert_allclose(found, area * (scale * radius) ** 2, rtol=0.04)
    picture = image(ELLIPSE, 0.8, 1.0, 0.9, 0.2)
    pixels = (np.arange(64) + 0.5) / 64 - 0.5
    centre = [(picture.sum(axis=axis) * pixels).sum() / picture.sum() for axis in (0, 1)]
    np.testing.assert_allclose(centre, [sprites._REACH * 0.8, -sprites._REACH * 0.6], atol=2e-3)


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
def test_each_shape_has_its_symmetry_and_no_other(image, shape, x64):
    turned = lambda angle: image(shape, 1.0, 0.3 + angle, 0.5, 0.5)
    symmetry = sprites.SYMMETRY[int(shape)]
    np.testing.assert_allclose(turned(symmetry), turned(0.0), atol=1e-6)
    for part in (2, 3):
        assert np.abs(turned(symmetry / part) - turned(0.0)).max() > 0.5


def test_a_quarter_of_a_turn_is_that_of_the_picture(image, x64):
    upright, turned = image(HEART, 1.0, 0.0, 0.5, 0.5), image(HEART, 1.0, math.pi / 2, 0.5, 0.5)
    np.testing.assert_allclose(turned, np.rot90(upright, -1), atol=1e-6)
    assert np.abs(turned - np.rot90(upright)).max() > 0.5


def test_everything_stays_in_the_picture(image, x64):
    for corner in ((0.0, 0.0), (1.0, 1.0)):
        picture = image(SQUARE, 1.0, math.pi / 4, *corner)
        edges = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert edges.max() < 0.05


def test_paths_of_positions_do_not_jump_over_the_edge():
    start = np.array([[0, 2, 38, 30, 3], [2, 5, 0, 0, 31]])
    along = sprites.path(start, "x", 5)
    assert along[:, :, 3].tolist() == [[27, 28, 29, 30, 31], [0, 1, 2, 3, 4]]
    np.testing.assert_array_equal(np.delete(along, 3, axis=2)[:, 4], np.delete(start, 3, axis=1))
    assert sprites.path(start, "orientation", 4)[:, :, 2].tolist() == [[38, 39, 0, 1], [0, 1, 2, 3]]
    assert sprites.path(start, "scale", 3, stride=2)[:, :, 1].tolist() == [[1, 3, 5], [1, 3, 5]]
    # With wrap-around the first path would have jumped by the whole width.
    assert np.abs(np.diff(sprites.values(along[0])[:, 3])).max() == pytest.approx(1 / 31)


def test_samples_have_their_factors():
    samples = catalogue.make("sprites", 6, seed=1)
    assert samples.sample_shape == (32, 32, 1)
    np.testing.assert_allclose(samples.truth["factors"], sprites.values(samples.truth["classes"]))
    again = sprites.render(jnp.asarray(samples.truth["factors"][3], jnp.float32))
    np.testing.assert_allclose(samples.X[3].reshape(32, 32, 1), again, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sprites.path(np.zeros((1, 5), int), "shape", 2), r"factor='shape' is not one of scale, orientation"),
        (lambda: sprites.path(np.zeros((1, 5), int), "scale", 7), r"steps=7 with stride=1: scale has 6 values"),
        (lambda: sprites.values(np.array([[3, 0, 0, 0, 0]])), r"Class numbers have to lie below \(3, 6, 40, 32, 32\)"),
    ],
)
def test_what_cannot_be(call, said):
    with pytest.raises(ConfigError, match=said):
        call()
