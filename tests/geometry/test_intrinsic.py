"""Curvature of a metric field against closed forms and against the Gauss equation, and Ricci flows that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.geometry import (
    FlatTorusMetric,
    FlowContext,
    RicciFlow,
    SphereMetric,
    gaussian_curvature,
    pullback_metric,
    ricci_tensor,
    scalar_curvature,
    sectional_curvature,
)
from tests.geometry.surfaces import MAJOR, MINOR, saddle, torus

POINT = np.array([0.7, 1.1, 2.0, 0.4, 1.3, -0.9])


def cigar(u, t):
    """Hamilton's steady soliton."""
    return jnp.eye(2) / (jnp.exp(4 * t) + u @ u)


def bumpy(u):
    """A map from three coordinates to five with no symmetry."""
    x, y, z = u
    return jnp.array([x + 0.3 * y * z, y, z - 0.2 * x**2, jnp.sin(x + y), 0.5 * jnp.cos(y * z)])


@pytest.mark.parametrize("n", [2, 6])
def test_spheres(x64, n):
    metric, u = SphereMetric(n, radius=1.5).metric, jnp.asarray(POINT[:n])
    np.testing.assert_allclose(ricci_tensor(metric, u), (n - 1) / 1.5**2 * metric(u), atol=1e-11)
    assert scalar_curvature(metric, u) == pytest.approx(n * (n - 1) / 1.5**2, rel=1e-11)
    twice = lambda u: 4 * metric(u)  # A factor changes lengths and not the tensor.
    np.testing.assert_allclose(ricci_tensor(twice, u), ricci_tensor(metric, u), atol=1e-11)


def test_the_half_space_is_hyperbolic(x64):
    metric = lambda u: jnp.eye(3) / u[2] ** 2
    u = jnp.array([0.3, -0.7, 1.9])
    np.testing.assert_allclose(ricci_tensor(metric, u), -2 * metric(u), atol=1e-12)


@pytest.mark.parametrize("surface", [torus, saddle])
def test_surfaces_by_the_gauss_equation(x64, surface):
    z = jnp.array([0.7, 0.4])
    metric = lambda z: pullback_metric(surface, z)
    np.testing.assert_allclose(ricci_tensor(metric, z), gaussian_curvature(surface, z) * metric(z), atol=1e-12)


def test_the_torus_in_closed_form(x64):
    z = jnp.array([0.7, 0.4])
    curvature = np.cos(0.7) / (MINOR * (MAJOR + MINOR * np.cos(0.7)))
    assert scalar_curvature(lambda z: pullback_metric(torus, z), z) == pytest.approx(2 * curvature, rel=1e-12)


def test_three_dimensions_by_the_sections(x64):
    u = jnp.array([1.2, -0.8, 0.5])
    metric = lambda u: pullback_metric(bumpy, u)
    frame = jnp.linalg.inv(jnp.linalg.cholesky(metric(u))).T  # Its columns are orthonormal.
    sections = sum(sectional_curvature(bumpy, u, frame[:, 0], frame[:, a]) for a in (1, 2))
    ricci = frame[:, 0] @ ricci_tensor(metric, u) @ frame[:, 0]
    assert abs(sections) > 1e-3
    assert ricci == pytest.approx(float(sections), rel=1e-10)


def test_coordinates_do_not_matter(x64):
    metric = lambda u: pullback_metric(bumpy, u)
    chart = lambda w: jnp.array([w[0] + 0.1 * w[1] ** 2, w[1] - 0.2 * w[2], w[2] + 0.3 * jnp.sin(w[0])])
    in_chart = lambda w: jax.jacfwd(chart)(w).T @ metric(chart(w)) @ jax.jacfwd(chart)(w)
    w = jnp.array([0.2, 0.5, -0.4])
    jacobian = jax.jacfwd(chart)(w)
    expected = jacobian.T @ ricci_tensor(metric, chart(w)) @ jacobian
    np.testing.assert_allclose(ricci_tensor(in_chart, w), expected, atol=1e-12)


def residual(metric, u, t, speed=1.0):
    g, rate = jax.jvp(lambda t: metric(u, t), (t,), (jnp.ones_like(t),))
    context = FlowContext(jnp.eye(len(u)), jnp.zeros((len(u), len(u))), ricci_tensor(lambda u: metric(u, t), u))
    return RicciFlow(speed).residual(g, rate, context)


@pytest.mark.parametrize("t", [0.0, 0.3])
def test_the_cigar_is_a_ricci_flow(x64, t):
    u, t = jnp.array([0.5, -0.8]), jnp.array(t)
    size = jnp.exp(4 * t) + u @ u
    assert scalar_curvature(lambda u: cigar(u, t), u) == pytest.approx(float(4 * jnp.exp(4 * t) / size), rel=1e-12)
    assert np.abs(residual(cigar, u, t)).max() < 1e-12
    assert np.abs(residual(cigar, u, t, speed=2.0)).max() > 0.1
    still = lambda u, t: cigar(u, 0 * t)
    assert np.abs(residual(still, u, t)).max() > 0.1


@pytest.mark.parametrize("n", [2, 5])
def test_spheres_shrink_and_flat_tori_rest(x64, n):
    unit, u, t = SphereMetric(n, radius=1).metric, jnp.asarray(POINT[:n]), jnp.array(0.4)
    shrinking = lambda u, t: (10 - 2 * 1.5 * (n - 1) * t) * unit(u)
    assert np.abs(residual(shrinking, u, t, speed=1.5)).max() < 1e-12
    by_ambient = lambda u, t: (10 - 2 * 1.5 * n * t) * unit(u)  # The dimension of the space around in place of n.
    assert np.abs(residual(by_ambient, u, t, speed=1.5)).max() > 0.1
    flat = FlatTorusMetric((2.0, 0.5))
    assert np.abs(residual(lambda u, t: flat.metric(u), u[:2], t)).max() < 1e-14


def test_a_ricci_flow_says_what_it_needs():
    context = FlowContext(jnp.eye(2), jnp.zeros((2, 2)))
    with pytest.raises(ConfigError, match=r"A Ricci flow needs the curvature: .*ricci_tensor\(metric, u\)"):
        RicciFlow().velocity(jnp.eye(2), context)
    with pytest.raises(ConfigError, match=r"speed = 0: a Ricci flow has a positive speed"):
        RicciFlow(0.0)
