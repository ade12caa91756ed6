"""Log-volumes with known answers (specification of the M-flow, section 6.3)."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.calculus import gram
from latax.density import embed_and_log_volume, log_volume
from latax.linear_algebra import log_det


def sphere(u):
    theta, phi = u
    return 2 * jnp.stack([jnp.sin(theta) * jnp.cos(phi), jnp.sin(theta) * jnp.sin(phi), jnp.cos(theta)])


def torus(u):
    azimuth, v = u
    return jnp.stack(
        [(3 + jnp.cos(v)) * jnp.cos(azimuth), (3 + jnp.cos(v)) * jnp.sin(azimuth), jnp.sin(v)],
    )


def helix(u):
    return jnp.concatenate([1.5 * jnp.cos(u), 1.5 * jnp.sin(u), 0.5 * u])


def swiss_roll(u):
    t, height = u
    return jnp.stack([t * jnp.cos(t), height, t * jnp.sin(t)])


def inverse_stereographic(u):
    square = jnp.sum(u**2)
    return jnp.append(2 * u, square - 1) / (1 + square)


def squares(x):
    return jnp.concatenate([x[:5] ** 2, x**2]) / 2


MATRIX = np.random.default_rng(0).normal(size=(7, 4))

KNOWN = {
    "sphere of radius 2": (sphere, [1.0, 0.3], 1.21369061),
    "torus": (torus, [0.2, 0.7], math.log(3 + math.cos(0.7))),
    "helix": (helix, [0.4], 0.45814537),
    "Swiss roll": (swiss_roll, [4.0, 1.0], math.log(17) / 2),
    "inverse stereographic": (inverse_stereographic, [0.5, 0.5, 0.0], 3 * math.log(2 / 1.5)),
    "squares": (squares, [2.0] * 10, 25 * math.log(2) / 2),
    "linear": (lambda u: jnp.asarray(MATRIX) @ u, [0.0] * 4, np.linalg.slogdet(MATRIX.T @ MATRIX)[1] / 2),
    "square map": (lambda u: jnp.asarray(MATRIX[:4]) @ u, [1.0] * 4, np.linalg.slogdet(MATRIX[:4])[1]),
}


@pytest.mark.parametrize("name", KNOWN)
def test_exact_log_volume(name, x64):
    embed, u, expected = KNOWN[name]
    u = jnp.array(u)
    x, value = jax.jit(lambda u: embed_and_log_volume(embed, u))(u)
    np.testing.assert_allclose(value, expected, atol=5e-9)
    np.testing.assert_allclose(value, log_det(gram(embed, u)) / 2, atol=1e-12)
    np.testing.assert_allclose(x, embed(u), atol=1e-14)


def test_gradient_is_that_of_the_determinant(x64):
    u = jnp.array([1.0, 0.3])
    by_qr = jax.grad(lambda u: log_volume(torus, u))(u)
    np.testing.assert_allclose(by_qr, [0.0, -math.sin(0.3) / (3 + math.cos(0.3))], atol=1e-12)


def test_qr_survives_where_the_gram_matrix_does_not(x64):
    nearly_parallel = jnp.array([[1.0, 1.0], [0.0, 1e-9], [0.0, 0.0]])
    u = jnp.zeros(2)
    np.testing.assert_allclose(log_volume(lambda u: nearly_parallel @ u, u), math.log(1e-9), rtol=1e-6)
    assert not np.isclose(log_det(gram(lambda u: nearly_parallel @ u, u)) / 2, math.log(1e-9), rtol=1e-3)


def test_no_volume_where_the_rank_is_lost(x64):
    assert log_volume(lambda u: jnp.stack([u[0], u[0], u[0]]), jnp.ones(2)) == -jnp.inf


def test_conformal_is_exact_for_conformal_maps_only(x64):
    u = jnp.array([0.3, -0.4, 0.8])
    conformal = log_volume(inverse_stereographic, u, method="conformal")
    np.testing.assert_allclose(conformal, log_volume(inverse_stereographic, u), atol=1e-12)
    wrong = log_volume(torus, u[:2], method="conformal") - log_volume(torus, u[:2])
    assert abs(float(wrong)) > 0.1


def test_auto_is_exact_for_few_coordinates_and_asks_for_a_key_for_many(x64):
    u = jnp.array([1.0, 0.3])
    assert log_volume(torus, u, method="auto") == log_volume(torus, u)
    with pytest.raises(ConfigError, match=r"Pass key=jax.random.key\(seed\)"):
        log_volume(lambda u: u, jnp.zeros(300), method="auto")


def test_refuses_an_unknown_method():
    with pytest.raises(ConfigError, match="method='cholesky' is not known"):
        log_volume(torus, jnp.zeros(2), method="cholesky")


def test_float32_agrees_with_float64():
    value = log_volume(torus, jnp.array([0.2, 0.7]))
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, KNOWN["torus"][2], atol=1e-6)
