import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.physics import exponential_disc


@pytest.fixture(scope="module")
def disc():
    physics = exponential_disc(69, channels=1)
    return lambda *values: np.asarray(physics.simulate(physics.parameters.from_array(jnp.array(values))))[..., 0]


def test_known_pixels(disc, x64):
    image = disc(0.8, 0.4, 0.6, 0.0)
    assert image[34, 34] == 0.8
    assert image[34, 51] == pytest.approx(0.229204, abs=1e-6)
    assert image[17, 34] == pytest.approx(0.0351495, abs=1e-7)


def test_symmetries(disc, x64):
    np.testing.assert_allclose(disc(0.8, 0.4, 0.0, 0.3), disc(0.8, 0.4, 0.0, 1.9), atol=1e-6)
    assert abs(disc(0.8, 0.4, 0.5, 0.3) - disc(0.8, 0.4, 0.5, 1.9)).max() > 0.01
    np.testing.assert_allclose(disc(0.8, 0.4, 0.6, 0.3), disc(0.8, 0.4, 0.6, 0.3 + np.pi), atol=1e-12)


@pytest.mark.parametrize(("angle", "sign"), [(np.pi / 4, -1), (-np.pi / 4, 1)])
def test_the_disc_turns_clockwise(disc, angle, sign, x64):
    axis = np.linspace(-1, 1, 69)
    x, y = np.meshgrid(axis, -axis)
    assert np.sign((x * y * disc(0.8, 0.4, 0.6, angle)).sum()) == sign


def test_gradients_are_finite_at_the_centre():
    physics = exponential_disc(5, channels=1)
    centre = lambda values: physics.simulate(physics.parameters.from_array(values))[2, 2, 0]
    np.testing.assert_allclose(jax.grad(centre)(jnp.array([0.8, 0.4, 0.6, 0.3])), [1, 0, 0, 0], atol=1e-6)


def test_all_channels_are_equal():
    physics = exponential_disc(8)
    assert physics.sample_shape == (8, 8, 3)
    image = physics.simulate(physics.parameters.from_array(jnp.array([0.8, 0.4, 0.6, 0.3])))
    assert np.ptp(np.asarray(image), axis=-1).max() == 0


def test_sizes_that_cannot_be():
    with pytest.raises(ConfigError, match=r"size = 1, channels = 3: expected a size from 2"):
        exponential_disc(1)
