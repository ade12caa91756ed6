import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.density.triangular import inverse_lower, log_abs_diagonal_of_r


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_inverse_of_a_lower_triangle(size, x64):
    full = np.random.default_rng(size).normal(size=(size, size)) + 2 * np.eye(size)
    lower = np.tril(full)
    inverse = jax.jit(inverse_lower)(jnp.asarray(lower))
    np.testing.assert_allclose(inverse @ lower, np.eye(size), atol=1e-11)
    assert np.allclose(np.triu(inverse, 1), 0)
    if size > 1:  # the matrix itself, its upper half included, has another inverse
        assert not np.allclose(inverse, np.linalg.inv(full), atol=1e-3)


@pytest.mark.parametrize("shape", [(3, 1), (4, 4), (7, 3), (40, 35)])
def test_volume_of_the_columns(shape, x64):
    matrix = np.random.default_rng(0).normal(size=shape)
    value = log_abs_diagonal_of_r(jnp.asarray(matrix))
    np.testing.assert_allclose(value, np.log(np.linalg.svd(matrix, compute_uv=False)).sum(), atol=1e-11)


def test_gradient_is_the_transposed_pseudoinverse(x64):
    matrix = np.random.default_rng(0).normal(size=(5, 3))
    gradient = jax.jit(jax.grad(log_abs_diagonal_of_r))(jnp.asarray(matrix))
    np.testing.assert_allclose(gradient, np.linalg.pinv(matrix).T, atol=1e-12)
