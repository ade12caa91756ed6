"""The physics-integrated VAE: its ladder, its bound, and where the gradient of each term goes."""

import dataclasses
import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.stats

from latax.data import pendulum as pendulums
from latax.models.physics_objective import (
    PhysicsObjective,
    Regularisers,
    _wake,
    augmentation,
    bound,
    matching,
    reconstruction_error,
    sequences,
    simulation,
    start,
    unit_of,
)
from latax.models.physics_vae import Latents, physics_vae
from latax.nn.linear import Linear
from latax.physics import ODE, Adaptive, FixedStep, Parameter, pendulum
from tests.density.randomised import randomised

TIMES = np.linspace(0, 1.2, 7)
ALL = Regularisers(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
KEY = jax.random.key(0)


def new(physics=None, **options):
    options = {"width_size": 4, "inside_width": 3} | options
    return physics_vae(pendulum() if physics is None else physics, TIMES, key=KEY, **options)


def batch(model, rows=6):
    size = len(TIMES) * model.scale.size
    return {"x": 0.5 * jax.random.normal(jax.random.key(1), (rows, size)) + 0.2}


def trained(model):
    """A model with corrections that do something, in units that are not one."""
    model = eqx.filter_jit(start)(model, batch(model))
    parts = lambda m: [p for p in (m.encoder, m.inside, m.outside) if p is not None]
    return eqx.tree_at(parts, model, [randomised(p, scale=0.3, seed=i) for i, p in enumerate(parts(model))])


@functools.cache
def gradients():
    """The gradient of every term with respect to every array, for one batch: one compilation for all tests."""
    model = trained(new())
    data = batch(model)

    @eqx.filter_jit
    def all_of(model):
        arrays, static = eqx.partition(model, eqx.is_inexact_array)
        return jax.jacrev(lambda a: PhysicsObjective(ALL)(eqx.combine(a, static), data, KEY))(arrays)

    return all_of(model)


def moved(tree):
    return max((float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(tree)), default=0.0) > 0


def test_new_corrections_do_nothing_at_all():
    model = eqx.filter_jit(start)(new(), batch(new()))
    x = sequences(model, batch(model))[0]
    laddered = eqx.filter_jit(lambda m: m.ladder(m.encode(x)))
    ladder = laddered(model)
    for other in (ladder.with_inside, ladder.with_outside, ladder.full):
        np.testing.assert_array_equal(other, ladder.physics)
    # The control: a trained model's do something.
    ladder = laddered(trained(new()))
    assert float(jnp.abs(ladder.with_inside - ladder.physics).max()) > 1e-3
    assert float(jnp.abs(ladder.with_outside - ladder.physics).max()) > 1e-3


def test_the_ladder_is_made_of_two_solves_and_one_sum(x64):
    model = trained(new())
    latents = model.encode(sequences(model, batch(model))[0])
    ladder = model.ladder(latents)
    np.testing.assert_allclose(ladder.full, model.decode(latents), atol=1e-12)
    np.testing.assert_allclose(ladder.full - ladder.with_inside, ladder.with_outside - ladder.physics, atol=1e-12)
    params = model.parameters(latents.physics)
    np.testing.assert_allclose(ladder.physics, model.physics.simulate(params, latents.initial, TIMES), atol=1e-12)


def test_longer_times_leave_the_observed_window_as_it_is(x64):
    model = trained(new())
    latents = model.encode(sequences(model, batch(model))[0])
    longer = np.concatenate([TIMES, TIMES[-1] + TIMES[1:]])
    np.testing.assert_allclose(model.decode(latents, longer)[:7], model.decode(latents), atol=1e-12)


def test_a_decoder_kl_of_equal_noise_is_half_the_squared_distance(x64):
    # -log N(x; F, s²) + log N(x; x, s²) = |x - F|² / 2 s², here with the reconstruction term of one sequence.
    model = trained(new(inside_size=None, outside_size=None))
    model = eqx.tree_at(lambda m: m.log_noise, model, jnp.log(0.3))
    data = batch(model, rows=1)
    objective = PhysicsObjective(Regularisers(ppc=0, cleansing=0, augmentation=0), "fixed")
    terms = eqx.filter_jit(objective)(model, data, KEY)
    assert set(terms) == {"reconstruction", "kl"}
    x = sequences(model, data)[0]
    # Without z_A the only draw is that of v, whose variance is made negligible.
    head = model.encoder.physics.net.layers[-1]
    narrow = eqx.tree_at(lambda layer: layer.bias, head, head.bias.at[1].set(-1e3))
    model = eqx.tree_at(lambda m: m.encoder.physics.net.layers[-1], model, narrow)
    terms = eqx.filter_jit(objective)(model, data, KEY)
    full, noise = model.decode(model.encode(x)), float(model.noise[0])
    wanted = 0.5 * float(jnp.sum((x - full) ** 2)) / noise**2 + 7 * (math.log(noise) + 0.5 * math.log(2 * math.pi))
    assert float(terms["reconstruction"]) == pytest.approx(wanted, rel=1e-2)


def test_gradients_go_where_they_should():
    g = gradients()
    cleansing, augmentation, simulation = g["cleansing"], g["augmentation"], g["simulation"]
    # R_DA,1: the cleanser and q(z_A | x), and neither decoder nor q(v | cleansed).
    assert moved(cleansing.encoder.cleanser)
    assert moved(cleansing.encoder.auxiliary)
    assert not moved((cleansing.inside, cleansing.outside, cleansing.encoder.physics, cleansing.log_noise))
    # R_DA,2: q(v | cleansed) alone.
    assert moved(augmentation.encoder.physics)
    assert moved(augmentation.encoder.physics_features)
    other = augmentation.encoder
    assert not moved((other.cleanser, other.auxiliary, other.features, augmentation.inside, augmentation.outside))
    # Simulations teach the whole encoder, and never the model that made them.
    assert moved(simulation.encoder.cleanser)
    assert moved(simulation.encoder.physics)
    assert moved(simulation.encoder.auxiliary)
    assert not moved((simulation.inside, simulation.outside, simulation.log_noise))
    # R_PPC: everything but the noise.
    for part in (g["ppc"].inside, g["ppc"].outside, g["ppc"].encoder.physics, g["ppc"].encoder.auxiliary):
        assert moved(part)
    assert not moved(g["ppc"].log_noise)


def test_no_correction_no_discrepancy():
    model = trained(new(inside_size=None, outside_size=None))
    terms = eqx.filter_jit(PhysicsObjective(ALL))(model, batch(model), KEY)
    assert float(terms["ppc"]) == pytest.approx(float(terms["kl"]), rel=1e-6)
    assert model.encoder.cleanser is None


def test_terms_are_means_over_the_batch():
    # A batch that is itself twice: all that does not depend on draws is the same.
    model = trained(new())
    data = batch(model)
    twice = {"x": jnp.concatenate([data["x"]] * 2)}
    np.testing.assert_allclose(
        jnp.mean(reconstruction_error(model, twice)), jnp.mean(reconstruction_error(model, data)), rtol=1e-5
    )
    order = jnp.array([3, 1, 0, 2, 5, 4])
    shuffled = {"x": data["x"][order]}
    np.testing.assert_allclose(
        reconstruction_error(model, shuffled), reconstruction_error(model, data)[order], rtol=1e-4
    )


def test_the_bound_rises_with_more_draws_to_the_likelihood(x64):
    # One parameter that does nothing to the data: log p(x) is known, and the bound reaches it.
    still = ODE(lambda t, y, p: (0.0 * p.rate,), [Parameter("rate", 0.0, 1.0)], ["level"])
    model = trained(new(still, inside_size=None, outside_size=None))
    # A posterior wider than the prior, so that the weights are bounded.
    layer = model.encoder.physics.net.layers[-1]
    wide = Linear(jnp.zeros_like(layer.weight), jnp.array([0.5, 1.0]))
    model = eqx.tree_at(lambda m: m.encoder.physics.net.layers[-1], model, wide)
    x = jnp.full((7, 1), 0.4) + 0.05 * jnp.arange(7.0)[:, None]
    noise = float(model.noise[0])
    # Of the six observations after the first, which is given and costs nothing.
    wanted = float(-0.5 * jnp.sum(((x - x[:1]) / noise) ** 2) - 6 * (math.log(noise) + 0.5 * math.log(2 * math.pi)))
    keys = jax.random.split(KEY, 10)
    one = jax.vmap(lambda k: bound(model, x, k))(jax.random.split(KEY, 500))
    many = eqx.filter_jit(jax.vmap(lambda k: bound(model, x, k, 5000)))(keys)
    assert float(jnp.mean(one)) < float(jnp.mean(many)) <= wanted + 0.02
    assert float(jnp.mean(many)) == pytest.approx(wanted, abs=0.02)


def test_seconds_since_1970_are_times_like_others():
    """In single precision they are 128 apart."""
    spring = ODE(lambda t, y, p: (y.velocity, -p.k * y.position), [Parameter("k", 1.0, 2.0)], ["position", "velocity"])
    made = []
    for first in (0.0, 1.6e9):
        model = trained(physics_vae(spring, first + TIMES, width_size=4, inside_width=3, key=KEY))
        latents = model.encode(jnp.ones((7, 2)))
        later = np.append(TIMES, 1.4) + first
        ladder = model.ladder(latents)
        made.append((*ladder, model.decode(latents, later), model.effort(latents, ladder)))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), *made)
    assert float(jnp.abs(made[0][2] - made[0][0]).max()) > 1e-2  # there are corrections
    assert float(jnp.abs(jnp.diff(made[1][3] - made[1][1], axis=0)).max()) > 1e-3  # which depend on time


def test_what_explodes_of_the_prior_is_left_out(x64):
    """y' = rate y³ from 1 is at infinity at 1 / (2 rate), for a part of the prior within the window."""
    bomb = ODE(lambda t, y, p: (p.rate * y.level**3,), [Parameter("rate", 0.0, 4.0)], ["level"])
    model = trained(new(bomb, inside_size=None, outside_size=None))
    space, initial = bomb.parameters, jnp.ones((64, 1))
    v = jax.random.normal(KEY, (64, 1), model.scale.dtype)
    made = jax.vmap(lambda v: model.alone(space.from_normal(v), initial[0]))(v)
    finite = np.isfinite(made).all(axis=(1, 2))
    assert 5 < finite.sum() < 60
    found = jax.vmap(lambda x: space.from_normal(model.encoder.known(model.standardise(x).ravel()).mean).rate)(made)
    truth = jax.vmap(lambda v: space.from_normal(v).rate)(v)
    wanted = np.mean((np.asarray(found - truth)[finite] / space.std[0]) ** 2)
    value, slopes = eqx.filter_value_and_grad(augmentation)(model, initial, KEY)
    assert float(value) == pytest.approx(wanted, rel=1e-6)
    nothing = jnp.zeros((64, 0))
    other, more = eqx.filter_value_and_grad(simulation)(model, nothing, initial, jnp.zeros((64, 7, 1)), KEY)
    assert np.isfinite(other)
    for leaf in jax.tree.leaves((slopes, more)):
        assert np.isfinite(leaf).all()


def test_the_reconstruction_is_a_log_density(x64):
    model = eqx.tree_at(lambda m: m.log_noise, trained(new()), jnp.log(0.2))
    data = batch(model)
    x = sequences(model, data)
    terms = eqx.filter_jit(PhysicsObjective(Regularisers(), "fixed"))(model, data, KEY)
    # The very draws of the objective.
    wake = jax.vmap(_wake, (None, 0, 0))(model, x, jr.split(jr.split(KEY, 4)[0], len(x)))
    density = scipy.stats.norm.logpdf(x, wake.ladder.full, model.noise[None, None]).sum(axis=(1, 2))
    assert float(terms["reconstruction"]) == pytest.approx(-density.mean(), rel=1e-10)
    assert float(terms["kl"]) == pytest.approx(float(jnp.mean(wake.kl)), rel=1e-10)


def test_effort_is_the_size_of_the_corrections(x64):
    # Corrections that are constants: one unit of the rates, two of the observations.
    model = trained(new())
    last = lambda m: [net.layers[-1] for net in (m.inside.net, m.inside.coefficients, m.outside.net)]
    net, coefficients, outside = (0 * layer.weight for layer in last(model))
    constant = jnp.zeros(len(outside)).at[-2].set(2.0)
    flat = [Linear(net, jnp.ones(1)), Linear(coefficients, jnp.zeros(len(coefficients))), Linear(outside, constant)]
    model = eqx.tree_at(last, model, flat)
    only = Regularisers(ppc=0, effort=1.0, cleansing=0, augmentation=0)
    terms = eqx.filter_jit(PhysicsObjective(only))(model, batch(model), KEY)
    assert float(terms["effort"]) == pytest.approx(0.5 * 7 * (1 + 4), rel=1e-5)


def test_friction_is_not_mistaken_for_a_slower_pendulum(x64):
    """Along a trajectory, some friction looks like a restoring force; over independent angles and velocities hardly."""
    rows = 300
    truth = pendulums.make(rows, 0).truth | {"amplitude": np.zeros(rows)}
    dense = np.linspace(0, 2.45, 491)
    angle = pendulums.solve(truth, dense)
    states = np.stack([angle, np.gradient(angle, dense, axis=1)], axis=-1)[:, ::10]

    def bias(states):
        # Of ω*, for which the correction (ω*² - ω²) sin θ - γ θ' has the least mean square.
        sine, friction = np.sin(states[..., 0]), -truth["gamma"][:, None] * states[..., 1]
        squared = truth["omega"] ** 2 - np.mean(friction * sine, 1) / np.mean(sine**2, 1)
        return np.mean(np.sqrt(squared) - truth["omega"])

    along = bias(states)
    assert along < -0.05
    assert abs(bias(np.asarray(jax.vmap(pendulum().recombined)(jnp.asarray(states))))) < abs(along) / 4


def test_matching_is_the_kl_of_the_batch(x64):
    v = jnp.asarray([[0.5], [1.5]])  # mean 1, variance 1/4
    assert float(matching(v)) == pytest.approx(0.125 + math.log(2), abs=1e-5)
    assert float(matching(jnp.asarray([[-1.0], [1.0]]))) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("noise", ["fixed", "learned", "optimal"])
def test_every_kind_of_noise_trains_what_it_should(noise):
    model = trained(new())
    data = batch(model)

    def total(log_noise):
        terms = PhysicsObjective(Regularisers(ppc=0, cleansing=0, augmentation=0), noise)(
            eqx.tree_at(lambda m: m.log_noise, model, log_noise), data, KEY
        )
        return sum(terms.values())

    slope = float(eqx.filter_jit(jax.grad(total))(model.log_noise))
    assert (slope == 0) == (noise == "fixed")


def test_an_inferred_initial_state_moves_within_its_prior():
    model = trained(new(infers_initial=True))
    x = sequences(model, batch(model))[0]
    spread = np.asarray(model.initial_spread())
    np.testing.assert_allclose(spread, [float(model.noise[0]), float(model.state_scale[1])], rtol=1e-6)
    latents = model.latents(x, jnp.zeros(1), jnp.zeros(3), jnp.array([1.0, -2.0]))
    np.testing.assert_allclose(latents.initial, np.array([x[0, 0], 0.0]) + spread * [1.0, -2.0], rtol=1e-5)
    # The control: an observed one is what was seen, and the rest at rest.
    plain = trained(new())
    np.testing.assert_allclose(plain.encode(x).initial, [x[0, 0], 0.0], rtol=1e-6)


def test_units_are_taken_from_the_first_batch():
    model = new()
    data = batch(model)
    scaled = start(model, {"x": 3 * data["x"] + 1})
    plain = start(model, data)
    np.testing.assert_allclose(scaled.scale, 3 * plain.scale, rtol=1e-4)
    np.testing.assert_allclose(scaled.loc, 3 * plain.loc + 1, rtol=1e-4)
    assert bool(jnp.all(plain.state_scale > 0))
    assert bool(jnp.all(plain.rate_scale > 0))


def test_small_numbers_have_small_units():
    model, small = new(), 1e-9
    line = ODE(lambda t, y, p: (p.rate + 0 * y.height,), [Parameter("rate", 0.0, small)], ["height"])
    data = small * batch(model)["x"]
    scaled = start(physics_vae(line, np.asarray(model.times), key=KEY), {"x": data})
    np.testing.assert_allclose(scaled.scale, jnp.std(data), rtol=1e-4)
    assert float(scaled.state_scale[0]) < 10 * small
    assert float(scaled.rate_scale[0]) < 10 * small


def test_what_the_physics_leaves_at_zero_has_a_unit_of_its_own():
    # An unknown force, of which nothing is known but that it is continuous.
    pushed = ODE(
        lambda t, y, p: (y.force - p.rate * y.height, 0.0),
        [Parameter("rate", 0.5, 1.0)],
        ["height", "force"],
        observed=["height"],
        corrected=["force"],
    )
    model = new()
    scaled = start(physics_vae(pushed, np.asarray(model.times), key=KEY), batch(model))
    assert float(scaled.state_scale[1]) == 1
    assert float(scaled.rate_scale[0]) == pytest.approx(1 / (model.times[-1] - model.times[0]))
    # And a channel that never changes.
    assert float(unit_of(jnp.full((3, 4, 1), 7.0), (0, 1))[0]) == 7
    assert float(unit_of(jnp.zeros((3, 4, 1)), (0, 1))[0]) == 1


def test_a_physics_of_which_nothing_is_corrected():
    fixed = ODE(lambda t, y, p: (-p.rate * y.height,), [Parameter("rate", 0.5, 1.0)], ["height"], corrected=[])
    model = physics_vae(fixed, np.asarray(new().times), inside_size=2, key=KEY)
    assert model.inside is None
    assert model.inside_size == 0


def test_samples_are_decoded_prior_draws_with_noise():
    model = trained(new())
    keys = jax.random.split(KEY, 400)
    quiet = eqx.tree_at(lambda m: m.log_noise, model, jnp.log(1e-6))
    initial = jnp.array([0.5, 0.0])
    first = jax.vmap(lambda k: quiet.sample(k, initial))(keys)[:, 0, 0]
    outside = np.asarray(jax.vmap(lambda k: quiet.sample(k, initial))(keys))[:, :, 0].std(axis=0)
    assert bool(jnp.all(jnp.isfinite(first)))
    assert outside[-1] > 0.05  # parameters differ
    assert isinstance(model.encode(sequences(model, batch(model))[0]), Latents)


def test_fields_that_are_no_arrays_can_be_compared():
    objective = PhysicsObjective(ALL, "learned")
    assert objective == PhysicsObjective(ALL, "learned")
    assert hash(objective) == hash(PhysicsObjective(ALL, "learned"))
    assert {f.name for f in dataclasses.fields(objective)} == {"regularisers", "noise"}


def test_gaps_are_solved_with_steps_as_everywhere(x64):
    gapped = np.concatenate([0.1 * np.arange(12), [4.0, 4.1]])
    model = physics_vae(pendulum(), gapped, inside_size=None, outside_size=None, width_size=4, key=KEY)
    model = eqx.tree_at(lambda m: m.scale, model, model.scale.astype(float))
    latents = Latents(jnp.array([1.0]), jnp.zeros(0), jnp.zeros(0), jnp.array([1.0, 0.0]))
    params = model.parameters(latents.physics)
    longer = np.concatenate([gapped, [9.0, 20.0]])
    exact = pendulum(solver=Adaptive(1e-10, 1e-10)).simulate(params, latents.initial, longer)
    fitted, ahead = model.decode(latents), model.decode(latents, longer)
    np.testing.assert_allclose(ahead, exact, atol=2e-3)
    # The fit and what goes on from it are one curve, whatever other times are asked for.
    np.testing.assert_array_equal(ahead[: len(gapped)], fitted)
    np.testing.assert_array_equal(model.ladder(latents).full, fitted)
    # The control: one step from each time to the next.
    leaping = pendulum(solver=FixedStep(substeps=1)).simulate(params, latents.initial, longer)
    assert abs(leaping - exact).max() > 0.5
