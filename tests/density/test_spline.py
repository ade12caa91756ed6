import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.bijections import RationalQuadraticSpline
from hypothesis import given, settings
from hypothesis import strategies as st

from latax.density.spline import parameter_count, spline, spline_inverse

BINS, INTERVAL = 5, 3.0
forward = jax.jit(lambda x, p: spline(x, p, INTERVAL))
backward = jax.jit(lambda x, p: spline_inverse(x, p, INTERVAL))


def random_parameters(seed: int, features: int, scale: float = 1.0):
    return scale * jax.random.normal(jax.random.key(seed), (features, parameter_count(BINS)))


def flowjax_spline(parameters):
    """FlowJAX's spline with the same knots and slopes."""
    widths, heights, slopes = np.split(np.asarray(parameters), (BINS, 2 * BINS))

    def knots(logits):
        shares = 1e-3 + (1 - 1e-3 * BINS) * np.exp(logits) / np.exp(logits).sum()
        return jnp.asarray(INTERVAL * (2 * np.concatenate(([0], np.cumsum(shares))) - 1))

    inner = 1e-3 + np.log1p(np.exp(slopes + math.log(math.expm1(1 - 1e-3))))
    return eqx.tree_at(
        lambda s: (s.x_pos, s.y_pos, s.derivatives),
        RationalQuadraticSpline(knots=BINS - 1, interval=INTERVAL),
        (knots(widths), knots(heights), jnp.asarray(np.concatenate(([1], inner, [1])))),
        is_leaf=lambda leaf: leaf is None,
    )


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_flowjax(seed, x64):
    parameters = random_parameters(seed, 1)
    reference = flowjax_spline(parameters[0])
    for x in np.linspace(-3.5, 3.5, 12):
        y, log_det = forward(jnp.array([x]), parameters)
        expected, expected_log_det = reference.transform_and_log_det(jnp.array(x))
        np.testing.assert_allclose((y[0], log_det), (expected, expected_log_det), atol=1e-12)
        inverse, inverse_log_det = backward(jnp.array([x]), parameters)
        expected, expected_log_det = reference.inverse_and_log_det(jnp.array(x))
        np.testing.assert_allclose((inverse[0], inverse_log_det), (expected, expected_log_det), atol=1e-12)


def test_zero_parameters_are_the_identity(x64):
    x = jnp.linspace(-4, 4, 17)
    y, log_det = forward(x, jnp.zeros((17, parameter_count(BINS))))
    np.testing.assert_allclose(y, x, atol=1e-14)
    assert abs(float(log_det)) < 1e-13


def test_slope_is_continuous_at_the_ends_of_the_interval(x64):
    parameters = random_parameters(0, 1)
    for end in (-INTERVAL, INTERVAL):
        inside = forward(jnp.array([end * (1 - 1e-9)]), parameters)[1]
        assert abs(float(inside)) < 1e-6
    assert abs(float(forward(jnp.array([0.5]), parameters)[1])) > 1e-2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 6.0))
def test_round_trip_and_order(seed, scale):
    with jax.enable_x64(True):
        x = jnp.sort(jax.random.uniform(jax.random.key(seed), (40,), minval=-4, maxval=4))
        parameters = jnp.repeat(random_parameters(seed, 1, scale), 40, axis=0)
        y, log_det = forward(x, parameters)
        back, back_log_det = backward(y, parameters)
        np.testing.assert_allclose(back, x, atol=1e-8)
        np.testing.assert_allclose(back_log_det, -log_det, atol=1e-6)
        assert bool(jnp.all(jnp.diff(y) > 0))


def test_stays_finite_for_extreme_parameters():
    x = jnp.linspace(-3.0, 3.0, 41)
    parameters = random_parameters(0, 41, 60.0)
    for direction in (forward, backward):
        total = jax.jit(jax.grad(lambda x, p, d=direction: jnp.sum(d(x, p)[0]) + d(x, p)[1], argnums=(0, 1)))
        assert all(bool(jnp.all(jnp.isfinite(gradient))) for gradient in total(x, parameters))


@pytest.mark.parametrize("end", [-2.0, 2.0])
def test_slopes_at_the_ends_are_those_of_the_log_determinant(end, x64):
    parameters = random_parameters(0, 1)
    for function in (spline, spline_inverse):
        slope = jax.jacfwd(lambda x, f=function: f(x, parameters, 2.0)[0])(jnp.array([end]))[0, 0]
        np.testing.assert_allclose(jnp.log(slope), function(jnp.array([end]), parameters, 2.0)[1], atol=1e-9)
