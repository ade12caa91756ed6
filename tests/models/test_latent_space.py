import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.models.latent_space import LatentSpace, Rows, StandardNormal, check_space


def picture(z):
    return jnp.outer(z, jnp.arange(1.0, 4.0))


class WithDropout(eqx.Module):
    dropout: eqx.nn.Dropout

    def __call__(self, z):
        return self.dropout(z, key=jr.key(0))


def random_decoder():
    calls = []

    def decode(z):
        calls.append(0)
        return z + len(calls)

    return decode


def test_a_mapping_moves_the_space_that_is_moved_in():
    weight = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    mapped = LatentSpace(3, StandardNormal(2), picture, lambda z: jnp.asarray(weight) @ z)
    assert check_space(mapped) == (3, 3)
    key = jr.key(1)
    np.testing.assert_allclose(mapped.draw(key), weight @ StandardNormal(2)(key), rtol=1e-6)
    plain = LatentSpace(2, StandardNormal(2), picture)
    assert check_space(plain) == (2, 3)
    np.testing.assert_array_equal(plain.draw(key), StandardNormal(2)(key))


def test_priors():
    draws = jax.vmap(StandardNormal(2, truncation=0.5))(jr.split(jr.key(0), 500))
    assert 0.4 < jnp.abs(draws).max() <= 0.5
    points = jnp.arange(10.0).reshape(5, 2)
    rows = jax.vmap(Rows(points))(jr.split(jr.key(0), 200))
    assert {tuple(row) for row in np.asarray(rows).tolist()} == {tuple(row) for row in np.asarray(points).tolist()}


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (LatentSpace(1, StandardNormal(1), picture), r"The latent space has 1 coordinate: every flow goes along the"),
        (LatentSpace(3, StandardNormal(2), picture), r"A draw of the latent space has shape \(2,\); expected \(3,\)"),
        (LatentSpace(2, StandardNormal(2), lambda z: (z, z)), r"expected one array of floating-point numbers"),
        (LatentSpace(2, StandardNormal(2), lambda z: jnp.ones((4, 4))), r"the same data for 8 different points"),
        (LatentSpace(2, StandardNormal(2), lambda z: z / 0), r"are not finite\. Look at the decoder"),
        (LatentSpace(2, StandardNormal(2), random_decoder()), r"different data for the same point: it is random"),
        (LatentSpace(2, StandardNormal(2), WithDropout(eqx.nn.Dropout(0.5))), r"has a Dropout in training mode"),
    ],
    ids=["one coordinate", "size", "tuple", "constant", "infinite", "random", "dropout"],
)
def test_spaces_in_which_nothing_can_be_trained(space, said):
    with pytest.raises(ConfigError, match=said):
        check_space(space)


def test_training_mode_is_seen_where_a_function_has_closed_over_it_and_in_the_mapping():
    module = WithDropout(eqx.nn.Dropout(0.5))
    for decode in (lambda z: module(z), functools.partial(lambda layer, z: layer(z), module), module.__call__):
        with pytest.raises(ConfigError, match=r"The decoder has a Dropout in training mode"):
            check_space(LatentSpace(2, StandardNormal(2), decode))
    with pytest.raises(ConfigError, match=r"The mapping has a Dropout in training mode"):
        check_space(LatentSpace(2, StandardNormal(2), picture, module))
    still = eqx.nn.inference_mode(module)
    assert check_space(LatentSpace(2, StandardNormal(2), lambda z: still(z), lambda z: still(z))) == (2,)


class Holder:
    """No module of Equinox: its attributes are no leaves."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, z):
        return self.layer(z)


TRAINING = WithDropout(eqx.nn.Dropout(0.5))
STILL = eqx.nn.inference_mode(TRAINING)


def of_a_global(z):
    return TRAINING(z)


def of_a_still_global(z):
    return STILL(z)


def in_a_dictionary(layer):
    layers = {"last": [layer]}
    return lambda z: layers["last"][0](z)


@pytest.mark.parametrize(
    "wrap",
    [in_a_dictionary, Holder, eqx.filter_jit, lambda m: jax.jit(lambda z: m(z)), lambda m: Holder(Holder(m))],
    ids=["dictionary", "object", "filter_jit", "jit of a function", "object in an object"],
)
def test_training_mode_is_seen_however_it_is_wrapped(wrap):
    with pytest.raises(ConfigError, match=r"The decoder has a Dropout in training mode"):
        check_space(LatentSpace(2, StandardNormal(2), wrap(TRAINING)))
    assert check_space(LatentSpace(2, StandardNormal(2), wrap(STILL))) == (2,)


def test_training_mode_is_seen_in_a_global():
    for decode in (of_a_global, lambda z: of_a_global(z)):
        with pytest.raises(ConfigError, match=r"The decoder has a Dropout in training mode"):
            check_space(LatentSpace(2, StandardNormal(2), decode))
    assert check_space(LatentSpace(2, StandardNormal(2), of_a_still_global)) == (2,)


def test_a_decoder_that_fails_says_so_in_our_words():
    norm = eqx.nn.inference_mode(eqx.nn.BatchNorm(2, "batch", mode="ema"))
    wants_a_state = lambda z: norm(z)
    with pytest.raises(ConfigError, match=r"The decoder fails for one point: TypeError: .*state.*nothing else: no key"):
        check_space(LatentSpace(2, StandardNormal(2), wants_a_state))


def test_a_decoder_in_inference_mode_is_taken():
    decode = eqx.nn.inference_mode(WithDropout(eqx.nn.Dropout(0.5)))
    assert check_space(LatentSpace(2, StandardNormal(2), decode)) == (2,)
