"""The order of matrices, and the penalty for being out of it."""

import jax
import jax.numpy as jnp
import numpy as np

from latax.geometry import negative_energy, negative_part, order_penalty, order_violation

slope = jax.jit(jax.grad(negative_energy))


def turned(values, seed=0):
    """A symmetric matrix with these eigenvalues."""
    n = len(values)
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]
    return jnp.asarray(q @ np.diag(values) @ q.T)


def test_known_penalties(x64):
    zero = jnp.zeros((2, 2))
    for seed in range(3):  # Whatever the directions of the eigenvectors.
        np.testing.assert_allclose(order_penalty(turned([-1.0, 2], seed), zero), 0.5, atol=1e-14)
    np.testing.assert_allclose(order_violation(turned([-1.0, 2]), zero), 0.5)
    np.testing.assert_allclose(order_penalty(turned([3.0, 5]), 2 * jnp.eye(2)), 0, atol=1e-28)
    np.testing.assert_allclose(order_penalty(turned([3.0, 5]), 4 * jnp.eye(2)), 0.5, atol=1e-14)
    np.testing.assert_allclose(order_violation(turned([3.0, 5, -1e-4]), jnp.zeros((3, 3))), 0)


def test_violations_do_not_depend_on_the_unit_of_length(x64):
    g, lower = turned([1.0, 2, 3]), 1.5 * jnp.eye(3)
    for unit in (1e-3, 1.0, 1e3):
        np.testing.assert_allclose(order_violation(unit**2 * g, unit**2 * lower), 1 / 3)
        np.testing.assert_allclose(order_violation(unit**2 * g, (1 + 1e-6) * unit**2 * g), 0)  # Rounding is none.


def test_the_gradient_is_twice_the_negative_part(x64):
    matrix = turned([-2.0, -0.5, 0.1, 3])
    gradient = slope(matrix)
    np.testing.assert_allclose(gradient, 2 * negative_part(matrix), atol=1e-14)
    step = np.random.default_rng(1).normal(size=(4, 4))
    step = jnp.asarray(step + step.T) * 1e-5
    difference = (negative_energy(matrix + step) - negative_energy(matrix - step)) / 2
    np.testing.assert_allclose(difference, jnp.sum(gradient * step), rtol=1e-8)
    assert abs(difference / jnp.sum(negative_part(matrix) * step) - 1) > 0.1


def test_the_negative_part_is_what_is_missing(x64):
    matrix = turned([-2.0, -0.5, 0.1, 3])
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix - negative_part(matrix)), [0, 0, 0.1, 3], atol=1e-14)


def test_equal_eigenvalues_have_a_slope(x64):
    for scale in (-1.0, 0.0, 1.0):
        gradient = slope(scale * jnp.eye(3))
        np.testing.assert_allclose(gradient, 2 * min(scale, 0) * np.eye(3), atol=1e-15)
    two = jnp.diag(jnp.array([-1.0, -1.0, 2.0]))
    np.testing.assert_allclose(slope(two), np.diag([-2.0, -2, 0]), atol=1e-15)
    assert not np.isfinite(jax.jacobian(lambda m: jnp.linalg.eigh(m)[1])(two)).all()


def test_many_at_once_in_single_precision():
    matrices = jnp.stack([turned([-1.0, 2, 3], seed).astype(jnp.float32) for seed in range(20)])
    slopes = jax.jit(jax.vmap(jax.grad(lambda m: order_penalty(m, jnp.zeros_like(m)))))(matrices)
    parts = jax.jit(jax.vmap(negative_part))(matrices) * 2 / 3
    np.testing.assert_allclose(slopes, parts, atol=1e-6)
