import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from latax.linear_algebra import (
    exponential,
    inverse_lower,
    log_abs_diagonal_of_r,
    log_det,
    log_det_of_positive,
    orthonormalise,
    singular_values,
    solve_upper,
    symmetric_eigen,
)


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


@pytest.mark.parametrize("size", [1, 4, 33])
def test_determinant_of_a_positive_matrix_and_its_gradient(size, x64):
    half = np.random.default_rng(size).normal(size=(size, size + 2))
    matrix = half @ half.T
    value, gradient = jax.value_and_grad(log_det_of_positive)(jnp.asarray(matrix))
    np.testing.assert_allclose(value, np.linalg.slogdet(matrix)[1], rtol=1e-12)
    np.testing.assert_allclose(gradient + gradient.T, 2 * np.linalg.inv(matrix), rtol=1e-6, atol=1e-9)
    if size > 1:
        assert jnp.isnan(log_det_of_positive(jnp.asarray(-matrix)))


@pytest.mark.parametrize("matrix", [[[0.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]])
def test_log_det_refuses_determinants_that_are_not_positive(matrix):
    assert jnp.isnan(log_det(jnp.array(matrix)))


def test_gradient_is_the_transposed_pseudoinverse(x64):
    matrix = np.random.default_rng(0).normal(size=(5, 3))
    gradient = jax.jit(jax.grad(log_abs_diagonal_of_r))(jnp.asarray(matrix))
    np.testing.assert_allclose(gradient, np.linalg.pinv(matrix).T, atol=1e-12)


def test_a_column_that_adds_nothing_leaves_the_other_slopes_defined(x64):
    matrix = jnp.array([[1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    assert log_abs_diagonal_of_r(matrix) == -jnp.inf
    gradient = jax.grad(log_abs_diagonal_of_r)(matrix)
    np.testing.assert_allclose(gradient, [[1 / 9, 0], [2 / 9, 0], [2 / 9, 0]], atol=1e-15)


def test_frames_of_nearly_parallel_columns_are_orthonormal(x64):
    matrix = jnp.array([[1.0, 1, 1], [1e-9, 0, 0], [0, 1e-9, 0], [0, 0, 1e-9]])
    q, r = orthonormalise(matrix)
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(q @ r, matrix, atol=1e-15)
    np.testing.assert_allclose(jnp.prod(jnp.diagonal(r)), 3**0.5 * 1e-18, rtol=1e-6)
    assert not np.linalg.det(np.asarray(matrix.T @ matrix)) > 0.5 * float(jnp.prod(jnp.diagonal(r))) ** 2


@pytest.mark.parametrize("size", [1, 4, 40])
def test_upper_triangles_are_solved(size, x64):
    upper = np.triu(np.random.default_rng(size).normal(size=(size, size))) + 3 * np.eye(size)
    right = np.arange(1.0, size + 1)
    np.testing.assert_allclose(
        solve_upper(jnp.asarray(upper), jnp.asarray(right)), np.linalg.solve(upper, right), atol=1e-12
    )


@pytest.mark.parametrize("size", [1, 2, 3, 6, 9, 33])
def test_eigenvalues_of_symmetric_matrices(size, x64):
    matrix = np.random.default_rng(size).normal(size=(20, size, size))
    matrix = matrix + matrix.transpose(0, 2, 1)
    matrix[0] = np.eye(size)  # All equal.
    matrix[1] = np.diag([1e-12, *np.arange(1.0, size)])
    values, vectors = jax.jit(jax.vmap(symmetric_eigen))(jnp.asarray(matrix))
    np.testing.assert_allclose(np.sort(values, axis=1), np.linalg.eigvalsh(matrix), atol=1e-13 * size)
    np.testing.assert_allclose(vectors.mT @ vectors, np.broadcast_to(np.eye(size), matrix.shape), atol=1e-13)
    np.testing.assert_allclose(vectors * values[:, None] @ vectors.mT, matrix, atol=1e-13 * size)
    if size > 1:  # Half of the work is not enough.
        assert not np.allclose(np.diagonal(matrix, axis1=1, axis2=2), values, atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 9, 33])
def test_singular_values(size, x64):
    matrix = np.random.default_rng(size).normal(size=(20, size + 2, size))
    matrix[0] = np.eye(size + 2, size)
    matrix[1] = 0
    matrix[2] *= 1e-200
    values = jax.jit(jax.vmap(singular_values))(jnp.asarray(matrix))
    expected = np.linalg.svd(matrix, compute_uv=False)
    unit = np.where(expected[:, :1] > 0, expected[:, :1], 1)
    np.testing.assert_allclose(values / unit, expected / unit, atol=1e-13 * size)


def test_small_singular_values_keep_their_digits_in_single_precision():
    random = np.random.default_rng(0)
    left, right = np.linalg.qr(random.normal(size=(9, 6)))[0], np.linalg.qr(random.normal(size=(6, 6)))[0]
    wanted = np.array([1, 0.5, 0.1, 1e-2, 1e-3, 1e-4])
    matrix = jnp.asarray(left * wanted @ right, jnp.float32)
    np.testing.assert_allclose(singular_values(matrix), wanted, rtol=0.02)
    squares = np.linalg.eigvalsh(np.asarray(matrix.T @ matrix))
    assert not 0.9e-8 < squares[0] < 1.1e-8


def test_what_is_not_symmetric_is_ignored(x64):
    matrix = np.random.default_rng(0).normal(size=(4, 4))
    values, _ = symmetric_eigen(jnp.asarray(matrix))
    np.testing.assert_allclose(np.sort(values), np.linalg.eigvalsh((matrix + matrix.T) / 2), atol=1e-14)


@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 30.0])
def test_exponentials(scale, x64):
    matrix = scale * np.random.default_rng(0).normal(size=(5, 5))
    expected = expm(matrix)
    np.testing.assert_allclose(exponential(jnp.asarray(matrix)), expected, atol=1e-12 * abs(expected).max())
    np.testing.assert_allclose(exponential(jnp.asarray(-1000 * np.eye(2))), 0, atol=1e-300)
    assert np.isnan(exponential(jnp.asarray(1e10 * np.eye(2)))).all()


def test_the_derivative_of_the_exponential(x64):
    matrix = jnp.asarray(np.random.default_rng(1).normal(size=(4, 4)))
    slope = jax.grad(lambda t: jnp.sum(exponential(t * matrix)))(jnp.asarray(1.3))
    np.testing.assert_allclose(slope, jnp.sum(matrix @ expm(1.3 * matrix)), rtol=1e-12)
