import jax
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.data import galaxies
from latax.physics import exponential_disc

NAMES = ("intensity", "radius", "ellipticity", "angle")


@pytest.mark.parametrize("size", galaxies.SIZES)
def test_shapes_and_noise(size):
    samples = galaxies.make(20, 1, size=size)
    assert samples.X.shape == (20, size * size * 3)
    assert samples.sample_shape == (size, size, 3)
    residual = samples.X.reshape(20, size, size, 3) - samples.truth["signal"]
    assert residual.std() == pytest.approx(galaxies.NOISE, rel=0.03)
    np.testing.assert_array_equal(samples.X, galaxies.make(20, 1, size=size).X)
    assert abs(samples.X - galaxies.make(20, 2, size=size).X).max() > 0.1


def test_without_what_is_missing_it_is_the_physics(x64):
    truth = dict(galaxies.make(3, 0).truth)
    physics = exponential_disc(32)
    known = [
        physics.simulate(physics.parameters.from_array(jax.numpy.array([truth[name][i] for name in NAMES])))
        for i in range(3)
    ]
    bare = {**truth, "bulge": np.zeros(3), "gradient": np.zeros(3), "blur": np.zeros(3)}
    np.testing.assert_allclose(galaxies.render(bare), known, atol=1e-12)
    for name in ("bulge", "gradient", "blur"):
        assert abs(galaxies.render({**bare, name: truth[name]}) - np.asarray(known)).max() > 1e-3


def test_what_is_missing_does_what_it_says():
    truth = {name: np.array([0.5 * sum(bounds)]) for name, bounds in galaxies.RANGES.items()}
    image = galaxies.render(truth)[0]
    red, green, blue = image.sum(axis=(0, 1))
    bare = galaxies.render({**truth, "bulge": np.zeros(1)})[0].sum(axis=(0, 1))
    assert bare[0] < bare[1] < bare[2]
    assert red - bare[0] > green - bare[1] > blue - bare[2] > 0
    sharp = galaxies.render({**truth, "blur": np.zeros(1)})[0]
    assert sharp.max() > image.max()
    assert sharp.sum() == pytest.approx(image.sum(), rel=0.01)


def test_another_size_is_refused():
    with pytest.raises(ConfigError, match=r"galaxies of 64 by 64 pixels are not made; size is 32 or 69"):
        galaxies.make(2, 0, size=64)
