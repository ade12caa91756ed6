"""What a physics-integrated VAE refuses before anything is trained, and its numbers where there is nothing to tell."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from latax import NeuralODEVAE, PhysicsVAE
from latax._errors import ConfigError
from latax.estimators.physics_assessment import _median
from latax.estimators.physics_vae import share
from latax.models.physics_objective import Regularisers
from latax.physics import ODE, ClosedForm, Parameter
from tests.estimators.test_physics_vae import SPRING, springs


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (PhysicsVAE(physics=SPRING), {"infers_initial": "no"}, "infers_initial='no' must be True or False"),
        (NeuralODEVAE(), {"infers_initial": "no"}, "infers_initial='no' must be True or False"),
        (PhysicsVAE(physics=SPRING), {"progress": 1}, "progress=1 must be True or False"),
        (PhysicsVAE(physics=SPRING), {"final_effort": 0.0}, "final_effort=0.0 must be a number greater"),
        (PhysicsVAE(physics=SPRING), {"final_effort": 1.0, "effort": 0.0}, "^effort=0.0 must be a number greater"),
        (NeuralODEVAE(), {"inside_size": None}, "inside_size=None must be a whole number of at least 0"),
    ],
)
def test_options_that_cannot_be(model, options, message):
    # Not by the constructor, whose types are checked in tests alone.
    with pytest.raises(ConfigError, match=message):
        model.set_params(**options).fit(springs())


@pytest.mark.parametrize("name", ["times", "X", "self"])
def test_names_that_verbs_have_taken_are_refused_at_once(name):
    with pytest.raises(ConfigError, match=rf"cannot be named '{name}': in `intervene\(X, times="):
        ODE(lambda t, y, p: (-p[0] * y.a,), [Parameter(name, 0.0, 1.0)], ["a"])
    assert ODE(lambda t, y, p: (-p[0] * y.a,), [Parameter("time", 0.0, 1.0)], ["a"]).parameters.names == ("time",)


@pytest.mark.parametrize(
    ("function", "kind"), [(lambda t, p: 0.5 * np.ones(3), "ndarray"), (lambda t, p: 2.0, "float")]
)
def test_a_formula_that_gives_numpy_is_told_so(function, kind):
    with pytest.raises(ConfigError, match=rf"gave a {kind} of NumPy or Python, .* Compute it from p with jax\.numpy"):
        ClosedForm(function, [Parameter("a", 0.0, 1.0)], np.zeros(3))


def test_shares_are_fractions_of_the_variance(x64):
    t = jnp.linspace(0.0, 1.0, 9)[:, None]
    line, level = 2 * t, jnp.full((9, 1), 1.0)
    assert float(share(line, line, jnp.mean(line, 0))) == 1.0
    assert float(share(line, level, jnp.mean(line, 0))) == pytest.approx(0.0, abs=1e-12)
    assert float(share(line, 1.5 * t + 0.25, jnp.mean(line, 0))) == pytest.approx(1 - 0.25**2)


def test_a_constant_has_no_variance_to_share():
    level, mean = jnp.full((9, 1), 0.3), jnp.full(1, 0.3)
    assert float(share(level, level, mean)) == 1.0
    assert np.isnan(float(share(level, level + 0.1, mean)))
    # Nor has one with roundings, which would give minus a very large number.
    noisy = level + 1e-8 * jnp.arange(9.0)[:, None]
    assert np.isnan(float(share(noisy, level + 0.1, mean)))
    assert float(share(level + jnp.arange(9.0)[:, None], level, mean + 4.0)) < 0
    assert _median(np.array([0.2, np.nan, 0.4, 0.9])) == 0.4
    assert np.isnan(_median(np.array([np.nan])))


def test_the_usual_weights_are_said_once():
    assert set(Regularisers()) == {0.0}
    usual = {field.name: field.default for field in dataclasses.fields(PhysicsVAE)}
    assert sum(usual[name] > 0 for name in Regularisers._fields) == 4
