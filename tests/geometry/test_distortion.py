"""The densities γ: zero at one only, with the curvature that is promised, and finite derivatives at zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.geometry import DISTORTIONS, Inverse, Logarithmic, Quadratic, Regularised

CURVATURES = {"inverse": 8.0, "regularised": 8 / 1.05, "quadratic": 2.0, "log": 2.0}
every = pytest.mark.parametrize("name", DISTORTIONS)


@every
def test_zero_at_one_and_nowhere_else(name):
    with jax.enable_x64(True):
        gamma = DISTORTIONS[name]
        assert float(gamma(jnp.ones(()))) == pytest.approx(0, abs=1e-14)
        assert float(jax.grad(gamma)(jnp.ones(()))) == pytest.approx(0, abs=1e-12)
        assert float(jax.grad(jax.grad(gamma))(jnp.ones(()))) == pytest.approx(CURVATURES[name], rel=1e-9)
        others = jnp.concatenate([jnp.linspace(0.0, 0.99, 100), jnp.linspace(1.01, 30, 100)])
        assert (jax.vmap(gamma)(others) > 1e-5).all()


@every
def test_derivatives_are_finite_where_all_collapses(name):
    slope = jax.grad(DISTORTIONS[name].of_square)(jnp.zeros(()))
    assert np.isfinite(slope)


def test_values_by_their_formulas():
    with jax.enable_x64(True):
        s = jnp.array([0.3, 0.8, 1.7])
        np.testing.assert_allclose(Inverse()(s), (s - 1 / s) ** 2, rtol=1e-12)
        np.testing.assert_allclose(Regularised(0.1)(s), s**2 + 1.21 / (s**2 + 0.1) - 2.1, rtol=1e-12)
        np.testing.assert_allclose(Regularised(0.1)(jnp.zeros(())), 1 / 0.1, rtol=1e-12)
        np.testing.assert_allclose(Quadratic()(s), (s - 1) ** 2, rtol=1e-12)
        np.testing.assert_allclose(Logarithmic()(s), np.log(s) ** 2, rtol=1e-12)
        np.testing.assert_allclose(Logarithmic()(s), Logarithmic()(1 / s), rtol=1e-12)


def test_the_inverse_goes_on_as_its_tangent():
    with jax.enable_x64(True):
        gamma = Inverse().of_square
        least = jnp.asarray(1e-6)
        slope = jax.grad(gamma)(least * 1.0001)
        np.testing.assert_allclose(gamma(jnp.zeros(())), gamma(least) - slope * least, rtol=1e-3)


def test_what_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="c = 0 has to be positive"):
        Regularised(0)
