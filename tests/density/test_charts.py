"""The sphere as a cover: sampling and density must agree (specification of the M-flow, defects 2 and 3 there)."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.distributions import Normal, StandardNormal, Transformed

from latax._errors import ConfigError
from latax.density import AbstractEmbedding, Sphere, manifold_log_prob, spline_coupling_flow
from tests.density.randomised import randomised

ENTROPY_OF_THE_WRAPPED_NORMAL = 1.17718699


class OneSheet(AbstractEmbedding):
    """A cover of which only one preimage is counted: what is wrong, for the negative controls."""

    cover: Sphere

    @property
    def in_size(self):
        return self.cover.in_size

    @property
    def out_size(self):
        return self.cover.out_size

    @property
    def context_size(self):
        return None

    def embed(self, u, context=None):
        return self.cover.embed(u)

    def project(self, x, context=None):
        return self.cover.project(x)


def angles_of_the_paper(n):
    return Normal(jnp.full(n, math.pi / 2), jnp.full(n, math.pi / 4))


def density(embedding, latent, angles):
    """p(x) at the points with these angles, (N,)."""
    points = jax.vmap(embedding.embed)(angles)
    return jnp.exp(jax.jit(jax.vmap(lambda x: manifold_log_prob(embedding, latent, x).log_prob))(points))


def on_circle(embedding, latent, nodes=2000):
    """Density at equally spaced points of the circle and the length between them."""
    step = 2 * math.pi / nodes
    return np.asarray(density(embedding, latent, step * jnp.arange(nodes, dtype=float)[:, None])), step


def test_embeds_hyperspherical_angles_and_projects_back(x64):
    a, b, c = angles = jnp.array([0.7, 2.0, -2.5])
    expected = [
        math.cos(a),
        math.sin(a) * math.cos(b),
        math.sin(a) * math.sin(b) * math.cos(c),
        math.sin(a) * math.sin(b) * math.sin(c),
    ]
    sphere = Sphere(3)
    np.testing.assert_allclose(sphere.embed(angles), expected, atol=1e-15)
    u, v = sphere.project(1.5 * sphere.embed(angles))
    np.testing.assert_allclose(u, angles, atol=1e-14)
    np.testing.assert_allclose(v, [0.5], atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_preimages_are_all_latent_points_of_a_point_once(n, x64):
    sphere = Sphere(n)
    for seed in range(5):
        u = jax.random.uniform(jax.random.key(seed), (n,), minval=-2 * math.pi, maxval=2 * math.pi)
        above = sphere.preimages(u)
        assert above.shape == (2 ** (n - 1) * 3**n, n)
        np.testing.assert_allclose(jax.vmap(sphere.embed)(above) - sphere.embed(u)[None], 0, atol=1e-14)
        assert len(np.unique(np.round(above, 9), axis=0)) == len(above)
        assert float(jnp.min(jnp.linalg.norm(above - u[None], axis=1))) < 1e-12  # u itself is among them


def test_wrapped_normal_on_the_circle(x64):
    p, step = on_circle(Sphere(1), angles_of_the_paper(1))
    np.testing.assert_allclose(p.sum() * step, 1, atol=1e-9)
    np.testing.assert_allclose(-(p * np.log(p)).sum() * step, ENTROPY_OF_THE_WRAPPED_NORMAL, atol=1e-8)


def test_one_preimage_is_not_enough(x64):
    # The reference implementation's flow on the circle: of a standard normal it counts P(|u| < pi) of the mass.
    standard = Normal(jnp.zeros(1), jnp.full(1, 2.0))
    p, step = on_circle(OneSheet(Sphere(1)), standard)
    assert abs(p.sum() * step - 1) > 0.1
    p, step = on_circle(Sphere(1), standard)
    np.testing.assert_allclose(p.sum() * step, 1, atol=1e-5)  # 4.7 standard deviations are in the window


def test_any_flow_on_the_circle_integrates_to_one(x64):
    flow = spline_coupling_flow(1, layers=2, key=jax.random.key(0))
    latent = Transformed(StandardNormal((1,)), randomised(flow, seed=1))
    p, step = on_circle(Sphere(1), latent, nodes=20_000)
    np.testing.assert_allclose(p.sum() * step, 1, atol=1e-5)
    assert p.max() > 2 * p.min()


def gauss(low, high, nodes=60):
    x, w = np.polynomial.legendre.leggauss(nodes)
    return low + (high - low) * (x + 1) / 2, w * (high - low) / 2


def probability(embedding, angles, weights):
    """The integral of the density over a region given by nodes (N, 2) and weights in the angles."""
    p = density(embedding, angles_of_the_paper(2), jnp.asarray(angles))
    return float(np.sum(np.asarray(p) * np.sin(angles[:, 0]) * weights))


def cap():
    """z > 0.5, z the coordinate of the polar axis."""
    theta, weight = gauss(0, math.pi / 3)
    phi = 2 * math.pi * np.arange(64) / 64
    grid = np.stack(np.meshgrid(theta, phi, indexing="ij"), axis=-1).reshape(-1, 2)
    return grid, np.repeat(weight * 2 * math.pi / 64, 64)


def strip():
    """y < -0.2, y = sin(theta) sin(phi); theta = pi / 2 + lowest * sin(s) makes the end points harmless."""
    lowest = math.pi / 2 - math.asin(0.2)
    s, s_weight = gauss(-math.pi / 2, math.pi / 2)
    nodes, weights = [], []
    for theta, theta_weight in zip(math.pi / 2 + lowest * np.sin(s), s_weight * lowest * np.cos(s), strict=True):
        edge = math.asin(0.2 / math.sin(theta))
        phi, phi_weight = gauss(-math.pi + edge, -edge)
        nodes.append(np.stack([np.full_like(phi, theta), phi], axis=1))
        weights.append(theta_weight * phi_weight)
    return np.concatenate(nodes), np.concatenate(weights)


@pytest.mark.parametrize(("region", "expected"), [(cap, 0.2520645), (strip, 0.0360390)])
def test_normal_angles_on_the_two_sphere(region, expected, x64):
    np.testing.assert_allclose(probability(Sphere(2), *region()), expected, atol=1e-6)
    assert abs(probability(OneSheet(Sphere(2)), *region()) - expected) > 1e-3


def test_sampling_and_density_agree_on_the_two_sphere():
    angles = angles_of_the_paper(2).sample(jax.random.key(0), (40_000,))
    x = np.asarray(jax.vmap(Sphere(2).embed)(angles))
    assert abs((x[:, 0] > 0.5).mean() - 0.252064) < 4 * math.sqrt(0.25 * 0.75 / 40_000)
    assert abs((x[:, 2] < -0.2).mean() - 0.036039) < 4 * math.sqrt(0.036 * 0.964 / 40_000)


def test_log_volume_is_that_of_the_sphere(x64):
    result = manifold_log_prob(Sphere(2), angles_of_the_paper(2), 1.3 * Sphere(2).embed(jnp.array([1.0, 0.3])))
    np.testing.assert_allclose(result.log_volume, math.log(math.sin(1.0)), atol=1e-12)
    np.testing.assert_allclose(result.reconstruction_error, 0.3, atol=1e-12)
    np.testing.assert_allclose(result.log_prob, result.log_base - result.log_volume, atol=1e-14)


@pytest.mark.parametrize(
    ("n", "message"), [(0, "There is no sphere of dimension 0"), (6, "23328 latent points above each")]
)
def test_refuses_spheres_it_cannot_handle(n, message):
    with pytest.raises(ConfigError, match=message):
        Sphere(n)
