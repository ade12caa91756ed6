"""The physics-integrated VAE for formulas: images by convolutions, profiles by perceptrons."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from latax._errors import ConfigError
from latax.models.closed_form_vae import closed_form_vae, start_closed_form
from latax.models.physics_objective import PhysicsObjective, Regularisers, bound, sequences
from latax.models.recipes import Budget, closed_form
from latax.physics import ClosedForm, Parameter, exponential_disc
from tests.density.randomised import randomised

KEY = jax.random.key(0)
EVERY = Regularisers(*[1.0] * len(Regularisers._fields))


def profile():
    heights = [Parameter("height", 0.0, 2.0), Parameter("width", 0.1, 1.0)]
    return ClosedForm(lambda r, p: p.height * jnp.exp(-r / p.width), heights, np.linspace(0, 1, 6))


PHYSICS = {"image": lambda: exponential_disc(8, channels=2), "profile": profile}


def batch(physics, rows=4):
    size = int(np.prod(physics.sample_shape))
    return {"x": 0.3 * jax.random.normal(jax.random.key(1), (rows, size)) + 0.5}


@functools.cache
def new(name):
    physics = PHYSICS[name]()
    make = lambda: start_closed_form(closed_form_vae(physics, width_size=4, key=KEY), batch(physics))
    return eqx.filter_jit(make)()


@functools.cache
def trained(name):
    model = new(name)
    parts = lambda m: (m.encoder, m.outside)
    return eqx.tree_at(parts, model, [randomised(p, scale=0.2, seed=i) for i, p in enumerate(parts(model))])


@functools.cache
def gradients():
    model = trained("image")
    arrays, static = eqx.partition(model, eqx.is_inexact_array)
    objective = lambda a: PhysicsObjective(EVERY)(eqx.combine(a, static), batch(model.physics), KEY)
    return jax.jit(jax.jacrev(objective))(arrays)


def moved(tree):
    return [float(jnp.abs(leaf).max()) > 0 for leaf in jax.tree.leaves(tree)]


def test_gradients_go_where_they_go_for_sequences():
    g = gradients()
    assert set(g) == {"reconstruction", "kl", *Regularisers._fields}
    assert all(moved((g["reconstruction"].encoder, g["reconstruction"].outside)))
    cleansing, augmentation = g["cleansing"], g["augmentation"]
    assert all(moved((cleansing.encoder.cleanser, cleansing.encoder.features, cleansing.encoder.auxiliary)))
    assert not any(moved((cleansing.outside, cleansing.encoder.physics)))
    assert all(moved(augmentation.encoder.physics_features))
    assert not any(moved((augmentation.outside, augmentation.encoder.cleanser, augmentation.encoder.features)))
    assert all(moved(g["simulation"].encoder))
    assert not any(moved((g["simulation"].outside, g["simulation"].log_noise)))


@pytest.mark.parametrize("name", PHYSICS)
def test_verbs_on_one_sample(name):
    model = trained(name)
    x = sequences(model, batch(model.physics))[0]
    latents = eqx.filter_jit(model.encode)(x)
    ladder = eqx.filter_jit(model.ladder)(latents)
    np.testing.assert_allclose(ladder.physics, model.physics.simulate(model.parameters(latents.physics)), rtol=1e-5)
    np.testing.assert_allclose(ladder.full, eqx.filter_jit(model.decode)(latents), rtol=1e-6, atol=1e-6)
    assert float(jnp.abs(ladder.full - ladder.physics).max()) > 1e-3
    assert eqx.filter_jit(model.sample)(KEY, latents.initial).shape == x.shape
    assert bool(jnp.isfinite(eqx.filter_jit(bound)(model, x, KEY, 3)))


@pytest.mark.parametrize("name", PHYSICS)
def test_a_new_correction_does_nothing(name):
    model = new(name)
    x = sequences(model, batch(model.physics))[0]
    ladder, cleansed = eqx.filter_jit(lambda m: (m.ladder(m.encode(x)), m.posterior(x).cleansed))(model)
    np.testing.assert_array_equal(ladder.full, ladder.physics)
    np.testing.assert_allclose(cleansed, x, rtol=1e-5)


def test_units_are_those_of_each_channel():
    x = jax.random.normal(KEY, (5, 8, 8, 2)) * jnp.array([[[[1.0, 3.0]]]]) + jnp.array([[[[0.0, 7.0]]]])
    model = start_closed_form(closed_form_vae(PHYSICS["image"](), width_size=4, key=KEY), {"x": x.reshape(5, -1)})
    np.testing.assert_allclose(model.scale, np.std(x, axis=(0, 1, 2))[None], rtol=1e-5)
    np.testing.assert_allclose(model.loc, np.mean(x, axis=(0, 1, 2))[None], rtol=1e-5)
    standard = model.standardise(x[0])
    np.testing.assert_allclose(model.restore(standard), x[0], rtol=1e-4, atol=1e-4)


def test_the_likelihood_is_that_of_the_datas_own_units(x64):
    # A formula on which its parameter has no effect: whatever is drawn, the mean of x is known.
    constant = ClosedForm(lambda x, p: x + 0.0 * p.a, [Parameter("a", 0.0, 1.0)], np.full((3, 2, 2), 0.4))
    x = np.random.default_rng(0).normal([0.0, 7.0], [1.0, 3.0], (5, 3, 2, 2))
    data = {"x": jnp.asarray(x.reshape(5, -1))}
    model = start_closed_form(closed_form_vae(constant, outside_size=None, noise=0.5, width_size=2, key=KEY), data)
    objective = PhysicsObjective(Regularisers(*[0] * len(Regularisers._fields)), "fixed")
    found = eqx.filter_jit(objective)(model, data, KEY)
    noise = 0.5 * (x.std(axis=(0, 1, 2)) + 1e-6)
    wanted = -norm.logpdf(x, 0.4, noise).sum() / 5
    assert float(found["reconstruction"]) == pytest.approx(wanted, rel=1e-5)
    assert norm.logpdf(x, 0.4, 0.5).sum() / -5 != pytest.approx(wanted, rel=0.1)  # in other units


def test_the_physics_alone_has_no_cleanser():
    model = closed_form_vae(profile(), outside_size=None, width_size=4, key=KEY)
    assert model.outside is None
    assert model.encoder.cleanser is None
    terms = eqx.filter_jit(PhysicsObjective(EVERY))(model, batch(model.physics), KEY)
    assert float(terms["ppc"]) == pytest.approx(float(terms["kl"]))
    assert float(terms["effort"]) == 0.0


def test_the_recipe_trains_what_is_learned():
    model = trained("image")
    [phase] = closed_form(Budget(2, 4, 1e-2, 0.0, 1.0), Regularisers(), "learned", 128)
    spec = phase.filter_spec(model)
    assert not any((spec.loc, spec.scale))
    assert spec.log_noise
    begun = lambda m, data: phase.metric(phase.begin(m, data), data)
    assert eqx.filter_jit(begun)(model, batch(model.physics)).shape == (4,)


def test_what_cannot_be():
    number = ClosedForm(lambda r, p: p.height * r, [Parameter("height", 0.0, 2.0)], np.float32(1.0))
    with pytest.raises(ConfigError, match="gives a single number; expected an array"):
        closed_form_vae(number, key=KEY)
    with pytest.raises(ConfigError, match="outside_size=-1 must be a whole number from 0"):
        closed_form_vae(profile(), outside_size=-1, key=KEY)
