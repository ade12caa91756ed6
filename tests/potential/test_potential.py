import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.potential import (
    ACTIVATIONS,
    LinearPotential,
    PotentialNet,
    Potentials,
    TimeFeatures,
    require_smooth,
)


@pytest.fixture(scope="module")
def potentials():
    with jax.enable_x64(True):
        return Potentials.of(lambda key: PotentialNet(3, (8, 8), speed=0.4, key=key), 4, key=jr.key(0))


def test_a_stack_is_its_potentials(potentials, x64):
    z, t = jr.normal(jr.key(1), (3,)), jnp.asarray(0.3)
    np.testing.assert_allclose(potentials.values(z, t), [potentials[k](z, t) for k in range(4)], atol=1e-14)
    velocities = jax.jit(lambda z: jnp.stack([jax.grad(potentials[k])(z, t) for k in range(4)]))(z)
    np.testing.assert_allclose(potentials.velocities(z, t), velocities, atol=1e-14)
    assert len({round(float(v), 12) for v in potentials.values(z, t)}) == 4
    with pytest.raises(ConfigError, match=r"k=4: there is no such potential; there are 4, numbered 0 to 3"):
        potentials[4]
    with pytest.raises(ConfigError, match=r"k=-1: there is no such potential"):
        potentials[-1]


@pytest.mark.parametrize("size", [1, 2, 3, 33])
def test_any_number_of_coordinates_begins_at_the_speed_asked_for(size, x64):
    u = PotentialNet(size, (8, 8), speed=0.4, key=jr.key(size))
    z, t = jr.normal(jr.key(1), (2000, size)), jr.uniform(jr.key(2), (2000,))
    squares = jnp.sum(jax.jit(jax.vmap(jax.grad(u)))(z, t) ** 2, axis=1)
    np.testing.assert_allclose(jnp.sqrt(jnp.mean(squares) / size), 0.4, rtol=0.25)
    values = jax.jit(jax.vmap(u))
    assert jnp.std(values(z, jnp.zeros(2000)) - values(z, jnp.ones(2000))) > 1e-3


def test_every_weight_has_a_gradient_through_the_laplacian(x64):
    u = PotentialNet(2, (4,), key=jr.key(0))
    loss = lambda net: jnp.trace(jax.hessian(eqx.tree_at(lambda u: u.net, u, net))(jnp.ones(2), jnp.asarray(0.5))) ** 2
    gradients = eqx.filter_jit(eqx.filter_grad(loss))(u.net)
    # The last bias has none: a constant is invisible to its derivatives.
    assert all(jnp.abs(g).max() > 0 for g in jax.tree.leaves(gradients)[:-1])
    assert jnp.abs(gradients.layers[-1].bias).max() == 0


def test_time_features():
    features = TimeFeatures(2, 4.0)(jnp.asarray(0.5))
    np.testing.assert_allclose(features, [0.5, np.sin(0.5), np.sin(2), np.cos(0.5), np.cos(2)], rtol=1e-6)
    assert TimeFeatures(0)(jnp.asarray(0.5)).tolist() == [0.5]
    with pytest.raises(ConfigError, match=r"count=-1, highest=8\.0: expected no negative number"):
        TimeFeatures(-1)


@pytest.mark.parametrize("name", ["tanh", "silu", "softplus", "sin"])
def test_smooth_activations_pass(name):
    require_smooth(ACTIVATIONS[name], "the wave equation")


@pytest.mark.parametrize("activation", [jax.nn.relu, jax.nn.elu, jax.nn.leaky_relu, lambda x: 2 * x])
def test_kinks_and_lines_do_not(activation):
    with pytest.raises(ConfigError, match=r"the wave equation has second derivatives, and that of the activation .* "):
        require_smooth(activation, "the wave equation")


def test_the_laplacian_of_a_relu_network_is_zero():
    # Why it is refused.
    u = PotentialNet(2, (8, 8), activation=jax.nn.relu, key=jr.key(0))
    assert not jax.jit(jax.hessian(u))(jnp.ones(2), jnp.asarray(0.5)).any()
    assert jax.grad(u)(jnp.ones(2), jnp.asarray(0.5)).any()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda key: PotentialNet(0, key=key), r"size=0: a potential needs at least one latent coordinate"),
        (lambda key: PotentialNet(2, (), key=key), r"hidden=\(\): give at least one hidden layer"),
        (lambda key: PotentialNet(2, speed=0.0, key=key), r"speed=0\.0: expected a positive share of √2"),
        (lambda key: Potentials.of(lambda k: PotentialNet(2, key=k), 0, key=key), r"count=0: there has to be at least"),
        (
            lambda key: Potentials(LinearPotential(jnp.ones(3)), 2),
            r"a leading axis of 2; it is 3\. Make it by Potentials\.of",
        ),
    ],
)
def test_what_cannot_be(make, said):
    with pytest.raises(ConfigError, match=said):
        make(jr.key(0))
