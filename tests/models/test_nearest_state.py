"""The robust fit of a state: against closed form and another solver, with outliers and gaps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from latax.models.nearest_state import known_states, robust_latent

RANDOM = np.random.default_rng(3)
W, V = RANDOM.normal(size=(40, 3)), RANDOM.normal(size=3)
CLEAN = W @ V


def whole_fit(x, deviation):
    solve = jax.jit(lambda x, deviation: robust_latent(lambda v: jnp.asarray(W) @ v, x, jnp.zeros((1, 3)), deviation))
    return solve(jnp.asarray(x), jnp.asarray(deviation))


def fit(x, deviation):
    return np.asarray(whole_fit(x, deviation).value)


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


@pytest.mark.usefixtures("x64")
def test_what_is_left_open_is_the_posterior_of_what_was_observed():
    deviation = 100.0
    for observed in (np.ones(40, bool), np.arange(40) < 2):
        spread = np.asarray(whole_fit(np.where(observed, CLEAN, np.nan), deviation).spread)
        posterior = np.linalg.inv(W[observed].T @ W[observed] / deviation**2 + np.eye(3))
        np.testing.assert_allclose(spread @ spread.T, posterior, rtol=1e-3, atol=1e-6)
    assert not np.allclose(posterior, np.linalg.inv(W.T @ W / deviation**2 + np.eye(3)), rtol=1e-3)


@pytest.mark.usefixtures("x64")
def test_nothing_is_nearer_than_what_the_likeliest_guess_leads_to():
    """A wave of unknown frequency has many minima: the coarse fit from its best guess ends in another."""
    places, deviation = np.linspace(0, 1, 30), 0.05
    decode = lambda w: jnp.sin(8 * w[0] * jnp.asarray(places))

    def total(w, x):
        r = (x - np.asarray(decode(w))) / deviation
        return np.sum(2 * (np.sqrt(1 + r**2) - 1)) + np.sum(np.asarray(w) ** 2)

    solve = jax.jit(lambda x, guesses: robust_latent(decode, x, guesses, jnp.asarray(deviation)).value)
    for wanted in (-1.7, -0.4, 0.9, 2.2):
        x = np.sin(8 * wanted * places)
        found = solve(jnp.asarray(x), jnp.array([[wanted + 0.05], [0.1], [-0.1]]))
        assert total(found, x) <= wanted**2 + 1e-9
        lost = solve(jnp.asarray(x), jnp.array([[0.1], [-0.1], [0.0]]))
        assert total(lost, x) >= total(found, x) - 1e-9
    assert total(lost, x) > 10


@pytest.mark.usefixtures("x64")
def test_known_states_are_whitened():
    v = RANDOM.normal(size=(200, 2)) @ np.array([[2.0, 1.0], [0.0, 0.3]]) + 5
    known = known_states(jnp.asarray(v))
    known = jax.tree.map(np.asarray, known)
    np.testing.assert_allclose(known.whitened @ known.factor.T + known.mean, v, atol=1e-10)
    np.testing.assert_allclose(np.cov(known.whitened.T, bias=True), np.eye(2), atol=5e-3)
    flat = known_states(jnp.asarray(v * [1, 0]))
    assert np.isfinite(flat.whitened).all()
