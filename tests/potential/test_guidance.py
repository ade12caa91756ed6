import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.potential import (
    BoundedJVP,
    FixedSpeed,
    LogJVP,
    ReferenceJVP,
    Supervised,
    Unguided,
    decoded_change,
)

W = np.random.default_rng(0).normal(size=(5, 3))
V = np.array([0.4, -1.0, 0.3])
GUIDANCES = {
    "log": LogJVP(),
    "log of the length": LogJVP(normalised=False),
    "bounded": BoundedJVP(),
    "speed": FixedSpeed(),
    "none": Unguided(),
}


def linear(z):
    return (jnp.asarray(W) @ z).reshape(5, 1)


def loss(guidance, decode, z, v, k=0):
    return guidance.loss(*decoded_change(decode, z, v), v, jnp.asarray(k))


@pytest.fixture
def z(x64):
    return jr.normal(jr.key(0), (3,))


def test_the_change_that_a_linear_decoder_shows(z):
    data, change = decoded_change(linear, z, jnp.asarray(V))
    np.testing.assert_array_equal(data, linear(z))
    np.testing.assert_allclose(change[:, 0], W @ V, atol=1e-12)


def test_the_most_visible_direction_is_the_top_right_singular_vector(z):
    of_direction = lambda v: loss(LogJVP(), linear, z, v)
    v = jnp.asarray(V)
    v = jax.jit(lambda v: jax.lax.fori_loop(0, 200, lambda _, v: v - 0.3 * jax.grad(of_direction)(v), v))(v)
    top = np.linalg.svd(W)[2][0]
    np.testing.assert_allclose(abs(v @ top) / jnp.linalg.norm(v), 1, atol=1e-8)
    assert abs(V @ top) / np.linalg.norm(V) < 0.9


def test_lengths_do_not_matter_or_by_a_constant(z):
    v, alpha = jnp.asarray(V), 3.0
    at = lambda guidance, v: loss(guidance, linear, z, v)
    np.testing.assert_allclose(at(LogJVP(), alpha * v), at(LogJVP(), v), atol=1e-10)
    free = LogJVP(normalised=False)
    np.testing.assert_allclose(at(free, alpha * v), at(free, v) - 2 * np.log(alpha), atol=1e-7)
    # The published loss and a bounded one depend on it, in ways of their own.
    np.testing.assert_allclose(at(ReferenceJVP(), alpha * v), 9 * at(ReferenceJVP(), v), atol=1e-10)
    assert -1 < at(BoundedJVP(), 1e3 * v) < at(BoundedJVP(), v) < 0
    assert at(ReferenceJVP(), 1e3 * v) < -1e5


def test_a_supervised_direction_is_a_dot_product(z):
    h = np.array([0.3, 0.0, -1.0, 0.5, 2.0])
    value = lambda x: jnp.vdot(jnp.asarray(h, x.dtype), x)
    np.testing.assert_allclose(
        loss(Supervised(value, normalised=False), linear, z, jnp.asarray(V)), -h @ W @ V, atol=1e-12
    )
    found = loss(Supervised(value), linear, z, jnp.asarray(V))
    np.testing.assert_allclose(found, -h @ W @ V / np.linalg.norm(V), atol=1e-12)


def test_each_path_may_have_a_property_of_its_own(z):
    both = np.array([[0.3, 0.0, -1.0, 0.5, 2.0], [1.0, 1.0, 0.0, -2.0, 0.1]])
    guidance = Supervised(lambda x: jnp.asarray(both, x.dtype) @ x[:, 0], normalised=False)
    found = [float(loss(guidance, linear, z, jnp.asarray(V), k)) for k in range(2)]
    np.testing.assert_allclose(found, -both @ W @ V, atol=1e-12)
    assert abs(found[0] - found[1]) > 0.1
    guidance.check((5, 1), 2)
    with pytest.raises(
        ConfigError, match=r"The property of the data has shape \(2,\); expected one number, or one for"
    ):
        guidance.check((5, 1), 3)


def test_a_fixed_speed_is_a_share_of_the_typical_length(z):
    v = 0.3 * np.sqrt(3) * jnp.asarray(V) / np.linalg.norm(V)
    np.testing.assert_allclose(loss(FixedSpeed(0.3), linear, z, v), 0, atol=1e-15)
    np.testing.assert_allclose(loss(FixedSpeed(0.3), linear, z, 2 * v), 0.09, atol=1e-12)


@pytest.mark.parametrize("name", GUIDANCES)
def test_gradients_are_finite_where_nothing_moves_and_where_nothing_is_seen(name, z):
    guidance = GUIDANCES[name]
    for decode, v in ((linear, jnp.zeros(3)), (lambda z: jnp.ones(4), jnp.asarray(V))):
        value, slope = jax.value_and_grad(lambda v, decode=decode: loss(guidance, decode, z, v))(v)
        assert jnp.isfinite(value)
        assert jnp.isfinite(slope).all()
