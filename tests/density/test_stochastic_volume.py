import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.density import log_volume

N, D = 5, 9
U = np.linspace(-0.5, 0.5, N)
QUADRATIC = np.random.default_rng(0).normal(size=(D, N))


def exact(matrix):
    return log_volume(lambda u: jnp.tanh(matrix @ u) + jnp.asarray(QUADRATIC) @ u**2, jnp.asarray(U))


def estimate(matrix, key, probes=1, steps=32):
    def embed(u):
        return jnp.tanh(matrix @ u) + jnp.asarray(QUADRATIC) @ u**2

    return log_volume(embed, jnp.asarray(U), method="hutchinson", probes=probes, steps=steps, key=key)


@pytest.fixture
def matrix(x64):
    return jnp.asarray(np.random.default_rng(1).normal(size=(D, N)))


def test_value_and_gradient_are_exact_with_as_many_orthonormal_probes_as_coordinates(matrix):
    value, gradient = jax.jit(jax.value_and_grad(lambda m: estimate(m, jax.random.key(0), probes=N)))(matrix)
    np.testing.assert_allclose(value, exact(matrix), atol=1e-12)
    np.testing.assert_allclose(gradient, jax.grad(exact)(matrix), atol=1e-12)


def test_value_and_gradient_of_one_probe_are_unbiased(matrix):
    keys = jax.random.split(jax.random.key(1), 4000)
    values, gradients = jax.jit(jax.vmap(jax.value_and_grad(estimate), in_axes=(None, 0)))(matrix, keys)
    error = jnp.abs(jnp.mean(values) - exact(matrix))
    assert error < 4 * jnp.std(values) / 4000**0.5
    spread = jnp.std(gradients, axis=0) / 4000**0.5
    assert bool(jnp.all(jnp.abs(jnp.mean(gradients, axis=0) - jax.grad(exact)(matrix)) < 5 * spread))
    assert jnp.std(values) > 0.05  # one probe is not exact: the two bounds above say something


def test_value_is_not_that_of_the_surrogate(matrix):
    # The loss of rectangular flows has the right gradient, but the value n / 2 whatever the volume.
    value = estimate(matrix, jax.random.key(0), probes=N)
    assert abs(float(value) - N / 2) > 0.5


def test_too_few_steps_are_biased(matrix):
    keys = jax.random.split(jax.random.key(1), 2000)
    values = jax.jit(jax.vmap(lambda key: estimate(matrix, key, steps=1)))(keys)
    assert abs(float(jnp.mean(values) - exact(matrix))) > 10 * float(jnp.std(values)) / 2000**0.5


def test_exhausted_krylov_space(x64):
    # A conformal map has one singular value: the first step finds everything there is.
    u = jnp.ones(4)
    value = log_volume(lambda u: 3 * jnp.concatenate([u, u]), u, method="hutchinson", key=jax.random.key(0))
    np.testing.assert_allclose(value, 4 * jnp.log(3 * 2**0.5), atol=1e-12)


def test_float32():
    matrix = jnp.asarray(np.random.default_rng(1).normal(size=(D, N)), jnp.float32)

    def embed(u):
        return jnp.tanh(matrix @ u)

    u = jnp.asarray(U, jnp.float32)
    value = log_volume(embed, u, method="hutchinson", probes=N, key=jax.random.key(0))
    np.testing.assert_allclose(value, log_volume(embed, u), atol=1e-4)


@pytest.mark.parametrize("options", [{"probes": 0}, {"probes": N + 1}, {"steps": 0}])
def test_refuses_impossible_numbers_of_probes_and_steps(options, matrix):
    with pytest.raises(ConfigError, match=f"Use between 1 and {N} probes and at least one step"):
        estimate(matrix, jax.random.key(0), **options)
