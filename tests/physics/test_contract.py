"""What every physics promises: one line in `CONSTRUCTORS` and it is checked for all of it."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.physics import (
    ODE,
    PDE,
    Adaptive,
    ClosedForm,
    FixedStep,
    Grid,
    Parameter,
    PDESystem,
    advection_diffusion,
    exponential_disc,
    pendulum,
)

RATE = Parameter("rate", 0.5, 2.0, prior="loguniform")


def predator_and_prey(t, y, p):
    return [p.rate * y.prey * (1 - y.hunter), y.hunter * (y.prey - p.loss), 0.1 * jnp.cos(t + p.phase)]


def heat(t, u, p, grid):
    return p.rate * grid.laplacian(u) - 0.3 * grid.derivative(u, "y")


def reaction_and_diffusion(t, u, p, grid):
    growth = u.food * u.cells**2
    return 0.2 * grid.laplacian(u.food) - growth + p.rate, 0.1 * grid.laplacian(u.cells) + growth - u.cells


def line(wavelength, p):
    return p.height * jnp.exp(-0.5 * ((wavelength - 1.0) / p.width) ** 2)


CONSTRUCTORS = {
    "pendulum": pendulum,
    "pendulum with friction and force": lambda: pendulum(damping=True, forcing=True, solver=FixedStep(step=0.07)),
    "pendulum, adaptive": lambda: pendulum(solver=Adaptive(1e-7, 1e-7)),
    "three states": lambda: ODE(
        predator_and_prey,
        [RATE, Parameter("loss", prior=("lognormal", 1.0, 0.2)), Parameter("phase", 0.0, 6.28, circular=True)],
        ["prey", "hunter", "season"],
        observed=["hunter", "prey"],
        corrected=["season", "prey"],
        rest={"season": 0.4},
        solver=FixedStep("heun", substeps=2),
    ),
    "advection and diffusion": lambda: advection_diffusion(advection=True, nodes=6),
    "heat in two dimensions": lambda: PDE(
        heat, [RATE], Grid({"x": (0.0, 4.0, 4), "y": (0.0, 3.0, 3)}, {"x": "periodic", "y": "neumann"})
    ),
    "two fields": lambda: PDESystem(
        reaction_and_diffusion,
        [RATE],
        Grid({"x": (0.0, 4.0, 4), "y": (1.0, 3.0, 3)}, {"x": "periodic", "y": ("dirichlet", (0.5, 1.0))}),
        ["food", "cells"],
        observed=["cells"],
        corrected=["food"],
        rest={"food": 1.5},
    ),
    "exponential disc": lambda: exponential_disc(5),
    "spectral line": lambda: ClosedForm(
        line, [Parameter("height", 0.0, 2.0), Parameter("width", 0.1, 1.0)], np.linspace(0, 2, 7)
    ),
}
IN_TIME = [name for name in CONSTRUCTORS if name not in ("exponential disc", "spectral line")]
BATCH = 3
TS = np.array([0.0, 0.05, 0.2, 0.3])
every = pytest.mark.parametrize("name", CONSTRUCTORS)
every_in_time = pytest.mark.parametrize("name", IN_TIME)


def correction(strength, physics):
    """A function of time and of every state, of the shape that is wanted."""
    size = int(np.prod(physics.correction_shape))
    return lambda t, y: strength * jnp.sin(t + jnp.arange(1.0, size + 1) + jnp.sum(y)).reshape(physics.correction_shape)


def simulate(physics, v, observed, strength):
    """The observations with the parameters of coordinates v; without a correction where its strength is None."""
    params = physics.parameters.from_normal(v)
    if not physics.has_time:
        return physics.simulate(params)
    added = None if strength is None else correction(strength, physics)
    return physics.simulate(params, physics.initial_state(observed), TS, added)


@functools.cache
def case(name: str):
    """A physics, a batch of its inputs, and everything that is computed from them by one compiled function."""
    with jax.enable_x64(True):
        physics = CONSTRUCTORS[name]()
        v = jr.normal(jr.key(1), (BATCH, physics.parameters.size))
        observed = 0.5 + jr.uniform(jr.key(2), (BATCH, *physics.sample_shape))

        @eqx.filter_jit
        def compute(v, observed):
            def loss(v, observed, strength):
                x = simulate(physics, v, observed, strength)
                return jnp.sum(jnp.sin(jnp.arange(1.0, x.size + 1).reshape(x.shape) * x)), x

            def each(v, observed):
                (_, x), gradients = jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True)(v, observed, 0.7)
                without, nothing = (simulate(physics, v, observed, strength) for strength in (None, 0.0))
                return x, gradients, without, nothing

            return jax.vmap(each)(v, observed)

        return physics, v, observed, compute(v, observed)


@every
def test_observations_have_the_shape_that_is_said(name):
    physics, _, _, (x, *_) = case(name)
    assert x.shape == (BATCH, *((len(TS),) if physics.has_time else ()), *physics.sample_shape)
    assert np.isfinite(x).all()
    assert float(np.ptp(x)) > 1e-3


@every
def test_a_compiled_batch_is_one_after_the_other(name, x64):
    physics, v, observed, (x, *_) = case(name)
    for i in range(2):
        np.testing.assert_allclose(simulate(physics, v[i], observed[i], 0.7), x[i], rtol=1e-10, atol=1e-12)
    assert abs(np.asarray(x[0] - x[1])).max() > 1e-3


@every
def test_gradients_are_finite_and_reach_every_coordinate(name):
    physics, _, _, (_, (by_v, by_observed, by_strength), *_) = case(name)
    for gradient in (by_v, *((by_observed, by_strength) if physics.has_time else ())):
        assert np.isfinite(gradient).all()
        assert (abs(np.asarray(gradient)) > 1e-9).all()


@every_in_time
def test_no_correction_is_a_correction_by_zero(name):
    *_, (x, _, without, nothing) = case(name)
    np.testing.assert_allclose(without, nothing, rtol=1e-13)
    assert abs(np.asarray(x - without)).max() > 1e-3


@every_in_time
def test_it_starts_from_what_was_observed(name, x64):
    physics, _, observed, (x, *_) = case(name)
    np.testing.assert_array_equal(x[:, 0], observed)
    assert physics.initial_state(observed[0]).shape == physics.state_shape


@every
def test_nothing_in_it_is_trained(name):
    physics = case(name)[0]
    assert jax.tree.leaves(eqx.filter(physics, eqx.is_inexact_array)) == []


@every
def test_single_precision_stays_single(name):
    physics = CONSTRUCTORS[name]()
    x = jax.eval_shape(
        lambda v, y: simulate(physics, v, y, 0.7),
        jax.ShapeDtypeStruct((physics.parameters.size,), jnp.float32),
        jax.ShapeDtypeStruct(physics.sample_shape, jnp.float32),
    )
    assert x.dtype == jnp.float32


@every_in_time
def test_wrong_shapes_are_refused(name):
    physics = case(name)[0]
    params = physics.parameters.from_normal(jnp.zeros(physics.parameters.size))
    y0 = jnp.zeros(physics.state_shape)
    with pytest.raises(ConfigError, match=r"the initial state has shape \(9, 9\); expected the whole state"):
        physics.simulate(params, jnp.zeros((9, 9)), TS)
    with pytest.raises(ConfigError, match=r"the correction gave an array of shape \(7, 7\); expected \("):
        physics.simulate(params, y0, TS, lambda t, y: jnp.zeros((7, 7)))
    with pytest.raises(ConfigError, match=r"needs an initial state and times: simulate\(params, y0, ts\)"):
        physics.simulate(params)


@pytest.mark.parametrize("name", [name for name in CONSTRUCTORS if name not in IN_TIME])
def test_what_has_no_time_takes_none(name):
    physics = case(name)[0]
    params = physics.parameters.from_normal(jnp.zeros(physics.parameters.size))
    with pytest.raises(ConfigError, match=r"a closed form has no time: it takes the parameters alone"):
        physics.simulate(params, ts=TS)


def test_unobserved_states_start_at_rest_and_can_be_seen(x64):
    physics = CONSTRUCTORS["three states"]()
    y0 = physics.initial_state(jnp.array([2.0, 1.0]))
    np.testing.assert_array_equal(y0, [1.0, 2.0, 0.4])
    params = physics.parameters.from_array(jnp.array([1.0, 1.0, 0.5]))
    states = physics.trajectory(params, y0, TS)
    np.testing.assert_array_equal(states[:, [1, 0]], physics.simulate(params, y0, TS))
    np.testing.assert_allclose(states[:, 2], 0.4 + 0.1 * (np.sin(TS + 0.5) - np.sin(0.5)), atol=1e-5)
