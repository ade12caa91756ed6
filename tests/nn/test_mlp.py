import jax
import jax.numpy as jnp
import numpy as np

from latax.nn import MLP


def test_layers_are_applied_in_turn(x64):
    net = MLP(2, 3, (4, 5), activation=jnp.tanh, key=jax.random.key(0))
    x = np.array([0.3, -0.2])
    h = x
    for layer in net.layers[:-1]:
        h = np.tanh(np.asarray(layer.weight) @ h + np.asarray(layer.bias))
    wanted = np.asarray(net.layers[-1].weight) @ h + np.asarray(net.layers[-1].bias)
    np.testing.assert_allclose(net(jnp.asarray(x)), wanted, atol=1e-13)
    assert [layer.weight.shape for layer in net.layers] == [(4, 2), (5, 4), (3, 5)]


def test_a_silent_network_is_zero_but_can_learn():
    net = MLP(2, 1, (4,), silent=True, key=jax.random.key(0))
    assert float(net(jnp.ones(2))[0]) == 0.0
    assert float(MLP(2, 1, (4,), key=jax.random.key(0))(jnp.ones(2))[0]) != 0.0
    gradient = jax.grad(lambda net: net(jnp.ones(2))[0])(net)
    assert bool(jnp.any(gradient.layers[-1].weight != 0))
