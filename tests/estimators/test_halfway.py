"""Straight latent lines of a model that is known: the chords of a circle."""

import math

import jax.numpy as jnp
import numpy as np

from latax.data import Pairs
from latax.data.rendered import RenderedManifold
from latax.estimators.halfway import between_pairs, between_rendered
from latax.geometry import Euclidean, FlatTorus
from latax.models.autoencoder import Autoencoder

ANGLE = 0.6


def same(size):
    """The model that leaves everything as it is."""
    zero, one = jnp.zeros(size), jnp.ones(())
    return Autoencoder(lambda x: x, lambda z: z, zero, one, one, zero, one)


def two_pixels(point):
    return jnp.stack([0.5 + 0.5 * jnp.cos(point), 0.5 + 0.5 * jnp.sin(point)], axis=1)[..., None]


def below_the_arc(distance):
    """Root mean square over two numbers of a chord's middle, for a radius of one half."""
    return 0.5 * (1 - np.cos(distance / 2)) / 2**0.5


def test_chords_of_a_rendered_circle():
    circle = RenderedManifold(FlatTorus(2 * math.pi), two_pixels, "two pixels", (1, 2, 1))
    found = between_rendered(same(2), circle, np.zeros(2))
    assert found is not None
    assert found.distance.max() > 0.9 * np.pi
    np.testing.assert_allclose(found.decoded, below_the_arc(found.distance), atol=1e-6)
    np.testing.assert_allclose(found.averaged, found.decoded, atol=1e-7)
    np.testing.assert_allclose(found.rebuilt, 0, atol=1e-7)


def test_points_of_a_region_stay_in_it():
    """Beyond the interval the picture would jump; within it, lines are straight."""
    draw = lambda point: jnp.where(point > 1, 0, point)[:, None, None]
    line = RenderedManifold(Euclidean(1), draw, "a line", (1, 1, 1))
    found = between_rendered(same(1), line, np.zeros(1))
    assert found is not None
    assert len(found.distance) > 5
    np.testing.assert_allclose(found.decoded, 0, atol=1e-6)


def test_chords_between_samples():
    angle = np.arange(0, 2 * np.pi - 1e-9, ANGLE / 2)[:20]
    x = 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    first = np.arange(18)
    pairs = Pairs(first, first + 2, first + 1, np.full(18, ANGLE, np.float32))
    found = between_pairs(same(2), x, pairs)
    np.testing.assert_allclose(found.distance, ANGLE, rtol=1e-6)
    np.testing.assert_allclose(found.decoded, below_the_arc(ANGLE), rtol=1e-4)
    np.testing.assert_allclose(found.rebuilt, 0, atol=1e-7)
