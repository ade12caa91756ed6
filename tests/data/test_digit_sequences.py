import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.data import catalogue
from latax.data.digit_sequences import sequences, transformed

PIXELS = np.arange(16) - 7.5
SPOT = np.exp(-0.5 * ((PIXELS[:, None] + 3) ** 2 + (PIXELS[None] - 1) ** 2) / 1.5**2)
SCALE, ROTATION, HUE = range(3)


def grey(picture):
    return picture.sum(axis=2)


def centre(picture):
    """(up, right) of the middle of mass from that of the picture, in its sides."""
    image, side = grey(picture), len(picture)
    places = (np.arange(side) - (side - 1) / 2) / side
    return np.array([-(image.sum(axis=1) @ places), image.sum(axis=0) @ places]) / image.sum()


def test_all_begin_with_the_same_red_image():
    first = [transformed(SPOT, k, 0.0, 32) for k in range(3)]
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(first[0], first[2])
    assert not first[0][..., 1:].any()
    np.testing.assert_allclose(centre(first[0]), 0.6 * np.array([3, 1]) / 16, atol=2e-3)


def test_scale_moves_what_is_there_away_from_the_centre():
    before, after = centre(transformed(SPOT, SCALE, 0.0, 64)), centre(transformed(SPOT, SCALE, 0.5, 64))
    np.testing.assert_allclose(after, 1.4 * before, rtol=0.02)


def test_turns_are_against_the_clock():
    up, right = centre(transformed(SPOT, ROTATION, 0.0, 64))
    found = centre(transformed(SPOT, ROTATION, 0.75, 64))  # by 60 degrees
    turned = np.array([[0.5, np.sqrt(0.75)], [-np.sqrt(0.75), 0.5]]) @ [up, right]
    np.testing.assert_allclose(found, turned, atol=2e-3)
    assert np.abs(found - np.array([[0.5, -np.sqrt(0.75)], [np.sqrt(0.75), 0.5]]) @ [up, right]).max() > 0.05


def test_hue_goes_from_red_by_green_and_leaves_the_shape():
    red, green = transformed(SPOT, HUE, 0.0), transformed(SPOT, HUE, 0.75)  # by 120 degrees
    np.testing.assert_allclose(green, red[..., [1, 0, 2]], atol=1e-12)
    yellow = transformed(SPOT, HUE, 0.375)
    np.testing.assert_allclose(yellow[..., 0], yellow[..., 1], atol=1e-12)
    np.testing.assert_allclose(yellow[..., 0], red[..., 0], atol=1e-12)


def test_samples_know_their_transformation_and_their_image():
    samples = catalogue.make("digit-sequences", 4, seed=3)
    assert samples.sample_shape == (9, 28, 28, 3)
    assert samples.times.tolist() == pytest.approx(np.linspace(0, 1, 9).tolist())
    assert set(samples.truth) == {"transformation", "digit", "image"}
    assert samples.X.min() >= 0
    assert samples.X.max() <= 1
    x = samples.X.reshape(4, 9, 28, 28, 3)
    for row, k in zip(x, samples.truth["transformation"], strict=True):
        assert (row[-1, ..., 1:].max() > 0.1) == (k == HUE)
        assert np.abs(row[-1] - row[0]).max() > 0.1


def test_small_images_show_the_same():
    small = catalogue.make("digit-sequences", 3, seed=1, side=14)
    assert small.sample_shape == (9, 14, 14, 3)
    large = catalogue.make("digit-sequences", 3, seed=1).X.reshape(3, 9, 14, 2, 14, 2, 3).mean(axis=(3, 5))
    assert np.corrcoef(small.X.ravel(), large.ravel())[0, 1] > 0.95


def test_what_cannot_be():
    with pytest.raises(ConfigError, match=r"side=4: digits of fewer than 8 pixels a side cannot be told apart\."):
        catalogue.make("digit-sequences", 3, side=4)
    with pytest.raises(ConfigError, match=r"times=9, transformations 3 to 3: expected at least two times, and numbers"):
        sequences(SPOT[None], np.array([3]))
    with pytest.raises(DataError, match=r"not from 0 to 1\. Divide by 255"):
        sequences(255 * SPOT[None], np.array([0]))


def test_images_of_a_file_take_the_place_of_the_digits(tmp_path):
    images = np.stack([SPOT, SPOT.T, 0.5 * SPOT])
    np.save(tmp_path / "spots.npy", images)
    samples = catalogue.make("digit-sequences", 4, seed=1, source=str(tmp_path / "spots.npy"))
    truth = samples.truth
    assert set(truth) == {"transformation", "image"}
    again = sequences(images[truth["image"]], truth["transformation"])
    np.testing.assert_allclose(samples.X, again.reshape(4, -1), atol=1e-6)
    np.save(tmp_path / "rows.npy", images.reshape(3, -1))
    with pytest.raises(DataError, match=r"holds samples of shape \(256,\)\. Expected grey images"):
        catalogue.make("digit-sequences", 4, source=str(tmp_path / "rows.npy"))
