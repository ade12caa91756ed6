"""Metrics of moving surfaces, and their rates by one derivative in time."""

import jax
import jax.numpy as jnp
import numpy as np

from latax.geometry import SphereMetric, induced_metric, metric_and_rate, moving_frame
from latax.nn.mlp import MLP

SPHERE = SphereMetric(2, radius=1)


def test_a_growing_sphere(x64):
    """Radius 1 + t²: the metric is (1 + t²)² Σ, its rate 4 t (1 + t²) Σ."""
    metric = induced_metric(lambda u, t: (1 + t**2) * SPHERE.embed(u))
    u, t = jnp.array([0.8, 2.0]), jnp.asarray(0.5)
    g, rate = metric_and_rate(metric, u, t)
    np.testing.assert_allclose(g, 1.25**2 * SPHERE.metric(u), atol=1e-14)
    np.testing.assert_allclose(rate, 4 * 0.5 * 1.25 * SPHERE.metric(u), atol=1e-14)


def test_turns_and_shifts_leave_the_metric_and_scales_square_it(x64):
    network = MLP(3, 4, (8,), activation=jnp.tanh, key=jax.random.key(0))
    moving = lambda u, t: network(jnp.append(u, t))
    turn = jnp.asarray(np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0])
    u, t = jnp.array([0.3, -0.2]), jnp.asarray(0.4)
    g, rate = metric_and_rate(induced_metric(moving), u, t)
    frame = moving_frame(moving, u, t)
    np.testing.assert_allclose(frame.point, moving(u, t), atol=1e-15)
    np.testing.assert_allclose(frame.metric, g, atol=1e-14)
    np.testing.assert_allclose(frame.metric_rate, rate, atol=1e-14)
    turned = metric_and_rate(induced_metric(lambda u, t: turn @ moving(u, t) + 3), u, t)
    np.testing.assert_allclose(turned[0], g, atol=1e-15)
    np.testing.assert_allclose(turned[1], rate, atol=1e-15)
    scaled = metric_and_rate(induced_metric(lambda u, t: 3 * moving(u, t)), u, t)
    np.testing.assert_allclose(scaled[0], 9 * g, rtol=1e-12)
    stretched = metric_and_rate(
        induced_metric(lambda w, t: moving(w * jnp.array([2.0, 1]), t)), u / jnp.array([2.0, 1]), t
    )
    change = np.diag([2.0, 1])
    np.testing.assert_allclose(stretched[0], change @ g @ change, rtol=1e-12)
    step = 1e-5
    later, earlier = (induced_metric(moving)(u, t + s) for s in (step, -step))
    np.testing.assert_allclose((later - earlier) / (2 * step), rate, atol=1e-9)
    assert abs(rate).max() > 1e-3


def test_a_collapsed_manifold_has_a_singular_metric_and_no_nan(x64):
    flat = induced_metric(lambda u, t: t * jnp.stack([u[0] + u[1], u[0] + u[1], jnp.zeros_like(t)]))
    g, rate = metric_and_rate(flat, jnp.array([0.3, -0.2]), jnp.asarray(0.4))
    np.testing.assert_allclose(jnp.linalg.det(g), 0, atol=1e-16)
    assert np.isfinite(rate).all()
