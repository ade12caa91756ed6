import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.data import polynomial_surface as surface
from latax.density.volume import log_volume

POINTS = np.array([[0.0, 0.0], [1.0, -1.0], [-1.0, 1.0], [0.5, -0.5]])
HEIGHTS = [-1.21685866, 1.23311441, -3.14362111, 0.14608854]
LOG_VOLUMES = [0.7832925, 0.4508868, 0.1119342, 0.7368344]


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


def test_heights_are_the_known_ones():
    np.testing.assert_allclose(surface.height(POINTS), HEIGHTS, atol=3e-8)


def test_heights_are_the_sum_of_the_graded_monomials():
    z0, z1 = 0.7, -1.3
    monomials = [z0 ** (n - j) * z1**j for n in range(6) for j in range(n + 1)]
    expected = math.exp(-0.1 * (z0**2 + z1**2)) * sum(a * m for a, m in zip(surface._GRADED, monomials, strict=True))
    assert math.isclose(surface.height(np.array([[z0, z1]]))[0], expected, rel_tol=1e-14)


def test_log_volumes_are_the_known_ones_and_those_of_autodiff(x64):
    np.testing.assert_allclose(surface.log_volume(POINTS), LOG_VOLUMES, atol=1e-7)
    chart = surface.PolynomialSurfaceChart()
    z = np.random.default_rng(0).normal(0, 2, (20, 2))
    by_autodiff = jax.vmap(lambda u: log_volume(chart.embed, u))(jnp.asarray(z))
    np.testing.assert_allclose(by_autodiff, surface.log_volume(z), atol=1e-12)


def test_chart_is_the_surface_and_its_own_inverse(x64):
    chart = surface.PolynomialSurfaceChart()
    assert (chart.in_size, chart.out_size, chart.context_size) == (2, 3, None)
    z = np.random.default_rng(1).normal(0, 2, (20, 2))
    X = np.array(jax.vmap(chart.embed)(jnp.asarray(z)))
    np.testing.assert_allclose(X, surface.embed(z), atol=1e-13)
    lifted = X + 0.3 * surface.ROTATION[:, 2]
    u, v = jax.vmap(chart.project)(jnp.asarray(lifted))
    np.testing.assert_allclose(u, z, atol=1e-13)
    np.testing.assert_allclose(v[:, 0], 0.3, atol=1e-12)
    np.testing.assert_allclose(surface.distance(lifted), 0.3, atol=1e-12)
    assert surface.distance(X).max() < 1e-12


def test_chart_works_in_float32_and_has_no_parameters():
    chart = surface.PolynomialSurfaceChart()
    assert jax.tree.leaves(chart) == []
    x = jax.jit(chart.embed)(jnp.asarray([0.5, -0.5], jnp.float32))
    assert x.dtype == jnp.float32
    np.testing.assert_allclose(x, surface.embed(np.array([[0.5, -0.5]]))[0], rtol=1e-5)


def test_rotation_is_one_and_agrees_with_every_printed_digit():
    np.testing.assert_allclose(surface.ROTATION.T @ surface.ROTATION, np.eye(3), atol=1e-15)
    assert math.isclose(np.linalg.det(surface.ROTATION), 1, abs_tol=1e-14)
    printed = np.asarray(surface._PRINTED_ROTATION)
    np.testing.assert_array_equal(np.round(surface.ROTATION, 8), printed)
    # Negative control: the printed digits alone are not orthogonal enough to invert by transposing.
    assert np.abs(printed.T @ printed - np.eye(3)).max() > 1e-9


def grid(theta):
    """Grid of the z plane fine enough for the narrow component."""
    axis = np.arange(-15, 15, float(surface.narrow_width(theta)) / 3)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2), (axis[1] - axis[0]) ** 2


@pytest.mark.parametrize(
    ("theta", "latent_entropy", "mean_volume"),
    [(-1.0, 3.008299, 0.298297), (0.0, 3.743148, 0.367250), (1.0, 4.025881, 0.424368)],
)
def test_entropies_are_the_known_ones(theta, latent_entropy, mean_volume):
    z, cell = grid(theta)
    log_p = surface.latent_log_prob(z, np.full(len(z), theta))
    p = np.exp(log_p) * cell
    assert math.isclose(p.sum(), 1, abs_tol=1e-9)
    assert math.isclose(-np.sum(p * log_p), latent_entropy, abs_tol=1e-6)
    assert math.isclose(np.sum(p * surface.log_volume(z)), mean_volume, abs_tol=1e-6)
    assert math.isclose(surface.optimal_nll(theta), latent_entropy + mean_volume, abs_tol=2e-6)


@pytest.mark.parametrize(("theta", "nll"), [(-1.0, 3.306596), (0.0, 4.110399), (1.0, 4.450250)])
def test_samples_reach_the_optimal_nll(theta, nll):
    samples = surface.make(50_000, 2, theta=theta)
    log_p = surface.log_prob(samples.X, samples.context)
    assert math.isclose(surface.optimal_nll(theta), nll, abs_tol=1e-6)
    assert abs(-log_p.mean() - nll) < 4 * log_p.std() / math.sqrt(len(log_p))


def test_the_released_density_is_not_the_surface_density():
    """Negative control: p(z) / 2e-3, the density of a slab, is far from the optimum."""
    samples = surface.make(1000, 0, theta=0.0)
    z, _ = surface.project(samples.X)
    released = surface.latent_log_prob(z, samples.context[:, 0]) - math.log(2e-3)
    assert abs(-released.mean() - 4.110399) > 1


def test_density_on_the_surface_integrates_to_one_over_area():
    z, cell = grid(0.0)
    X = surface.embed(z)
    area = np.exp(surface.log_volume(z)) * cell
    p = np.exp(surface.log_prob(X, np.zeros((len(z), 1))))
    assert math.isclose(np.sum(p * area), 1, abs_tol=1e-9)


def test_make_draws_what_it_says():
    samples = surface.make(20_000, 5)
    assert samples.X.shape == (20_000, 3)
    assert samples.context_names == ("theta",)
    assert samples.context.min() >= -1
    assert samples.context.max() <= 1
    assert surface.distance(samples.X).max() < 1e-12
    z, _ = surface.project(samples.X)
    # 0.6 (1, -1) + 0.4 (-1, 1) = (0.2, -0.2)
    np.testing.assert_allclose(z.mean(axis=0), [0.2, -0.2], atol=0.06)
    noisy = surface.make(20_000, 5, theta=0.0, noise=0.1)
    assert 0.05 < np.median(surface.distance(noisy.X)) < 0.2
    np.testing.assert_array_equal(surface.make(7, 1).X, surface.make(7, 1).X)


def test_theta_outside_its_range_is_refused():
    with pytest.raises(ConfigError, match=r"theta = 2.0 is outside of \[-1, 1\]"):
        surface.make(10, 0, theta=2.0)
