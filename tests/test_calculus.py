import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latax import calculus
from latax._errors import ConfigError
from latax.linear_algebra import log_det

U = np.array([0.3, -0.7, 1.1])
MATRIX = np.random.default_rng(0).normal(size=(3, 3))


def field(u):
    """A vector field with divergence 2 u0 + u2 cos(u1 u2) + 0 and full Jacobian."""
    return jnp.stack([u[0] ** 2 + u[1], jnp.sin(u[1] * u[2]), u[0] * u[1]])


def scalar(u):
    return jnp.sum(u**4) + u[0] * u[1] * u[2]


def curve_on_sphere(u):
    return jnp.stack([jnp.cos(u[0]), jnp.sin(u[0]) * jnp.cos(u[1]), jnp.sin(u[0]) * jnp.sin(u[1])])


@pytest.fixture
def u(x64):
    return jnp.asarray(U)


def test_jacobian_pushforward_and_pullback_are_one_linear_map(u):
    value, jacobian = calculus.jacobian_by_jvps(field, u)
    np.testing.assert_allclose(value, field(u), atol=1e-15)
    np.testing.assert_allclose(jacobian, jax.jacrev(field)(u), atol=1e-14)
    tangent, cotangent = jnp.asarray(MATRIX[0]), jnp.asarray(MATRIX[1])
    np.testing.assert_allclose(calculus.pushforward(field, u, tangent)[1], jacobian @ tangent, atol=1e-14)
    np.testing.assert_allclose(calculus.pullback(field, u, cotangent)[1], jacobian.T @ cotangent, atol=1e-14)
    assert not np.allclose(calculus.pullback(field, u, tangent)[1], jacobian @ tangent)


def test_gram_of_the_sphere_is_its_metric(x64):
    u = jnp.array([1.0, 0.3])
    metric = calculus.gram(curve_on_sphere, u)
    np.testing.assert_allclose(metric, [[1, 0], [0, np.sin(1.0) ** 2]], atol=1e-14)
    np.testing.assert_allclose(log_det(metric), 2 * np.log(np.sin(1.0)), atol=1e-14)


def test_hvp_laplacian_and_divergence(u):
    hessian = jax.hessian(scalar)(u)
    v = jnp.asarray(MATRIX[0])
    np.testing.assert_allclose(calculus.hvp(scalar, u, v), hessian @ v, atol=1e-13)
    np.testing.assert_allclose(calculus.laplacian(scalar, u), 12 * np.sum(U**2), atol=1e-13)
    np.testing.assert_allclose(calculus.divergence(field, u), 2 * U[0] + U[2] * np.cos(U[1] * U[2]), atol=1e-14)


def test_laplacian_of_a_harmonic_function_is_zero(u):
    def newton(u):
        return 1 / jnp.linalg.norm(u)

    assert abs(float(calculus.laplacian(newton, u))) < 1e-12
    assert abs(float(calculus.laplacian(lambda u: newton(u) ** 2, u))) > 0.1


def test_laplacian_can_be_differentiated_and_mapped(u):
    gradient = jax.grad(lambda u: calculus.laplacian(scalar, u))(u)
    np.testing.assert_allclose(gradient, 24 * U, atol=1e-12)
    many = jax.vmap(lambda u: calculus.laplacian(scalar, u))(jnp.stack([u, 2 * u]))
    np.testing.assert_allclose(many, 12 * np.sum(U**2) * np.array([1, 4]), atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_laplacian_does_not_depend_on_the_frame(seed):
    with jax.enable_x64(True):
        rotation = jnp.linalg.qr(jax.random.normal(jax.random.key(seed), (3, 3)))[0]
        turned = calculus.laplacian(lambda u: scalar(rotation @ u), rotation.T @ jnp.asarray(U))
        np.testing.assert_allclose(turned, calculus.laplacian(scalar, jnp.asarray(U)), atol=1e-11)


def test_estimates_are_unbiased_with_an_honest_standard_error(u):
    exact = calculus.laplacian(scalar, u)
    keys = jax.random.split(jax.random.key(0), 2000)
    estimates = jax.jit(jax.vmap(lambda k: calculus.laplacian_estimate(scalar, u, probes=8, key=k)))(keys)
    spread = jnp.std(estimates.value)
    assert abs(float(jnp.mean(estimates.value) - exact)) < 4 * float(spread) / 2000**0.5
    np.testing.assert_allclose(jnp.sqrt(jnp.mean(estimates.standard_error**2)), spread, rtol=0.1)
    assert spread > 0.1


def test_the_variance_of_a_probe_is_that_of_the_off_diagonal_part(x64):
    hessian = jnp.asarray(MATRIX + MATRIX.T)
    wanted = 2 * (jnp.sum(hessian**2) - jnp.sum(jnp.diagonal(hessian) ** 2))
    estimate = lambda k: calculus.laplacian_estimate(lambda u: 0.5 * u @ hessian @ u, jnp.zeros(3), probes=1, key=k)
    values = jax.jit(jax.vmap(lambda k: estimate(k).value))(jax.random.split(jax.random.key(0), 40_000))
    np.testing.assert_allclose(jnp.var(values), wanted, rtol=0.03)
    np.testing.assert_allclose(jnp.mean(values), jnp.trace(hessian), atol=4 * (wanted / 40_000) ** 0.5)
    assert abs(float(2 * jnp.sum(hessian**2) / wanted) - 1) > 0.1


def test_the_square_of_an_estimate_is_biased(u):
    exact = calculus.laplacian(scalar, u)
    keys = jax.random.split(jax.random.key(0), 20_000)
    values = jax.jit(jax.vmap(lambda k: calculus.laplacian_estimate(scalar, u, probes=1, key=k).value))(keys)
    error = 4 * jnp.std(values**2) / 20_000**0.5
    assert jnp.mean(values**2) - exact**2 > error
    assert jnp.abs(jnp.mean(values[:10_000] * values[10_000:]) - exact**2) < 2 * error


def test_random_signs_are_exact_for_a_diagonal_jacobian(u):
    estimate = calculus.divergence_estimate(lambda u: u**3, u, probes=3, key=jax.random.key(0))
    np.testing.assert_allclose(estimate.value, 3 * np.sum(U**2), atol=1e-14)
    np.testing.assert_allclose(estimate.standard_error, 0, atol=1e-14)


def test_one_probe_does_not_know_its_error(u):
    assert calculus.divergence_estimate(field, u, probes=1, key=jax.random.key(0)).standard_error == jnp.inf
    with pytest.raises(ConfigError, match="at least one random probe"):
        calculus.divergence_estimate(field, u, probes=0, key=jax.random.key(0))
