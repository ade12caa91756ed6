"""Means over directions, of functions that are steep where a map squeezes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.geometry import Inverse
from latax.geometry.directions import direction_rule, mean_inverse_square
from latax.geometry.energy import mean_distortion

SMALL = [0.5, 0.05, 1e-4]


def rotated(values, seed=0):
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))[0]
    return jnp.asarray(q @ np.diag(values) @ q.T)


@pytest.mark.parametrize("s", SMALL)
def test_inverse_squares_in_two_and_three_dimensions(s, x64):
    """1/√det for n = 2. The form of diag(1, 1, s) is 1 - a² h² at the height h, a² = 1 - s: the mean is artanh(a)/a."""
    a = np.sqrt(1 - s)
    assert float(mean_inverse_square(jnp.full((1, 1), s))) == pytest.approx(1 / s, rel=1e-12)
    assert float(mean_inverse_square(rotated([1.0, s]))) == pytest.approx(s**-0.5, rel=1e-9)
    assert float(mean_inverse_square(rotated([1.0, 1.0, s]))) == pytest.approx(np.arctanh(a) / a, rel=1e-9)


@pytest.mark.parametrize("n", [4, 5])
def test_inverse_squares_in_more_dimensions(n, x64):
    metric = rotated(np.linspace(0.5, 2, n))
    directions, weights = direction_rule(n)
    forms = np.einsum("mi,ij,mj->m", directions, np.asarray(metric), directions)
    assert float(mean_inverse_square(metric)) == pytest.approx(float(weights @ (1 / forms)), rel=2e-3)
    assert float(mean_inverse_square(3 * jnp.eye(n))) == pytest.approx(1 / 3, rel=1e-10)


def test_single_precision_does_not_overflow():
    assert float(mean_inverse_square(jnp.diag(jnp.array([1e3, 1e3, 1e-1])))) == pytest.approx(
        np.arctanh(np.sqrt(1 - 1e-4)) / np.sqrt(1 - 1e-4) / 1e3, rel=1e-4
    )


@pytest.mark.parametrize("s", [0.1, 0.02, 0.01])
def test_the_distortion_of_a_squeezed_map_is_exact(s, x64):
    """(1 + s²)/2 + 1/s - 2. The rule of equal angles, which is right for round maps, is the control."""
    jacobian = jnp.array([[1.0, 0.0], [0.0, s], [0.0, 0.0]])
    assert float(mean_distortion(jacobian, Inverse())) == pytest.approx((1 + s**2) / 2 + 1 / s - 2, rel=1e-12)
    slope = jax.grad(lambda t: mean_distortion(jacobian.at[1, 1].set(t), Inverse()))(jnp.asarray(s))
    assert float(slope) == pytest.approx(s - 1 / s**2, rel=1e-9)
    directions, weights = direction_rule(2)
    by_rule = weights @ Inverse().of_square(jnp.sum((directions @ jacobian.T) ** 2, axis=1))
    assert (abs(float(by_rule) / float(mean_distortion(jacobian, Inverse())) - 1) > 0.05) == (s < 0.05)
