"""The score of paths between blobs, for which the best possible accuracy is known."""

import functools

import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.evaluate import variation_predictability

PAIRS = 1200
GRID = np.arange(8) - 3.5


def blobs(z):
    """8 × 8 images of one blob with place and widths from z (N, 4)."""
    x, y, wide, high = (a[:, None] for a in z.T)
    return (np.exp(-0.5 * ((GRID - 2 * x) / np.exp(0.4 * wide + 0.3)) ** 2))[:, None] * (
        np.exp(-0.5 * ((GRID - 2 * y) / np.exp(0.4 * high + 0.3)) ** 2)
    )[:, :, None]


@functools.cache
def score(kind):
    rng = np.random.default_rng(0)
    path = rng.integers(0, 4, size=PAIRS)
    directions = {
        "axes": np.eye(4),
        "rotated": np.linalg.qr(rng.normal(size=(4, 4)))[0],
        "two alike": np.eye(4)[[0, 1, 2, 2]],
        "all alike": np.eye(4)[[0, 0, 0, 0]],
        "none": np.zeros((4, 4)),
    }[kind]
    z = 0.5 * rng.normal(size=(PAIRS, 4))
    difference = blobs(z + 0.6 * directions[path]) - blobs(z)
    return variation_predictability(difference, path, count=4, seeds=2, steps=200, train_fraction=0.2)


def test_true_factors_are_told_apart():
    found = score("axes")
    assert found.interval.estimate > 0.9
    assert found.chance == 0.25
    assert found.accuracy.shape == (2,)


def test_two_paths_that_are_one_cost_what_they_must():
    # Three kinds of four are certain, of the fourth pair half: (K - 1) / K.
    assert 0.67 < score("two alike").interval.estimate < 0.79


@pytest.mark.parametrize("kind", ["none", "all alike"])
def test_paths_that_do_nothing_or_the_same_are_guessed(kind):
    assert abs(score(kind).interval.estimate - 0.25) < 0.05


def test_noise_is_guessed():
    """Weights are chosen by pairs that are not tested on: else the best of many looks at few pairs beats guessing."""
    rng = np.random.default_rng(0)
    noise, path = rng.normal(size=(8, 150, 6)), rng.integers(0, 4, size=(8, 150))
    found = [variation_predictability(x, k, count=4, seeds=1, steps=60) for x, k in zip(noise, path, strict=True)]
    rates = [f.accuracy[0] for f in found]
    assert abs(np.mean(rates) - 0.25) < 0.03


def test_rotated_directions_are_told_apart_as_well():
    # What the score cannot see.
    assert score("rotated").interval.estimate > 0.8


def test_flat_data_have_no_convolutions():
    rng = np.random.default_rng(0)
    path = rng.integers(0, 3, size=400)
    difference = np.eye(3)[path] + 0.1 * rng.normal(size=(400, 3))
    assert variation_predictability(difference, path, count=3, seeds=1, steps=50).accuracy[0] > 0.95


def test_what_cannot_be_measured():
    path = np.arange(20) % 4
    with pytest.raises(DataError, match=r"There are 20 pairs with 20 numbers of paths, 2 of them to train on"):
        variation_predictability(np.ones((20, 3)), path, count=4)
    with pytest.raises(DataError, match=r"The numbers of the paths go from 0 to 3; expected 0 to 2"):
        variation_predictability(np.ones((20, 3)), path, count=3, train_fraction=0.2)
    with pytest.raises(ConfigError, match=r"train_fraction=0\.5, seeds=5, steps=400: expected a fraction above 0 and"):
        variation_predictability(np.ones((20, 3)), path, count=4, train_fraction=0.5)
