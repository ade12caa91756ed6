"""The correction to the rates of change: silent at first, and linear where it says so."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from latax.models.rate_correction import LARGEST, WAVES, RateCorrection
from latax.physics import ODE, AbstractDynamics, Parameter
from tests.density.randomised import randomised

KEY = jax.random.key(0)


def test_it_starts_at_zero():
    found = RateCorrection(2, 3, 2, 4, key=KEY).of(jnp.ones(2))(jnp.asarray(0.3), jnp.arange(3.0))
    np.testing.assert_array_equal(found, np.zeros(2))


def test_without_the_network_it_is_linear_in_the_state_and_the_waves(x64):
    made = RateCorrection(2, 3, 2, 4, key=KEY)
    made = eqx.tree_at(lambda m: m.coefficients, made, randomised(made.coefficients, scale=0.5, seed=0))
    z, y, t = jnp.array([0.3, -1.0]), jnp.array([1.0, 2.0, -0.5]), 0.3
    matrix = made.coefficients(z).reshape(2, 1 + 3 + 2 * WAVES)
    waves = [f(np.pi * k * t) for f in (np.cos, np.sin) for k in range(1, WAVES + 1)]
    np.testing.assert_allclose(made.of(z)(jnp.asarray(t), y), matrix @ np.array([1.0, *y, *waves]), rtol=1e-10)
    other = made.of(z + 1)(jnp.asarray(t), y)
    assert not np.allclose(other, made.of(z)(jnp.asarray(t), y))


def test_a_large_state_has_no_matrix():
    made = RateCorrection(1, LARGEST + 1, LARGEST + 1, 4, key=KEY)
    assert made.coefficients(jnp.zeros(1)).size == (LARGEST + 1) * (1 + 2 * WAVES)
    assert made.of(jnp.zeros(1))(jnp.asarray(0.5), jnp.ones(LARGEST + 1)).shape == (LARGEST + 1,)


def test_states_are_put_together_anew():
    physics = ODE(lambda t, y, p: (y.b, -p.k * y.a), [Parameter("k", 0.0, 1.0)], ["a", "b"])
    states = jnp.stack([jnp.arange(20.0), 100 + jnp.arange(20.0)], axis=1)
    found = np.asarray(physics.recombined(states))
    np.testing.assert_array_equal(np.sort(found, axis=0), states)
    assert not np.array_equal(found[:, 1] - found[:, 0], np.full(20, 100.0))
    # The default keeps whole states.
    whole = np.asarray(AbstractDynamics.recombined(physics, states))
    np.testing.assert_array_equal(whole[:, 1] - whole[:, 0], np.full(20, 100.0))
    assert not np.array_equal(whole, states)
