import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.data import catalogue
from latax.data.blobs import Blobs


def test_moments_of_a_blob_are_its_factors(x64):
    decoder = Blobs(24)
    z = jnp.array([0.4, -0.8, 0.3, -0.5])
    image, (x, y, wide, high) = np.asarray(decoder(z))[..., 0], np.asarray(decoder.factors(z))
    pixels, mass = np.arange(24), image.sum()
    mean = lambda values, axis: (image.sum(axis=axis) * values).sum() / mass
    np.testing.assert_allclose([mean(pixels, 0), mean(pixels, 1)], [x, y], atol=1e-2)
    np.testing.assert_allclose(
        np.sqrt([mean((pixels - x) ** 2, 0), mean((pixels - y) ** 2, 1)]), [wide, high], rtol=0.01
    )
    assert 0 <= image.min() < image.max() <= 1


def test_one_coordinate_one_factor_unless_they_are_mixed(x64):
    turned = jnp.asarray(np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0])
    slopes = [np.abs(jax.jacobian(Blobs(mixing=m).factors)(jnp.full(4, 0.2))) for m in (None, turned)]
    assert np.count_nonzero(slopes[0]) == 4
    assert np.count_nonzero(slopes[1] > 1e-3) == 16


def test_factors_stay_within_their_span(x64):
    decoder = Blobs()
    ends = jax.vmap(decoder.factors)(jnp.array([[-50.0] * 4, [50.0] * 4]))
    np.testing.assert_allclose(ends[1] - ends[0], decoder.span, rtol=1e-10)


def test_samples_have_their_factors():
    samples = catalogue.make("blobs", 5, seed=1)
    assert samples.sample_shape == (16, 16, 1)
    decoder = Blobs()
    again, factors = jax.vmap(lambda z: (decoder(z), decoder.factors(z)))(jnp.asarray(samples.truth["latent"]))
    np.testing.assert_allclose(samples.X.reshape(5, 16, 16, 1), again, atol=1e-6)
    np.testing.assert_allclose(samples.truth["factors"], factors, rtol=1e-6)
    with pytest.raises(ConfigError, match=r"side=4: a blob needs at least 8 pixels"):
        Blobs(4)
