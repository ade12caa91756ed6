"""The laws that a density on a manifold obeys."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.bijections import Affine, Invert
from flowjax.distributions import Normal, Transformed
from hypothesis import given, settings
from hypothesis import strategies as st

from latax.density import (
    AbstractEmbedding,
    AffineOutput,
    FlowEmbedding,
    Sphere,
    cover_of,
    manifold_log_prob,
    spline_coupling_flow,
)
from latax.density.mixing import LUMixing
from tests.density.randomised import randomised


class Rotated(AbstractEmbedding):
    inner: AbstractEmbedding
    rotation: jax.Array

    in_size = 2
    out_size = 3
    context_size = None

    def embed(self, u, context=None):
        return self.rotation @ self.inner.embed(u)

    def project(self, x, context=None):
        return self.inner.project(self.rotation.T @ x)


class Reparametrised(AbstractEmbedding):
    """g after psi."""

    inner: AbstractEmbedding
    psi: LUMixing

    in_size = 2
    out_size = 3
    context_size = None

    def embed(self, u, context=None):
        return self.inner.embed(self.psi.transform(u))

    def project(self, x, context=None):
        u, v = self.inner.project(x)
        return self.psi.inverse(u), v


class Line(AbstractEmbedding):
    """The line through the origin of the plane, at an angle to the first axis."""

    angle: jax.Array

    in_size = 1
    out_size = 2
    context_size = None

    def _direction(self):
        return jnp.stack([jnp.cos(self.angle), jnp.sin(self.angle)])

    def embed(self, u, context=None):
        return u * self._direction()

    def project(self, x, context=None):
        u = x @ self._direction()
        normal = jnp.stack([-self._direction()[1], self._direction()[0]])
        return u[None], (x @ normal)[None]


@functools.cache
def surface():
    flow = spline_coupling_flow(3, layers=2, width_size=4, blocks=0, bins=3, key=jax.random.key(0))
    return FlowEmbedding(randomised(flow, seed=1), 2)


def latent():
    return Normal(jnp.array([0.2, -0.1]), jnp.array([0.7, 1.3]))


@functools.cache
def point_of_surface():
    return eqx.filter_jit(surface().embed)(jnp.array([0.3, -0.8]))


@pytest.fixture
def point(x64):
    return point_of_surface()


log_prob = eqx.filter_jit(manifold_log_prob)


def test_rotations_change_nothing(point):
    rotation = jnp.linalg.qr(jax.random.normal(jax.random.key(2), (3, 3)))[0]
    rotated = log_prob(Rotated(surface(), rotation), latent(), rotation @ point)
    original = log_prob(surface(), latent(), point)
    for after, before in zip(rotated, original, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-11)


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0.01, 100.0))
def test_scaling_divides_by_the_nth_power(scale):
    with jax.enable_x64(True):
        x = point_of_surface()
        scaled = AffineOutput(surface(), jnp.ones(3), jnp.full(3, scale))
        after = log_prob(scaled, latent(), 1 + scale * x).log_prob
        before = log_prob(surface(), latent(), x).log_prob
        np.testing.assert_allclose(after, before - 2 * np.log(scale), atol=1e-9)  # n = 2, not d = 3


def test_coordinates_of_the_manifold_do_not_matter(point):
    psi = randomised(LUMixing(2), seed=3)
    moved = log_prob(Reparametrised(surface(), psi), Transformed(latent(), Invert(psi)), point)
    original = log_prob(surface(), latent(), point)
    np.testing.assert_allclose(moved.log_prob, original.log_prob, atol=1e-11)
    assert abs(float(moved.log_volume - original.log_volume)) > 1e-2  # the parts do change


def test_a_point_off_the_manifold_gets_the_density_of_its_projection(point):
    g = surface()
    off = log_prob(g, latent(), point + jnp.array([0.1, -0.2, 0.05]))
    on = log_prob(g, latent(), eqx.filter_jit(g.embed)(off.latent))
    np.testing.assert_allclose(off.log_prob, on.log_prob, atol=1e-10)
    assert float(off.reconstruction_error) > 1e-2
    assert float(on.reconstruction_error) < 1e-10


@jax.jit
def line_fit(angle):
    """Of data on the second axis under the best normal on a line: log density, squared residual, and their slopes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = jnp.asarray(weights / weights.sum())

    def expected(angle):
        latent = Transformed(Normal(jnp.zeros(1)), Affine(jnp.zeros(1), jnp.abs(jnp.sin(angle))[None]))

        def one(y):
            result = manifold_log_prob(Line(angle), latent, jnp.stack([jnp.zeros_like(y), y]))
            return jnp.stack([result.log_prob, result.reconstruction_error**2])

        return weights @ jax.vmap(one)(jnp.asarray(nodes))

    return expected(angle), jax.jacfwd(expected)(angle)


def test_maximum_likelihood_prefers_the_wrong_manifold(x64):
    # Specification, section 1.5: as the line turns away from the data its likelihood grows without bound ...
    angles = [np.pi / 2, 1.0, 0.3, 0.01]
    likelihoods, residuals = np.array([line_fit(jnp.array(a))[0] for a in angles]).T
    np.testing.assert_allclose(likelihoods, [-1.4189, -1.2463, -0.1999, 3.1862], atol=1e-4)
    # ... while reconstruction is best on the true one. So they pull the angle in opposite directions.
    np.testing.assert_allclose(residuals, np.cos(angles) ** 2, atol=1e-12)
    likelihood_slope, residual_slope = line_fit(jnp.array(1.0))[1]
    assert likelihood_slope < 0
    assert -residual_slope > 0


def circle_mass(embedding, latent, radius, points=2000):
    """The integral of the density around a circle."""
    angles = 2 * jnp.pi * jnp.arange(points, dtype=float) / points
    x = radius * jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1) + 0.5 * (radius - 1)
    density = jnp.exp(jax.vmap(lambda x: log_prob(embedding, latent, x).log_prob)(x))
    return float(jnp.mean(density) * 2 * jnp.pi * radius)


def test_a_cover_in_other_units_is_a_cover(x64):
    wide = Normal(jnp.array([jnp.pi / 2]), jnp.array([2.5]))
    wrapped = AffineOutput(AffineOutput(Sphere(1), jnp.ones(2), jnp.full(2, 3.0)), jnp.zeros(2), jnp.ones(2))
    assert circle_mass(Sphere(1), wide, 1.0) == pytest.approx(0.9992, abs=2e-4)
    assert circle_mass(wrapped, wide, 3.0) == pytest.approx(circle_mass(Sphere(1), wide, 1.0), abs=1e-9)
    assert cover_of(wrapped) is not None
    assert cover_of(AffineOutput(surface(), jnp.zeros(3), jnp.ones(3))) is None


def test_at_a_pole_the_density_is_as_large_as_numbers_allow(x64):
    latent = Normal(jnp.zeros(2), jnp.ones(2))
    pole, near = jnp.array([1.0, 0.0, 0.0]), jnp.array([jnp.cos(1e-3), jnp.sin(1e-3), 0.0])
    at_pole, beside = (log_prob(Sphere(2), latent, x).log_prob for x in (pole, near))
    assert bool(jnp.isfinite(at_pole))
    assert float(at_pole) > float(beside) + 5
