"""What a physics may still be missing: against a linear model whose posterior is known in closed form."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.estimators.physics_spread import spreads
from latax.models.closed_form_vae import closed_form_vae
from latax.models.physics_discrepancy import Discrepancy, learned, sensitivity
from latax.models.physics_vae import physics_vae
from latax.physics import ODE, Adaptive, ClosedForm, FixedStep, Parameter
from tests.density.randomised import randomised

TIMES = np.linspace(0.0, 2.0, 9)
NOISE, MEAN, STD = 0.1, 1.5, 0.2


def model(**options):
    """y' = slope, with slope ~ N(1.5, 0.2²): a sequence is a straight line."""
    prior = Parameter("slope", -math.inf, math.inf, prior=("normal", MEAN, STD))
    line = ODE(lambda t, y, p: (p.slope + 0 * y.height,), [prior], ["height"])
    sizes = {"inside_size": None, "outside_size": None} | options
    return physics_vae(line, TIMES, noise=NOISE, width_size=4, key=jax.random.key(0), **sizes)


def curves(rates, outputs=None):
    """The discrepancy with these curves (R, T)."""
    rates = jnp.asarray(rates)[:, :, None]
    return Discrepancy(rates, jnp.zeros_like(rates) if outputs is None else jnp.asarray(outputs)[:, :, None])


def slope(model, x):
    return float(model.parameters(model.encode(x).physics).slope)


def test_derivatives_of_a_straight_line(x64):
    m, x = model(), jnp.asarray(TIMES)[:, None]
    J = sensitivity(m, x, curves(np.ones((1, 9)), np.cos(TIMES)[None]))
    # A rate that is wrong by its own size adds a line of the same slope.
    wanted = np.stack([STD * TIMES, abs(slope(m, x)) * TIMES + np.cos(TIMES)], axis=1) / NOISE
    np.testing.assert_allclose(J, wanted, rtol=1e-6, atol=1e-8)


def test_adaptive_steps_have_the_same_derivatives(x64):
    m, x = model(inside_size=1, outside_size=1), jnp.asarray(TIMES)[:, None]
    m = eqx.tree_at(lambda m: m.inside, m, randomised(m.inside, scale=0.3, seed=1))
    missing = curves(np.ones((1, 9)), np.cos(TIMES)[None])
    wanted = sensitivity(eqx.tree_at(lambda m: m.physics.solver, m, FixedStep(substeps=8)), x, missing)
    found = sensitivity(eqx.tree_at(lambda m: m.physics.solver, m, Adaptive(1e-9, 1e-9)), x, missing)
    # The rates of the discrepancy have corners at the times, of which the control of the step size knows nothing: it
    # looks at the states, and not at their derivatives.
    np.testing.assert_allclose(found, wanted, rtol=3e-4)


def test_spreads_are_those_of_the_linear_model(x64):
    m, x = model(), jnp.asarray(TIMES)[:, None]
    J = np.asarray(sensitivity(m, x, curves(np.ones((1, 9)))))
    known, all_unknown = (np.linalg.inv(np.eye(k) + J[:, :k].T @ J[:, :k])[0, 0] for k in (1, 2))
    a, b, s = STD / NOISE, abs(slope(m, x)) / NOISE, float(np.sum(TIMES**2))
    assert known == pytest.approx(1 / (1 + a**2 * s), rel=1e-6)
    assert all_unknown == pytest.approx((1 + b**2 * s) / (1 + (a**2 + b**2) * s), rel=1e-6)
    # What acts unlike the slope hides nothing of it: a wave whose integral is orthogonal to a line.
    flat = np.linalg.qr(np.stack([TIMES, np.ones(9)], axis=1))[0][:, 1][None]
    J = np.asarray(sensitivity(m, x, curves(np.zeros((1, 9)), flat)))
    assert np.linalg.inv(np.eye(2) + J.T @ J)[0, 0] == pytest.approx(known, rel=1e-6)


def test_a_correction_is_measured_by_the_physics_own_rate(x64):
    m = model(inside_size=1)
    m = eqx.tree_at(lambda m: m.inside, m, randomised(m.inside, scale=0.3, seed=0))
    x = jnp.asarray(TIMES)[:, None]
    found = learned(m, x)
    ladder, latents = m.ladder(m.encode(x)), m.encode(x)
    absolute = jax.vmap(m.correction(latents.inside))(jnp.asarray(TIMES), ladder.states)
    np.testing.assert_allclose(found.rates * abs(slope(m, x)), absolute, rtol=1e-6)
    assert float(jnp.abs(absolute).max()) > 1e-3
    np.testing.assert_array_equal(found.outputs, 0)


def test_a_sequence_in_which_the_physics_does_nothing_counts_little(x64):
    m = model(inside_size=1)
    m = eqx.tree_at(lambda m: m.inside, m, randomised(m.inside, scale=0.3, seed=0))
    still = eqx.tree_at(
        lambda m: m.physics, m, ODE(lambda t, y, p: (0 * p.slope,), m.physics.parameters.parameters, ["height"])
    )
    absolute = learned(m, jnp.asarray(TIMES)[:, None]).rates * 1.5
    found = learned(still, jnp.zeros((9, 1))).rates
    assert bool(jnp.isfinite(found).all())
    assert float(jnp.abs(found).max()) < 1000 * float(jnp.abs(absolute).max())


def test_an_inferred_initial_state_is_unknown_too(x64):
    m, x = model(infers_initial=True), jnp.asarray(TIMES)[:, None]
    J = sensitivity(m, x, curves(np.zeros((1, 9))))
    assert J.shape == (9, 3)
    np.testing.assert_allclose(J[:, 1], 1.0, rtol=1e-6)  # a constant, of the noise's size


def test_an_angle_is_as_well_known_wherever_it_points(x64):
    """Of its two coordinates the data know the turn, and the radius does not exist."""
    grid, angle = np.linspace(0, 2 * math.pi, 16, endpoint=False), Parameter("angle", 0.0, 2 * math.pi, circular=True)
    wave = ClosedForm(lambda x, p: jnp.cos(x - p.angle), [angle], grid)
    m = closed_form_vae(wave, outside_size=None, noise=NOISE, width_size=8, key=jax.random.key(0))
    m = eqx.tree_at(lambda m: m.encoder, m, randomised(m.encoder, scale=0.5, seed=0))
    x = np.random.default_rng(0).normal(size=(20, 16))
    at = np.array([float(m.parameters(m.encode(jnp.asarray(row)).physics).angle) for row in x])
    assert np.ptp(at) > 1
    found = spreads(m, x, x)
    # Σ sin² = 8 over a whole turn, and an angle's prior has a standard deviation of 2 π / √12.
    wanted = 1 / math.sqrt(1 + 8 * (2 * math.pi) ** 2 / 12 / NOISE**2)
    np.testing.assert_allclose(found.known, wanted, rtol=1e-6)
    np.testing.assert_allclose(found.marginal, wanted, rtol=1e-6)
    assert found.known.shape == (20, 1)


def test_spreads_of_many_sequences():
    m = model(inside_size=1, outside_size=1)
    parts = lambda m: (m.inside, m.outside)
    m = eqx.tree_at(parts, m, [randomised(p, scale=0.3, seed=i) for i, p in enumerate(parts(m))])
    x = np.linspace(0.5, 2.0, 5)[:, None] * TIMES.astype(np.float32)
    found = spreads(m, x.astype(np.float32), x.astype(np.float32))
    assert found.known.shape == (5, 1)
    assert (found.known <= found.model + 1e-6).all()
    assert (found.model < found.marginal).all()
    assert (found.marginal <= 1 + 1e-6).all()
    silent = spreads(model(), x.astype(np.float32), x.astype(np.float32))
    np.testing.assert_allclose(silent.known, silent.marginal, rtol=1e-5)
