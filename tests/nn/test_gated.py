"""The gated perceptron: its equations by hand, its sizes as released, and what happens where gates are shut."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.nn import GatedFeatures, GatedMLP, gelu


def count(module):
    return sum(a.size for a in jax.tree.leaves(eqx.filter(module, eqx.is_array)))


def test_the_equations(x64):
    net = GatedMLP(3, 2, 5, key=jax.random.key(0))
    x = np.array([0.3, -1.2, 0.7])
    f = net.features
    affine = lambda layer, x: np.asarray(layer.weight) @ x + np.asarray(layer.bias)
    u, v, h = (np.tanh(affine(layer, x)) for layer in (f.left, f.right, f.layers[0]))
    for gate in f.layers[1:]:
        z = np.tanh(affine(gate, h))
        h = (1 - z) * u + z * v
    np.testing.assert_allclose(net(jnp.asarray(x)), affine(net.last, h), atol=1e-14)
    swapped = eqx.tree_at(lambda n: (n.features.left, n.features.right), net, (f.right, f.left))
    assert abs(swapped(jnp.asarray(x)) - net(jnp.asarray(x))).max() > 1e-3


def test_shut_gates_let_the_first_feature_through_and_equal_features_need_no_gate(x64):
    f, x = GatedFeatures(3, 5, key=jax.random.key(0)), jnp.array([0.3, -1.2, 0.7])
    gates = f.layers[1:]
    shut = eqx.tree_at(lambda f: f.layers[1:], f, jax.tree.map(jnp.zeros_like, gates))
    np.testing.assert_allclose(shut(x), jnp.tanh(f.left(x)), atol=1e-15)
    equal = eqx.tree_at(lambda f: f.right, f, f.left)
    np.testing.assert_allclose(equal(x), jnp.tanh(f.left(x)), atol=1e-15)
    assert abs(f(x) - jnp.tanh(f.left(x))).max() > 1e-3


def test_sizes_as_released():
    sizes = {"manifold": (7, 7), "decoder": (7, 201), "metric": (7, 36)}
    found = {name: count(GatedMLP(*pair, 400, key=jax.random.key(0))) for name, pair in sizes.items()}
    assert found == {"manifold": 333_207, "decoder": 411_001, "metric": 344_836}


def test_gelu_is_the_one_by_the_error_function(x64):
    np.testing.assert_allclose(gelu(jnp.asarray(1.0)), 0.8413447460685429, atol=1e-15)


def test_a_network_without_gates_is_refused():
    with pytest.raises(ConfigError, match="depth=0: a gated network needs at least one gate"):
        GatedFeatures(2, 3, 0, key=jax.random.key(0))
