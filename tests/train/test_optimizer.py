import jax
import jax.numpy as jnp
import numpy as np

from latax.train.optimizer import adamw_cosine


def moves(optimizer, gradients):
    params = jnp.ones(2)
    state, path = optimizer.init(params), []
    for gradient in gradients:
        with jax.numpy_dtype_promotion("standard"):
            updates, state = optimizer.update(gradient, state, params)
        path.append(np.asarray(updates))
    return np.array(path)


def test_the_learning_rate_falls_as_a_cosine_to_zero():
    path = moves(adamw_cosine(0.1, 10, weight_decay=0.0), [jnp.array([1.0, -1.0])] * 11)
    expected = 0.1 * (1 + np.cos(np.pi * np.arange(11) / 10)) / 2
    np.testing.assert_allclose(path[:, 1], expected, atol=1e-5)
    np.testing.assert_allclose(path[:, 0], -expected, atol=1e-5)


def test_long_gradients_are_clipped_and_short_ones_are_not():
    # Adam forgets the length of a gradient that never changes, but not of one that does.
    long, short = jnp.array([30.0, 40.0]), jnp.array([0.3, 0.4])
    clipped = moves(adamw_cosine(0.1, 10, clip=1.0), [short, long])
    unit = moves(adamw_cosine(0.1, 10, clip=1.0), [short, long / 50])
    free = moves(adamw_cosine(0.1, 10, clip=1000.0), [short, long])
    np.testing.assert_allclose(clipped, unit, rtol=1e-5)
    assert not np.allclose(clipped, free, rtol=1e-2)


def test_weights_decay():
    still = [jnp.zeros(2)]
    np.testing.assert_allclose(moves(adamw_cosine(0.1, 10, weight_decay=0.5), still)[0], -0.05, rtol=1e-5)
    np.testing.assert_allclose(moves(adamw_cosine(0.1, 10, weight_decay=0.0), still)[0], 0.0, atol=1e-7)
