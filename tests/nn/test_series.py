import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from latax.nn import FourierSeries


def series(**options):
    options = {"span": 2.0, "highest": 5.0, "terms": 3, "hidden": (4,)} | options
    return FourierSeries(2, 2, key=jax.random.key(0), **options)


def test_it_starts_at_zero():
    ts = jnp.linspace(0, 2, 5)
    assert float(jnp.abs(series()(ts, jnp.ones(2))).max()) == 0.0


def test_it_is_a_sum_of_waves_and_a_line(x64):
    f = series()
    last = f.net.layers[-1]
    bias = jnp.arange(16.0)
    f = eqx.tree_at(lambda f: f.net.layers[-1], f, eqx.tree_at(lambda layer: layer.bias, last, bias))
    ts, w = np.linspace(0, 2, 7), 2 * np.pi * np.asarray(f.frequencies)
    a, b, c, d = np.split(np.arange(16.0).reshape(8, 2), [3, 6, 7])
    wanted = np.cos(ts[:, None] * w) @ a + np.sin(ts[:, None] * w) @ b + c + ts[:, None] / 2 * d
    np.testing.assert_allclose(f(jnp.asarray(ts), jnp.ones(2)), wanted, atol=1e-12)
    # Longer times leave what was there unchanged.
    longer = np.concatenate([ts, [3.0, 4.0]])
    np.testing.assert_allclose(f(jnp.asarray(longer), jnp.ones(2))[:7], wanted, atol=1e-12)
