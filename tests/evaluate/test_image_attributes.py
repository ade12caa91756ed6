"""Attributes against the sprites and digits that were drawn with them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import DataError
from latax.data import sprites
from latax.data.digit_sequences import sequences
from latax.evaluate import image_attributes

T = np.linspace(0, 1, 5)
SPOT = np.exp(-0.5 * (((np.arange(16) - 7.5)[:, None] / 4) ** 2 + ((np.arange(16) - 7.5)[None] / 1.5) ** 2))


def drawn(shape, scale=0.8, turn=0.3, x=0.5, y=0.5):
    """Attributes along one path of five sprites."""
    factors = np.stack(np.broadcast_arrays(shape, scale, turn, x, y, T)[:5], axis=1)
    images = np.asarray(jax.vmap(lambda f: sprites.render(f, 64))(jnp.asarray(factors, jnp.float32)))
    return image_attributes(images[None])


def test_places_and_sizes_are_those_that_were_drawn():
    found = drawn(1.0, x=T, y=1 - T / 2, scale=0.5 + T / 2)
    np.testing.assert_allclose(np.diff(found.x[0]), 2 * sprites._REACH * 64 / 4, atol=0.05)
    np.testing.assert_allclose(np.diff(found.y[0]), -sprites._REACH * 64 / 4, atol=0.05)
    np.testing.assert_allclose(found.size[0] / found.size[0, 0], 1 + T, rtol=0.03)
    assert np.ptp(found.long) < 0.04
    assert np.abs(found.turned).max() < 0.02
    assert not found.hue.any()


def test_an_ellipse_turns_and_a_square_has_no_long_axis():
    # The axes of the ellipse are 2 : 1, so that long = (4 - 1) / (4 + 1).
    ellipse = drawn(1.0, turn=0.3 + 3 * T)
    np.testing.assert_allclose(ellipse.long, 0.6, atol=0.03)
    np.testing.assert_allclose(ellipse.turned[0], 0.6 * 3 * T, atol=0.1)
    square = drawn(0.0, turn=0.3 + 3 * T)
    assert square.long.max() < 0.02
    assert np.abs(square.turned).max() < 0.05


def test_hue_and_turn_of_coloured_spots():
    made = sequences(np.stack([SPOT, SPOT]), np.array([1, 2]), times=5)
    found = image_attributes(made)
    np.testing.assert_allclose(np.abs(found.turned[0, -1]) / found.long[0, 0], math.radians(80), rtol=0.03)
    np.testing.assert_allclose(found.hue[1], np.radians(160) * T, atol=0.03)
    assert np.ptp(found.hue[0]) < 1e-6
    assert np.abs(found.turned[1]).max() < 1e-6
    # The sum of the channels would grow by half between two pure colours.
    np.testing.assert_allclose(found.size[1], found.size[1, 0], rtol=1e-5)
    assert np.ptp(made[1].sum(axis=(1, 2, 3))) > 0.3 * made[1, 0].sum()


def test_what_cannot_be_seen():
    assert np.isnan(image_attributes(np.zeros((1, 2, 8, 8, 1))).x).all()
    with pytest.raises(DataError, match=r"The images have 2 channels; expected one for grey, or three"):
        image_attributes(np.zeros((1, 2, 8, 8, 2)))
