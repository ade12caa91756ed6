"""The robust fit of a state: against closed form and another solver, with outliers and gaps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from latax.models.nearest_state import robust_latent

RANDOM = np.random.default_rng(3)
W, V = RANDOM.normal(size=(40, 3)), RANDOM.normal(size=3)
CLEAN = W @ V


def fit(x, deviation):
    solve = jax.jit(lambda x, deviation: robust_latent(lambda v: jnp.asarray(W) @ v, x, jnp.zeros((1, 3)), deviation))
    return np.asarray(solve(jnp.asarray(x), jnp.asarray(deviation)))


@pytest.mark.usefixtures("x64")
def test_it_is_the_minimum_by_another_solver():
    x = CLEAN + RANDOM.standard_t(2, size=40)

    def total(v):
        r = (x - W @ v) / 0.5
        return np.sum(2 * (np.sqrt(1 + r**2) - 1)) + v @ v

    best = scipy.optimize.minimize(total, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    np.testing.assert_allclose(fit(x, 0.5), best.x, atol=1e-3)


@pytest.mark.usefixtures("x64")
def test_for_small_residuals_it_is_ridge_regression():
    deviation = 100.0
    ridge = np.linalg.solve(W.T @ W / deviation**2 + np.eye(3), W.T @ CLEAN / deviation**2)
    np.testing.assert_allclose(fit(CLEAN, deviation), ridge, rtol=2e-3)


@pytest.mark.usefixtures("x64")
def test_outliers_hardly_move_it_and_gaps_do_not():
    spoilt = CLEAN.copy()
    spoilt[::5] += 50.0
    squares = np.linalg.lstsq(W, spoilt, rcond=None)[0]
    assert np.linalg.norm(squares - V) > 1
    assert np.linalg.norm(fit(spoilt, 0.01) - V) < 0.02
    spoilt[::5] = np.nan
    assert np.linalg.norm(fit(spoilt, 0.01) - V) < 1e-3
