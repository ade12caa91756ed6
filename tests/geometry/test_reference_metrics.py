"""Reference metrics: their formulas against the Jacobians of their surfaces, known numbers, and their volumes."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ellipeinc, ellipkinc

from latax._errors import ConfigError
from latax.geometry import (
    EllipsoidMetric,
    FlatTorusMetric,
    OwnReference,
    RevolutionTorusMetric,
    Sphere,
    SphereMetric,
    pullback_metric,
)

REFERENCES = {
    "sphere": SphereMetric(6),
    "circle": SphereMetric(1, radius=3),
    "open sphere": SphereMetric(3, radius=2, margin=None),
    "ellipsoid": EllipsoidMetric((3, 2, 1, 0.5)),
    "flat torus": FlatTorusMetric((1, 2)),
    "torus of revolution": RevolutionTorusMetric(),
}
every = pytest.mark.parametrize("name", REFERENCES)


def klein(u, a=3.0, b=1.0):
    """Klein's bottle in four dimensions, which has no formula of ours."""
    ring = a + b * jnp.cos(u[1])
    tube = b * jnp.sin(u[1])
    turn = [jnp.cos(u[0]), jnp.sin(u[0])], [jnp.cos(u[0] / 2), jnp.sin(u[0] / 2)]
    return jnp.stack([ring * turn[0][0], ring * turn[0][1], tube * turn[1][0], tube * turn[1][1]])


@every
def test_the_metric_is_that_of_the_surface(name, x64):
    reference = REFERENCES[name]
    v = jax.random.normal(jax.random.key(0), (50, reference.dim)) * 3

    @jax.jit
    @jax.vmap
    def compute(v):
        u = reference.chart(v)
        return u, reference.metric(u), pullback_metric(reference.embed, u)

    u, metric, of_surface = compute(v)
    np.testing.assert_allclose(metric, of_surface, atol=1e-13)
    if name not in ("open sphere", "flat torus", "torus of revolution"):
        assert np.linalg.eigvalsh(metric).min() > 1e-6  # No pole is near, and there would be one:
        assert (u >= 0).all()
        if reference.dim > 1:
            assert np.linalg.eigvalsh(reference.metric(jnp.zeros(reference.dim))).min() < 1e-12


def test_known_numbers(x64):
    u = jnp.array([0.7, 1.1, 2, 0.4, 1.3, -0.9])
    known = [10, 4.1501642855, 3.2962703022, 2.7254281789, 0.4133020404, 0.3837279553]
    np.testing.assert_allclose(REFERENCES["sphere"].metric(u), np.diag(known), atol=5e-10)
    np.testing.assert_allclose(jnp.linalg.norm(REFERENCES["sphere"].embed(u)), 10**0.5, atol=1e-14)
    at = jnp.array([0.3, 1.2])
    np.testing.assert_allclose(RevolutionTorusMetric(2, 0.5).metric(at), np.diag([4.7575412945, 0.25]), atol=5e-10)
    np.testing.assert_allclose(FlatTorusMetric((1, 2)).metric(at), np.diag([1.0, 4]), atol=1e-15)
    own = OwnReference(lambda u: pullback_metric(klein, u), 2)
    np.testing.assert_allclose(own.metric(jnp.array([0.7, 1.2])), np.diag([11.5226238835, 1]), atol=5e-10)
    np.testing.assert_allclose(klein(jnp.array([0.7 + 2 * math.pi, -1.2])), klein(jnp.array([0.7, 1.2])), atol=1e-14)
    assert own.chart(at) is at


def test_an_own_chart_is_used():
    own = OwnReference(jnp.diag, 2, to_chart=jnp.exp)
    np.testing.assert_allclose(own.metric(own.chart(jnp.zeros(2))), np.eye(2))


def test_volumes_of_spheres_by_quadrature(x64):
    nodes, weights = np.polynomial.legendre.leggauss(9)
    polar = np.array(list(itertools.product((nodes + 1) * math.pi / 2, repeat=5)))
    measure = np.prod(list(itertools.product(weights * math.pi / 2, repeat=5)), axis=1) * 2 * math.pi
    u = jnp.asarray(np.concatenate([polar, np.zeros((len(polar), 1))], axis=1))
    diagonal = jax.vmap(lambda u: jnp.diagonal(REFERENCES["sphere"].metric(u)))(u)
    volume = measure @ np.sqrt(np.prod(diagonal, axis=1))
    np.testing.assert_allclose(volume, 33073.3617923, rtol=1e-5)
    np.testing.assert_allclose(Sphere(6, radius=10**0.5).volume, 33073.3617923, rtol=1e-11)


def test_the_area_of_an_ellipsoid(x64):
    """Legendre's formula, of which the integral of √det Σ over the chart of an open margin knows nothing."""
    a, b, c = 3.0, 2.0, 1.0
    phi = math.acos(c / a)
    k = (a * a * (b * b - c * c)) / (b * b * (a * a - c * c))
    area = 2 * math.pi * c**2 + 2 * math.pi * a * b / math.sin(phi) * (
        ellipeinc(phi, k) * math.sin(phi) ** 2 + ellipkinc(phi, k) * math.cos(phi) ** 2
    )
    reference = EllipsoidMetric((b, a, c))  # Any order of the axes.
    nodes, weights = np.polynomial.legendre.leggauss(60)
    grid = np.stack(np.meshgrid((nodes + 1) * math.pi / 2, (nodes + 1) * math.pi, indexing="ij"), -1).reshape(-1, 2)
    metric = jax.vmap(reference.metric)(jnp.asarray(grid))
    found = np.outer(weights, weights).reshape(-1) * math.pi**2 / 2 @ np.sqrt(np.linalg.det(metric))
    np.testing.assert_allclose(found, area, rtol=1e-6)
    assert abs(found / (4 * math.pi * 2**2) - 1) > 0.01  # It is not that of the sphere of the middle axis.


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SphereMetric(0), "SphereMetric: 0 coordinates; a metric needs at least one"),
        (lambda: SphereMetric(2, radius=-1), "have to be positive and finite, got -1"),
        (lambda: SphereMetric(2, margin=1.6), r"margin = 1.6 rad is not between 0 and π/2\. Give e\.g\. 0\.3"),
        (lambda: EllipsoidMetric((1.0,)), "0 coordinates"),
        (lambda: EllipsoidMetric((1.0, 0.0)), "have to be positive and finite, got 1, 0"),
        (lambda: FlatTorusMetric((1, -2)), "radii have to be positive"),
        (lambda: FlatTorusMetric(()), "0 coordinates"),
        (lambda: RevolutionTorusMetric(1, 2), "expected 0 < minor < major"),
        (lambda: OwnReference(jnp.diag, 0), "0 coordinates"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(ConfigError, match=message):
        build()
