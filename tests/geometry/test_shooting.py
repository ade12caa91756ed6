"""Geodesics with a given start: against great circles, the torus of revolution and straight lines."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.geometry import length, shoot, speed
from tests.geometry.surfaces import MAJOR, MINOR, cylinder, plane, sphere, torus, torus_geodesic

SURFACES = {"sphere": sphere, "torus": torus, "cylinder": cylinder, "plane": plane}
Z, V = np.array([0.9, 0.4]), np.array([0.7, 1.3])
TIMES = np.linspace(0, 1.5, 7)
every = pytest.mark.parametrize("name", SURFACES)


@functools.cache
def case(name):
    with jax.enable_x64(True):
        f = SURFACES[name]

        @jax.jit
        def compute(z, v):
            path = shoot(f, z, v, TIMES)
            return {
                "points": path.points,
                "velocities": path.velocities,
                "image": jax.vmap(f)(path.points),
                "speeds": jax.vmap(lambda z, v: speed(f, z, v))(*path),
            }

        return jax.tree.map(np.asarray, compute(jnp.asarray(Z), jnp.asarray(V)))


@every
def test_speed_is_constant(name):
    np.testing.assert_allclose(case(name)["speeds"], case(name)["speeds"][0], rtol=1e-8)
    np.testing.assert_array_equal(case(name)["points"][0], Z)


def test_great_circles():
    got = case("sphere")
    x = got["image"][0]
    with jax.enable_x64(True):
        slope = np.asarray(jax.jvp(sphere, (jnp.asarray(Z),), (jnp.asarray(V),))[1])
    angle = TIMES * np.linalg.norm(slope) / 1.5
    known = np.outer(np.cos(angle), x) + 1.5 * np.outer(np.sin(angle), slope / np.linalg.norm(slope))
    np.testing.assert_allclose(got["image"], known, atol=1e-8)


def test_a_torus_of_revolution_by_an_independent_solution_and_clairaut():
    got = case("torus")
    points, velocities = torus_geodesic(Z, V, TIMES)
    np.testing.assert_allclose(got["points"], points, atol=1e-8)
    np.testing.assert_allclose(got["velocities"], velocities, atol=1e-8)
    ring = MAJOR + MINOR * np.cos(got["points"][:, 0])
    np.testing.assert_allclose(ring**2 * got["velocities"][:, 1], (MAJOR + MINOR * np.cos(Z[0])) ** 2 * V[1], rtol=1e-9)
    straight = MAJOR + MINOR * np.cos(Z[0] + TIMES * V[0])
    assert np.ptp(straight**2 * V[1]) > 1  # a straight latent line has no such constant


@pytest.mark.parametrize("name", ["plane", "cylinder"])
def test_flat_surfaces_have_straight_lines(name):
    np.testing.assert_allclose(case(name)["points"], Z + np.outer(TIMES, V), atol=1e-12)


def test_derivatives_with_respect_to_the_start_and_its_velocity(x64):
    @jax.jit
    def slope(z, v):
        return jax.jacrev(lambda z, v: shoot(torus, z, v).points[-1], argnums=(0, 1))(z, v)

    got, step, eye = slope(jnp.asarray(Z), jnp.asarray(V)), 1e-5, np.eye(2)
    for k, which in enumerate(("z", "v")):
        for j in range(2):
            ends = []
            for sign in (1, -1):
                start = {"z": Z, "v": V}
                start[which] = start[which] + sign * step * eye[j]
                ends.append(torus_geodesic(start["z"], start["v"], np.array([0, 1.0]))[0][-1])
            np.testing.assert_allclose(got[k][:, j], (ends[0] - ends[1]) / (2 * step), atol=1e-6)


def test_no_velocity_is_no_way(x64):
    path = shoot(torus, jnp.asarray(Z), jnp.zeros(2))
    np.testing.assert_array_equal(path.points, np.stack([Z, Z]))


def test_lengths_of_latent_curves(x64):
    corners = jnp.array([[0.5, 0.3], [1.0, 0.3], [1.0, 2.0]])
    known = 1.5 * (0.5 + np.sin(1.0) * 1.7)
    np.testing.assert_allclose(length(sphere, corners), known, rtol=1e-14)
    parallel = length(sphere, lambda t: jnp.stack([jnp.ones_like(t), 1.7 * t * t]))
    np.testing.assert_allclose(parallel, 1.5 * np.sin(1.0) * 1.7, rtol=1e-12)
    chords = np.linalg.norm(np.diff(np.asarray(jax.vmap(sphere)(corners)), axis=0), axis=1).sum()
    assert known - chords > 0.05
    assert length(sphere, jnp.stack([corners[0]] * 2)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: shoot(sphere, z, z, rtol=0.0), "all three have to be positive"),
        (lambda z: shoot(sphere, z, z, np.array([0.5, 0.2])), "To go backwards, shoot with -velocity"),
        (lambda z: shoot(lambda z: jnp.ones((4, 4)) * z[0], z, z), r"shape \(4, 4\).*Flatten it"),
        (lambda z: shoot(lambda z: z[:1], z, z), "from 2 latent coordinates to 1 numbers"),
        (lambda z: shoot(lambda z: (z, z), z, z), "gives tuple"),
        (lambda z: length(sphere, z[None]), "curve of 1 points"),
        (lambda z: length(sphere, jnp.stack([z, z]), nodes=0), "nodes = 0"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ConfigError, match=message):
        call(jnp.ones(2))
