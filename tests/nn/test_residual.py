import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.nn import ResidualNet
from tests.density.randomised import randomised


def net(context_size=None, blocks=1, in_size=2):
    new = ResidualNet(in_size, 3, width_size=4, blocks=blocks, context_size=context_size, key=jax.random.key(0))
    return new, randomised(new, seed=1)


def by_hand(net, x, context):
    """The equations of the module's docstring in NumPy."""

    def linear(layer, x):
        return np.asarray(layer.weight) @ x + np.asarray(layer.bias)

    h = linear(net.first, np.concatenate([x, context]))
    for block in net.blocks:
        update = linear(block.second, np.maximum(linear(block.first, np.maximum(h, 0)), 0))
        h = h + update / (1 + np.exp(-linear(block.gate, context)))
    return linear(net.last, h)


@pytest.mark.parametrize("blocks", [0, 2])
def test_is_the_documented_network(blocks, x64):
    _, random = net(context_size=1, blocks=blocks)
    x, context = np.array([0.5, -1.0]), np.array([0.7])
    np.testing.assert_allclose(random(jnp.asarray(x), jnp.asarray(context)), by_hand(random, x, context), atol=1e-13)


def test_a_new_network_returns_zeros():
    new, random = net()
    assert bool(jnp.all(new(jnp.ones(2)) == 0))
    assert bool(jnp.all(random(jnp.ones(2)) != 0))


def test_context_alone_is_enough():
    _, random = net(context_size=1, in_size=0)
    nothing = jnp.zeros(0)
    assert bool(jnp.any(random(nothing, jnp.zeros(1)) != random(nothing, jnp.ones(1))))
