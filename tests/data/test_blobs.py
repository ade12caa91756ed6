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


def test_curved_factors_have_gradients_at_right_angles(x64):
    points = jax.random.normal(jax.random.key(0), (50, 4))

    def cosines(decoder):
        J = jax.vmap(jax.jacobian(decoder.factors))(points)
        J /= jnp.linalg.norm(J, axis=2, keepdims=True)
        return np.asarray(J), np.abs(J @ jnp.swapaxes(J, 1, 2) - jnp.eye(4)[None]).max()

    turned = jnp.asarray(np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0])
    directions, worst = cosines(Blobs(mixing=turned, bend=0.6))
    assert worst < 1e-12
    assert jnp.std(directions, axis=0).max() > 0.1, "they turn from place to place"
    straight, _ = cosines(Blobs(mixing=turned))
    assert jnp.std(straight, axis=0).max() < 1e-12
    skewed = turned.at[0].add(0.3 * turned[1])
    assert cosines(Blobs(mixing=skewed, bend=0.6))[1] > 0.1, "negative control: a mixture that is not orthogonal"
    # sinh(b w) / b is w for small b, and is what complex numbers say.
    np.testing.assert_allclose(Blobs(bend=1e-4).factors(points[0]), Blobs().factors(points[0]), atol=1e-7)
    w = complex(points[0, 0], points[0, 1])
    curved = np.sinh(0.6 * w) / 0.6
    x, y = Blobs(bend=0.6).factors(points[0])[:2]
    np.testing.assert_allclose([x, y], 7.5 + 0.22 * 16 * np.tanh([curved.real, curved.imag]))
    with pytest.raises(ConfigError, match=r"bend=-0\.1: expected 0"):
        Blobs(bend=-0.1)


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
