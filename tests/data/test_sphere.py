import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.data import circle, conditional_sphere, sphere
from latax.density.charts import Sphere


def circle_grid(count=2000):
    angles = np.arange(count) * 2 * math.pi / count
    return sphere.from_angles(angles[:, None]), 2 * math.pi / count


def sphere_grid(count=600):
    """Points of the 2-sphere with their area elements, polar axis along x0."""
    theta, phi = (np.arange(count) + 0.5) * math.pi / count, (np.arange(count) + 0.5) * 2 * math.pi / count
    angles = np.stack(np.meshgrid(theta, phi, indexing="ij"), axis=-1).reshape(-1, 2)
    return sphere.from_angles(angles), np.sin(angles[:, 0]) * 2 * math.pi**2 / count**2


def test_circle_density_integrates_to_one_with_the_known_entropy():
    points, arc = circle_grid()
    log_p = circle.log_prob(points)
    assert math.isclose(np.sum(np.exp(log_p)) * arc, 1, abs_tol=1e-12)
    entropy = -np.sum(np.exp(log_p) * log_p) * arc
    assert math.isclose(entropy, 1.17718699, abs_tol=1e-8)
    assert math.isclose(entropy, circle.OPTIMAL_NLL, abs_tol=1e-8)
    # Negative control: counting one preimage only is the density of the unwrapped normal.
    one_preimage = -0.5 * ((sphere.to_angles(points)[:, 0] - sphere.MEAN) / sphere.STD) ** 2
    one_preimage -= math.log(sphere.STD) + 0.5 * math.log(2 * math.pi)
    assert abs(np.sum(np.exp(one_preimage)) * arc - 1) > 1e-3


def test_sphere_density_integrates_to_one_with_the_known_probabilities():
    points, area = sphere_grid()
    mass = np.exp(sphere.log_prob(points)) * area
    assert math.isclose(mass.sum(), 1, abs_tol=1e-9)
    # Spec 6.3: P(z > 0.5) and P(y < -0.2), with z the polar axis (x0) and y = x2. The first border is one of the
    # grid's; the second cuts through its cells.
    assert math.isclose(mass[points[:, 0] > 0.5].sum(), 0.252064, abs_tol=5e-6)
    assert math.isclose(mass[points[:, 2] < -0.2].sum(), 0.03606, abs_tol=1e-4)


def test_the_released_density_of_the_sphere_is_not_a_density():
    """Negative control: the Jacobian added instead of subtracted, preimages summed one dimension at a time."""
    points, area = sphere_grid()
    theta, phi = sphere.to_angles(points).T
    log_p = sphere.wrapped_normal_log_density(theta, sphere.MEAN, sphere.STD)
    log_p = log_p + sphere.wrapped_normal_log_density(phi, sphere.MEAN, sphere.STD) + np.log(np.sin(theta))
    assert abs(np.sum(np.exp(log_p) * area) - 1) > 0.1


def test_polar_cap_in_closed_form():
    """On S2, x0 = cos(first angle), so P(x0 > 0.5) is a sum of normal probabilities."""
    from scipy.stats import norm

    turns = 2 * math.pi * np.arange(-2, 3)
    angle = norm(sphere.MEAN, sphere.STD)
    exact = np.sum(angle.cdf(turns + math.pi / 3) - angle.cdf(turns - math.pi / 3))
    assert math.isclose(exact, 0.252064, abs_tol=2e-6)
    x0 = sphere.make(200_000, 3, noise=0.0).X[:, 0]
    assert abs(np.mean(x0 > 0.5) - exact) < 4 * math.sqrt(exact * (1 - exact) / 200_000)


def test_density_on_the_three_sphere_against_all_preimages_one_by_one():
    rng = np.random.default_rng(0)
    points = sphere.from_angles(rng.normal(sphere.MEAN, sphere.STD, (20, 3)))
    first, second, azimuth = sphere.to_angles(points).T
    means, stds = np.array([[1.0, 0.4, 2.0]]), np.array([[0.8, 1.0, 1.2]])
    total = np.zeros(len(points))
    for flip_first in (1, -1):
        for flip_second in (1, -1):
            a = flip_first * first
            b = flip_second * (second if flip_first == 1 else math.pi - second)
            c = azimuth + (0 if flip_first * flip_second == 1 else math.pi)
            preimage = np.stack([a, b, c], axis=1)
            np.testing.assert_allclose(sphere.from_angles(preimage), points, atol=1e-12)
            total += np.exp(
                sum(sphere.wrapped_normal_log_density(preimage[:, k], means[0, k], stds[0, k]) for k in range(3))
            )
    expected = np.log(total) - 2 * np.log(np.sin(first)) - np.log(np.sin(second))
    np.testing.assert_allclose(sphere.angles_log_prob(points, means, stds), expected, atol=1e-12)


def test_wrapped_normal_is_periodic_and_integrates_to_one_for_the_broadest_width():
    angles = np.linspace(0, 2 * math.pi, 500, endpoint=False)
    log_p = sphere.wrapped_normal_log_density(angles, 1.5 * math.pi, 0.4 * math.pi)
    two_turns_back = sphere.wrapped_normal_log_density(angles - 4 * math.pi, 1.5 * math.pi, 0.4 * math.pi)
    np.testing.assert_allclose(log_p, two_turns_back)
    assert math.isclose(np.mean(np.exp(log_p)) * 2 * math.pi, 1, abs_tol=1e-12)


def test_fuzzy_circle_has_the_known_expected_log_density():
    samples = circle.make(100_000, 0)
    log_p = circle.ambient_log_prob(samples.X)
    assert abs(log_p.mean() - 2.0090) < 4 * log_p.std() / math.sqrt(len(log_p))


@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_ambient_density_integrates_to_one_in_the_plane(noise):
    axis = np.linspace(-2, 2, 801)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2) + 1e-9
    mass = np.exp(circle.ambient_log_prob(points, noise=noise)).sum() * (axis[1] - axis[0]) ** 2
    assert math.isclose(mass, 1, abs_tol=1e-4)


@pytest.mark.parametrize("theta", [(-1.0, -1.0), (0.3, -0.4), (1.0, 1.0)])
def test_conditional_sphere_integrates_to_one_for_every_context(theta):
    points, area = sphere_grid()
    context = np.tile([theta], (len(points), 1))
    assert math.isclose((np.exp(conditional_sphere.log_prob(points, context)) * area).sum(), 1, abs_tol=1e-6)
    # Negative control: |r| in the place of log |r| makes the mass e = 2.718.
    released = conditional_sphere.log_prob(points, context) + np.linalg.norm(points, axis=1)
    assert math.isclose((np.exp(released) * area).sum(), math.e, abs_tol=1e-5)


def test_conditional_moments_are_those_of_the_definition():
    means, stds = conditional_sphere.angle_moments(np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]), 2)
    np.testing.assert_allclose(stds, np.array([[0.1, 0.1], [0.4, 0.4], [0.25, 0.25]]) * math.pi)
    np.testing.assert_allclose(means, np.array([[0.5, 0.5], [0.5, 1.5], [0.5, 1.0]]) * math.pi)


def test_conditional_samples_follow_their_density():
    """Mean log density of samples = minus the entropy by quadrature, at one context."""
    samples = conditional_sphere.make(100_000, 1, theta=(0.0, 0.5), noise=0.0)
    log_p = conditional_sphere.log_prob(samples.X, samples.context)
    points, area = sphere_grid()
    exact = conditional_sphere.log_prob(points, np.tile([[0.0, 0.5]], (len(points), 1)))
    entropy = -np.sum(np.exp(exact) * exact * area)
    assert abs(-log_p.mean() - entropy) < 4 * log_p.std() / math.sqrt(len(log_p))


def test_angles_round_trip_and_range():
    angles = np.random.default_rng(0).normal(0, 3, (50, 4))
    points = sphere.from_angles(angles)
    back = sphere.to_angles(points)
    np.testing.assert_allclose(sphere.from_angles(back), points, atol=1e-12)
    assert (back[:, :-1] >= 0).all()
    assert (back[:, :-1] <= math.pi).all()
    assert (back[:, -1] >= 0).all()
    assert (back[:, -1] < 2 * math.pi).all()


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_angles_are_those_of_the_chart(dimension):
    angles = np.random.default_rng(0).normal(0, 3, (20, dimension))
    with jax.enable_x64(True):
        points = jax.vmap(Sphere(dimension).embed)(jnp.asarray(angles))
    np.testing.assert_allclose(points, sphere.from_angles(angles), atol=1e-12)


def test_ambient_density_of_the_conditional_circle_integrates_to_one():
    axis = np.linspace(-1.6, 1.6, 641)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2) + 1e-9
    context = np.tile([[0.3, -0.4]], (len(points), 1))
    mass = np.exp(conditional_sphere.ambient_log_prob(points, context, noise=0.05)).sum() * (axis[1] - axis[0]) ** 2
    assert math.isclose(mass, 1, abs_tol=1e-4)


def test_distance_to_the_sphere():
    X = np.array([[2.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 1.0, 3.0]])
    np.testing.assert_allclose(sphere.distance(X, dimension=2), [1, 0.5, math.sqrt(10) - 1])
    np.testing.assert_allclose(sphere.distance(X, dimension=1), [1, 0.5, 3])
    assert sphere.distance(sphere.make(100, 0, noise=0.0).X).max() < 1e-12
    assert conditional_sphere.distance(conditional_sphere.make(100, 0, noise=0.0).X).max() < 1e-12
    assert circle.distance(circle.make(1000, 0, ambient_size=4).X).max() < 0.1


def test_make_is_a_function_of_the_seed():
    first, again, other = (conditional_sphere.make(10, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.X, again.X)
    assert not np.array_equal(first.X, other.X)
    assert first.X.shape == (10, 3)
    assert first.context_names == ("theta0", "theta1")
    assert sphere.make(5, 0, dimension=3, ambient_size=7).X.shape == (5, 7)


@pytest.mark.parametrize("options", [{"dimension": 0}, {"dimension": 3, "ambient_size": 3}])
def test_a_sphere_that_does_not_fit_is_refused(options):
    with pytest.raises(ConfigError, match=r"does not fit into .* take dimension >= 1 and ambient_size >= dimension"):
        sphere.make(5, 0, **options)
    with pytest.raises(ConfigError, match=r"dimension >= 1, not 0"):
        conditional_sphere.make(5, 0, dimension=0)
