"""Geodesics between two points: against great circles, the torus of revolution, straight lines, and shooting."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.geometry import geodesic, length, shoot
from latax.geometry.discrete_geodesic import discrete_energy, turning
from latax.geometry.smooth import norm
from tests.geometry.surfaces import cylinder, great_circle, plane, sphere, torus, torus_geodesic

SURFACES = {"sphere": sphere, "torus": torus, "cylinder": cylinder, "plane": plane}
ENDS = np.array([[[0.7, 0.4], [1.9, 2.2]], [[1.0, -0.5], [2.0, 0.8]]])
SEGMENTS = 24
TIMES = np.linspace(0, 1, SEGMENTS + 1)
every = pytest.mark.parametrize("name", SURFACES)


@functools.cache
def case(name):
    """For two pairs of points at once: the geodesic, its polygon, what shooting with its velocity gives."""
    with jax.enable_x64(True):
        f = SURFACES[name]

        @jax.jit
        @jax.vmap
        def compute(ends):
            z0, z1 = ends
            found = geodesic(f, z0, z1, segments=SEGMENTS)
            polygon = geodesic(f, z0, z1, segments=SEGMENTS, refine=False)
            straight = z0[None] + jnp.outer(jnp.asarray(TIMES), z1 - z0)
            shot = shoot(f, z0, found.velocity, TIMES)
            return {
                "found": found._asdict(),
                "polygon": polygon._asdict(),
                "image": jax.vmap(f)(found.points),
                "shot": shot.points,
                "shot velocity": shot.velocities[-1],
                "straight length": length(f, straight),
                "straight turning": turning(f, straight),
                "straight energy": discrete_energy(f, straight),
            }

        return jax.tree.map(np.asarray, compute(jnp.asarray(ENDS)))


@every
def test_both_routes_converge_to_one_curve(name):
    got, polygon = case(name)["found"], case(name)["polygon"]
    assert got["converged"].all()
    assert polygon["converged"].all()
    assert (got["residual"] < 1e-8).all()
    np.testing.assert_allclose(got["points"], case(name)["shot"], atol=1e-9)
    np.testing.assert_allclose(got["points"][:, [0, -1]], ENDS, atol=0)
    np.testing.assert_allclose(got["points"], polygon["points"], atol=5e-3)
    np.testing.assert_allclose(got["velocity"], polygon["velocity"], rtol=0.05, atol=0.05)
    np.testing.assert_allclose(got["length"], polygon["length"], rtol=1e-2)


@every
def test_speed_is_constant(name):
    got = case(name)["found"]
    np.testing.assert_allclose(got["energy"], got["length"] ** 2, rtol=1e-12)
    steps = np.linalg.norm(np.diff(case(name)["image"], axis=1), axis=2)
    chord = {"plane": 1e-12}.get(name, 5e-2)  # of a curve of constant speed, only as equal as it bends equally
    np.testing.assert_allclose(steps * SEGMENTS, np.broadcast_to(got["length"][:, None], steps.shape), rtol=chord)
    polygon = case(name)["polygon"]
    np.testing.assert_allclose(polygon["energy"], polygon["length"] ** 2, rtol=1e-3)


def test_great_circles_by_both_routes():
    got = case("sphere")
    for k, (start, end) in enumerate(zip(got["image"][:, 0], got["image"][:, -1], strict=True)):
        points, distance = great_circle(start, end, TIMES)
        np.testing.assert_allclose(got["image"][k], points, atol=1e-8)
        np.testing.assert_allclose(got["found"]["length"][k], distance, atol=1e-8)
        # Chords of a great circle: the polygon is the exact one of N equal chords.
        chords = 3 * SEGMENTS * np.sin(distance / 3 / SEGMENTS)
        np.testing.assert_allclose(got["polygon"]["length"][k], chords, atol=1e-8)
        image = np.asarray(jax.vmap(sphere)(got["polygon"]["points"][k].astype(np.float32)))
        np.testing.assert_allclose(image, points, atol=3e-6)


def test_a_torus_of_revolution_by_an_independent_solution():
    got = case("torus")["found"]
    for k in range(2):
        points, _ = torus_geodesic(ENDS[k, 0], got["velocity"][k], TIMES)
        np.testing.assert_allclose(got["points"][k], points, atol=1e-8)
        np.testing.assert_allclose(points[-1], ENDS[k, 1], atol=1e-8)


@pytest.mark.parametrize("name", ["plane", "cylinder"])
def test_flat_surfaces_have_straight_lines(name):
    straight = ENDS[:, :1] + TIMES[None, :, None] * (ENDS[:, 1:] - ENDS[:, :1])
    np.testing.assert_allclose(case(name)["found"]["points"], straight, atol=1e-9)
    np.testing.assert_allclose(case(name)["polygon"]["points"], straight, atol=1e-6)


@pytest.mark.parametrize("name", ["sphere", "torus"])
def test_a_straight_latent_line_is_no_geodesic(name):
    got = case(name)
    assert (got["straight turning"] > 0.5).all()
    assert (got["straight length"] > 1.003 * got["found"]["length"]).all()
    assert (got["straight energy"] > 1.005 * got["polygon"]["energy"]).all()
    assert (got["polygon"]["residual"] < 1e-5).all()


def test_another_start_leads_another_way_round(x64):
    t = jnp.linspace(0, 1, 33)
    bumps = jnp.array([1.0, -1.0, 0.0])  # over the top of the torus, below it, and along the outer equator
    starts = jax.vmap(lambda bump: jnp.stack([bump * jnp.sin(jnp.pi * t), 3 * t], axis=1))(bumps)
    got = jax.jit(jax.vmap(lambda start: geodesic(torus, start[0], start[-1], start=start, refine=False)))(starts)
    assert bool(got.converged.all())
    np.testing.assert_allclose(got.points[1], got.points[0] * jnp.array([[-1.0, 1.0]]), atol=1e-5)
    np.testing.assert_allclose(got.length[0], got.length[1], rtol=1e-9)
    # The equator is a geodesic too, of radius 2.5, but past its conjugate point not a shortest one.
    np.testing.assert_allclose(got.length[2], 7.5, rtol=1e-3)
    assert got.length[0] < 7


def test_no_way_between_a_point_and_itself(x64):
    got = jax.jit(lambda z: geodesic(sphere, z, z))(jnp.asarray(ENDS[0, 0]))
    assert got.length == 0
    assert bool(got.converged)
    np.testing.assert_allclose(got.points, np.broadcast_to(ENDS[0, 0], (33, 2)), atol=1e-14)


def test_the_length_of_a_polygon_has_derivatives(x64):
    z0, z1 = jnp.asarray(ENDS[0])
    slope = jax.jit(jax.grad(lambda z1: geodesic(sphere, z0, z1, segments=64, refine=False).length))(z1)
    # Moving the end along the geodesic adds what it is moved by (first variation): G c'(1) / length.
    velocity = case("sphere")["shot velocity"][0]
    metric = np.diag([1.5**2, (1.5 * np.sin(z1[0])) ** 2])
    np.testing.assert_allclose(slope, metric @ velocity / case("sphere")["found"]["length"][0], rtol=1e-3)


def test_single_precision_stays_single_and_is_accurate():
    ends = jnp.asarray(ENDS, jnp.float32)
    got = jax.jit(jax.vmap(lambda ends: geodesic(sphere, *ends, segments=SEGMENTS)))(ends)
    assert got.points.dtype == got.length.dtype == jnp.float32
    assert bool(got.converged.all())
    np.testing.assert_allclose(got.length, case("sphere")["found"]["length"], rtol=1e-5)
    np.testing.assert_allclose(got.points, case("sphere")["found"]["points"], atol=1e-4)


def test_arrays_of_numpy_and_lists_are_points():
    """In single precision, unless double is switched on."""
    a, b = [0.5, 0.0], [0.5, 2.0]
    chord = np.linalg.norm(sphere(np.array(a)) - sphere(np.array(b)))
    for ends in ((a, b), (np.array(a), np.array(b))):
        found = geodesic(sphere, *ends, segments=8)
        assert found.converged
        assert float(found.length) == pytest.approx(3 * np.arcsin(chord / 3), rel=1e-4)


def test_what_is_not_finite_has_not_converged():
    """A shot through the pole of the sphere's chart, where the metric is singular."""
    found = geodesic(sphere, jnp.array([0.5, 0.0]), jnp.array([0.5, jnp.pi]), segments=8)
    assert not found.converged
    assert jnp.isfinite(found.points).all()
    assert found.length > 0.9
    assert jnp.isnan(norm(jnp.array([1.0, jnp.nan])))


def test_what_cannot_be_reached_is_said(x64):
    z0, z1 = jnp.asarray(ENDS[0])
    got = jax.jit(lambda: geodesic(sphere, z0, z1, segments=8, tolerance=1e-30))()
    assert not bool(got.converged)
    assert np.isfinite(got.points).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda z: geodesic(sphere, z, jnp.ones(3)), DataError, r"z0 has shape \(2,\), z1 \(3,\)"),
        (lambda z: geodesic(sphere, z, z, segments=1), ConfigError, "has at least two"),
        (lambda z: geodesic(sphere, z, z, start=jnp.ones((5, 3))), DataError, r"expected \(points, 2\)"),
        (lambda z: geodesic(sphere, z, z, tolerance=0.0), ConfigError, "both have to be positive"),
        (lambda z: geodesic(lambda z: z[:1], z, z), ConfigError, "Pass the decoder, not the encoder"),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(jnp.ones(2))
