"""The baselines: what they lack, and that they keep what every model promises."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.models.baselines import neural_ode_vae, sequence_vae, start_without_physics
from latax.models.physics_objective import PhysicsObjective, Regularisers, bound, sequences
from latax.models.physics_vae import Latents
from latax.models.recipes import Budget, without_physics
from tests.density.randomised import randomised

KEY = jax.random.key(0)
TIMES = np.array([0.0, 0.1, 0.3, 0.4, 0.7, 0.9])  # irregular
NONE = Regularisers(*[0] * len(Regularisers._fields))
SMALL = {"width_size": 4, "key": KEY}
MODELS = {
    "sequence": lambda: sequence_vae(TIMES, (2,), latent_size=3, **SMALL),
    "neural ODE": lambda: neural_ode_vae(TIMES, (2,), inside_width=3, **SMALL),
    "second order": lambda: neural_ode_vae(TIMES, (2,), order=2, outside_size=None, inside_width=3, **SMALL),
    "inferred": lambda: neural_ode_vae(TIMES, (2,), order=2, infers_initial=True, inside_width=3, **SMALL),
}


def batch(rows=5):
    return {"x": 0.5 * jax.random.normal(KEY, (rows, 12)) + jnp.array([[3.0, -40.0] * 6])}


def trained(model):
    model = eqx.filter_jit(start_without_physics)(model, batch())
    parts = lambda m: [p for p in (m.encoder, m.inside, m.outside) if p is not None]
    return eqx.tree_at(parts, model, [randomised(p, scale=0.2, seed=i) for i, p in enumerate(parts(model))])


@pytest.mark.parametrize("name", MODELS)
def test_every_leaf_is_trained_and_every_verb_works(name):
    model, data = trained(MODELS[name]()), batch()

    @eqx.filter_jit
    @eqx.filter_grad
    def slope(model):
        return sum(PhysicsObjective(NONE, "learned")(model, data, KEY).values())

    gradient = slope(model)
    for part in (gradient.encoder, gradient.inside, gradient.outside, gradient.log_noise):
        assert all(float(jnp.abs(leaf).max()) > 0 for leaf in jax.tree.leaves(part))
    x = sequences(model, data)[0]

    @eqx.filter_jit
    def verbs(model):
        latents = model.encode(x)
        assert latents.physics.shape == (0,)
        assert model.decode(latents, np.append(TIMES, 2.0)).shape == (7, 2)
        assert model.sample(KEY, latents.initial).shape == (6, 2)
        return bound(model, x, KEY, 2), model.ladder(latents).full, model.decode(latents)

    limit, full, decoded = verbs(model)
    assert bool(jnp.isfinite(limit))
    np.testing.assert_allclose(full, decoded, rtol=1e-5, atol=1e-5)


def test_a_new_sequence_vae_says_the_mean_and_a_new_ode_stands_still():
    x = sequences(MODELS["sequence"](), batch())
    model = start_without_physics(MODELS["sequence"](), batch())
    np.testing.assert_allclose(model.decode(model.encode(x[0])), jnp.broadcast_to(x.mean((0, 1)), (6, 2)), rtol=1e-5)
    model = start_without_physics(MODELS["second order"](), batch())
    np.testing.assert_allclose(model.decode(model.encode(x[0])), jnp.broadcast_to(x[0, 0], (6, 2)), rtol=1e-5)


def test_a_sequence_vae_does_not_see_the_first_observation():
    model = trained(MODELS["sequence"]())
    latents = Latents(jnp.zeros(0), jnp.zeros(0), jnp.ones(3), jnp.zeros(0))
    x = sequences(model, batch())[0]
    found = model.latents(x, jnp.zeros(0), jnp.ones(3), jnp.zeros(0))
    np.testing.assert_array_equal(model.decode(found), model.decode(latents))
    # The control: a neural ODE starts there.
    model = trained(MODELS["neural ODE"]())
    assert float(model.latents(x, jnp.zeros(0), jnp.ones(4), jnp.zeros(0)).initial[0, 0]) == float(x[0, 0])


def test_an_unknown_dynamics_of_second_order_can_be_an_oscillator(x64):
    # x'' = -w² x, with a field that is linear in the state: cos(w t).
    times = np.linspace(0, 3, 121)
    model = neural_ode_vae(times, (1,), order=2, inside_size=0, outside_size=None, **SMALL)
    coefficients = lambda m: m.inside.coefficients.layers[-1].bias  # of 1, x, x' and waves in time
    model = eqx.tree_at(coefficients, model, jnp.zeros_like(coefficients(model)).at[1].set(-4.0))
    found = model.decode(Latents(*[jnp.zeros(0)] * 3, jnp.array([[1.0], [0.0]])))[:, 0]
    np.testing.assert_allclose(found, np.cos(2 * times), atol=1e-5)
    assert float(jnp.abs(found - np.cos(2.1 * times)).max()) > 0.1


def test_units_are_those_of_the_first_batch(x64):
    # Of a cos(w t): a, and with every derivative w more.
    times = np.linspace(0, 20 * np.pi, 4001)
    x = jnp.asarray(3 * np.cos(2 * times + np.array([[0.3], [1.0]])))
    model = start_without_physics(neural_ode_vae(times, order=2, inside_width=3, **SMALL), {"x": x})
    rms = 3 / np.sqrt(2)
    np.testing.assert_allclose(model.state_scale[:, 0], [rms, 2 * rms], rtol=2e-3)
    np.testing.assert_allclose(model.rate_scale, [4 * rms], rtol=2e-3)


def test_the_recipe_starts_in_these_units_and_regularises_nothing():
    model = MODELS["neural ODE"]()
    [phase] = without_physics(Budget(2, 4, 1e-2, 0.0, 1.0), "learned", 12)
    assert set(phase.objective(phase.begin(model, batch()), batch(), KEY)) == {"reconstruction", "kl"}
    assert phase.metric(phase.begin(model, batch()), batch()).shape == (5,)
    assert not any((phase.filter_spec(model).scale, phase.filter_spec(model).rate_scale))


def test_sizes_that_cannot_be():
    with pytest.raises(ConfigError, match="latent_size=0 must be a whole number from 1"):
        sequence_vae(TIMES, latent_size=0, key=KEY)
    with pytest.raises(ConfigError, match="order=0: expected a whole number from 1"):
        neural_ode_vae(TIMES, order=0, key=KEY)
