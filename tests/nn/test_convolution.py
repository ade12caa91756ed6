"""Networks for images of any size."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy.signal import correlate

from latax.nn import ImageChange, ImageDecoder, ImageFeatures, group_norm
from latax.nn.convolution import Convolution, _unfolded
from tests.density.randomised import randomised

KEY = jax.random.key(0)


def test_a_convolution_is_scipys(x64):
    rng = np.random.default_rng(0)
    image, weight, bias = rng.normal(size=(5, 6, 2)), rng.normal(size=(3, 3, 2, 4)), rng.normal(size=4)
    found = Convolution(jnp.asarray(weight), jnp.asarray(bias))(jnp.asarray(image))
    for o in range(4):
        wanted = sum(correlate(image[..., i], weight[:, :, i, o], mode="same") for i in range(2)) + bias[o]
        np.testing.assert_allclose(found[..., o], wanted, atol=1e-12)


@pytest.mark.parametrize(("stride", "channels"), [(1, (2, 4)), (2, (2, 4)), (1, (12, 1)), (2, (12, 1))])
@pytest.mark.parametrize("size", [(8, 8), (9, 6), (1, 3)])
def test_products_are_xlas_convolution_and_so_are_gradients(x64, stride, channels, size):
    rng = np.random.default_rng(1)
    weight, image = jnp.asarray(rng.normal(size=(3, 3, *channels))), jnp.asarray(rng.normal(size=(*size, channels[0])))

    def xlas(weight, image):
        numbers = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(image[None], weight, (stride, stride), "SAME", dimension_numbers=numbers)[0]

    ours = lambda weight, image: Convolution(weight, jnp.zeros(channels[1]), stride)(image)
    np.testing.assert_allclose(ours(weight, image), xlas(weight, image), atol=1e-12)
    slopes = lambda f: jax.grad(lambda *of: jnp.sum(jnp.sin(f(*of))), argnums=(0, 1))(weight, image)
    for found, wanted in zip(*jax.jit(lambda: (slopes(ours), slopes(xlas)))(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_channels_become_squares():
    image = jnp.arange(2.0 * 3 * 8).reshape(2, 3, 8)
    found = _unfolded(image, (3, 6))
    assert found.shape == (3, 6, 2)
    # The pixel (row 1, column 4): the square of (0, 2), its lower left corner, the third of four groups of channels.
    np.testing.assert_array_equal(found[1, 4], image[0, 2, 4:6])
    np.testing.assert_array_equal(found[0, 5], image[0, 2, 2:4])


@pytest.mark.parametrize("shape", [(8, 8, 3), (9, 5, 1)])
def test_images_of_any_size_go_down_and_up(shape):
    size = int(np.prod(shape))
    x, z = jax.random.normal(KEY, (size,)), jnp.ones(2)
    features = ImageFeatures(shape, 4, (2, 3), key=KEY)
    decoder = ImageDecoder(2, shape, (3, 2), key=KEY)
    change = ImageChange(shape, 2, 3, key=KEY)
    assert jax.eval_shape(features, x).shape == (4,)
    called = eqx.filter_jit(lambda net, seen: net(seen))
    for net, seen in ((decoder, z), (change, jnp.concatenate([x, z]))):
        np.testing.assert_array_equal(called(net, seen), np.zeros(size))
        net = randomised(net)
        assert float(jnp.std(called(net, seen))) > 0
        slope = eqx.filter_jit(eqx.filter_grad(lambda net, seen: jnp.sum(net(seen) ** 2)))(net, seen)
        assert all(float(jnp.abs(leaf).max()) > 0 for leaf in jax.tree.leaves(slope))


def test_a_feature_sees_every_pixel():
    features = ImageFeatures((9, 7, 2), 1, (2, 2, 2), key=KEY)
    slope = jax.jit(jax.grad(lambda x: features(x)[0]))(jax.random.normal(KEY, (126,)))
    assert bool(jnp.all(slope != 0))


def test_groups_of_channels_have_mean_zero_and_variance_one(x64):
    image = 3.0 + 5.0 * jax.random.normal(jax.random.key(0), (4, 5, 6))
    grouped = group_norm(image, 2).reshape(4, 5, 2, 3)
    np.testing.assert_allclose(grouped.mean(axis=(0, 1, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(grouped.var(axis=(0, 1, 3)), 1, atol=1e-5)
    # Between channels of one group differences stay; between groups they go.
    assert jnp.abs(grouped.mean(axis=(0, 1))).max() > 1e-3
    assert not group_norm(jnp.ones((2, 2, 4)), 2).any()


def test_features_with_groups_do_not_see_the_brightness(x64):
    plain, normed = (ImageFeatures((8, 8, 1), 3, (4,), groups=groups, key=jax.random.key(0)) for groups in (0, 2))
    x = jax.random.normal(jax.random.key(1), (64,))
    np.testing.assert_allclose(normed(1e5 * x), normed(1e4 * x), atol=1e-3)  # beyond what the bias adds
    assert jnp.abs(plain(1e5 * x) - plain(1e4 * x)).max() > 0.1
