import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.calculus import gram
from latax.density import log_volume as density_log_volume
from latax.geometry import (
    christoffel_symbols,
    condition_number,
    gaussian_curvature,
    geodesic_acceleration,
    log_volume,
    mean_curvature_vector,
    pullback_metric,
    second_fundamental_form,
    second_fundamental_form_in_frame,
    sectional_curvature,
    speed,
)
from latax.geometry.frame import frame
from latax.linear_algebra import log_det
from tests.geometry.surfaces import MAJOR, MINOR, catenoid, cylinder, saddle, sphere, three_sphere, torus

SURFACES = {"sphere": sphere, "torus": torus, "saddle": saddle, "cylinder": cylinder, "catenoid": catenoid}
Z = np.array([[0.7, 0.4], [2.0, -1.1], [1.3, 2.5]])
CURVATURE = {
    "sphere": lambda z: np.full(len(z), 1 / 1.5**2),
    "torus": lambda z: np.cos(z[:, 0]) / (MINOR * (MAJOR + MINOR * np.cos(z[:, 0]))),
    "saddle": lambda z: -1 / (1 + z[:, 0] ** 2 + z[:, 1] ** 2) ** 2,
    "cylinder": lambda z: np.zeros(len(z)),
    "catenoid": lambda z: -(np.cosh(z[:, 0]) ** -4.0),
}
VOLUME = {
    "sphere": lambda z: 1.5**2 * np.sin(z[:, 0]),
    "torus": lambda z: MINOR * (MAJOR + MINOR * np.cos(z[:, 0])),
    "saddle": lambda z: np.sqrt(1 + z[:, 0] ** 2 + z[:, 1] ** 2),
    "cylinder": lambda z: np.ones(len(z)),
    "catenoid": lambda z: np.cosh(z[:, 0]) ** 2,
}
V = np.array([0.8, -0.3])
every = pytest.mark.parametrize("name", SURFACES)


def intrinsic_curvature(f, z):
    """From derivatives of the Christoffel symbols, as an observer within the surface would measure it."""
    gamma, slope = christoffel_symbols(f, z), jax.jacfwd(lambda z: christoffel_symbols(f, z))(z)
    turned = slope[:, 1, 1, 0] - slope[:, 0, 1, 1] + gamma[:, 0] @ gamma[:, 1, 1] - gamma[:, 1] @ gamma[:, 0, 1]
    metric = gram(f, z)
    return jnp.dot(metric[0], turned) / jnp.exp(log_det(metric))


@functools.cache
def case(name):
    with jax.enable_x64(True):
        f = SURFACES[name]

        @jax.jit
        @jax.vmap
        def compute(z):
            return {
                "metric": pullback_metric(f, z),
                "volume": log_volume(f, z),
                "density": density_log_volume(f, z),
                "condition": condition_number(f, z),
                "speed": speed(f, z, jnp.asarray(V)),
                "christoffel": christoffel_symbols(f, z),
                "acceleration": geodesic_acceleration(f, z, jnp.asarray(V)),
                "ii": second_fundamental_form(f, z),
                "ii_frame": second_fundamental_form_in_frame(f, z),
                "jacobian": jax.jacfwd(f)(z),
                "gauss": gaussian_curvature(f, z),
                "section": sectional_curvature(f, z, jnp.asarray(V), jnp.array([0.2, 1.0])),
                "intrinsic": intrinsic_curvature(f, z),
                "mean": mean_curvature_vector(f, z),
                "slope": jax.grad(lambda z: gaussian_curvature(f, z))(z),
            }

        return jax.tree.map(np.asarray, compute(jnp.asarray(Z)))


@every
def test_gaussian_curvature(name):
    got = case(name)
    np.testing.assert_allclose(got["gauss"], CURVATURE[name](Z), atol=1e-12)
    np.testing.assert_allclose(got["section"], got["gauss"], atol=1e-12)
    assert np.isfinite(got["slope"]).all()


@every
def test_the_curvature_can_be_measured_from_within(name):
    np.testing.assert_allclose(case(name)["intrinsic"], CURVATURE[name](Z), atol=1e-10)


@every
def test_volume_and_metric_agree_with_density(name):
    got = case(name)
    np.testing.assert_allclose(got["volume"], np.log(VOLUME[name](Z)), atol=1e-13)
    np.testing.assert_allclose(got["volume"], got["density"], atol=1e-13)
    np.testing.assert_allclose(got["volume"], np.linalg.slogdet(got["metric"])[1] / 2, atol=1e-12)
    np.testing.assert_allclose(got["condition"] ** 2, np.linalg.cond(got["metric"]), rtol=1e-10)
    np.testing.assert_allclose(got["speed"] ** 2, np.einsum("i,bij,j->b", V, got["metric"], V), rtol=1e-12)


@every
def test_christoffel_symbols_are_those_of_the_metric(name):
    def levi_civita(z):
        slope = jax.jacfwd(lambda z: gram(SURFACES[name], z))(z)
        lowered = (jnp.einsum("kij->kij", slope) + jnp.einsum("kji->kij", slope) - jnp.einsum("ijk->kij", slope)) / 2
        return jnp.linalg.solve(gram(SURFACES[name], z), lowered.reshape(2, 4)).reshape(2, 2, 2)

    got = case(name)
    with jax.enable_x64(True):
        known = np.stack([levi_civita(jnp.asarray(z)) for z in Z])
    np.testing.assert_allclose(got["christoffel"], known, atol=1e-12)
    np.testing.assert_allclose(got["acceleration"], -np.einsum("bkij,i,j->bk", known, V, V), atol=1e-12)


@every
def test_the_second_fundamental_form_is_normal_and_symmetric(name):
    got = case(name)
    np.testing.assert_allclose(np.einsum("bdk,bdij->bkij", got["jacobian"], got["ii"]), 0, atol=1e-12)
    np.testing.assert_allclose(got["ii"], got["ii"].transpose(0, 1, 3, 2), atol=1e-14)


def test_christoffel_symbols_of_the_sphere_in_closed_form():
    known = np.zeros((len(Z), 2, 2, 2))
    known[:, 0, 1, 1] = -np.sin(Z[:, 0]) * np.cos(Z[:, 0])
    known[:, 1, 0, 1] = known[:, 1, 1, 0] = np.cos(Z[:, 0]) / np.sin(Z[:, 0])
    np.testing.assert_allclose(case("sphere")["christoffel"], known, atol=1e-13)


def test_mean_curvature():
    np.testing.assert_allclose(case("catenoid")["mean"], 0, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(case("sphere")["mean"], axis=1), 1 / 1.5, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(case("cylinder")["mean"], axis=1), 0.25, atol=1e-14)
    np.testing.assert_allclose(np.sum(case("sphere")["ii_frame"] ** 2, axis=(1, 2, 3)), 2 / 1.5**2, atol=1e-13)


def test_every_section_of_the_three_sphere_has_curvature_one(x64):
    z = jnp.array([0.8, 1.9, 0.3])
    v, w = jnp.array([0.3, -0.2, 1.0]), jnp.array([1.0, 0.4, 0.1])
    np.testing.assert_allclose(sectional_curvature(three_sphere, z, v, w), 1, atol=1e-13)
    squashed = sectional_curvature(lambda z: three_sphere(z) * jnp.array([1, 1, 1, 0.5]), z, v, w)
    assert abs(float(squashed) - 1) > 0.1


def test_a_map_without_full_rank_has_no_volume(x64):
    def fold(z):
        return jnp.array([z[0] + z[1], 2 * (z[0] + z[1]), 0.0])

    assert log_volume(fold, jnp.array([0.3, 0.1])) < -30
    assert np.isfinite(frame(fold, jnp.array([0.3, 0.1])).tangents).all()


def test_many_latent_coordinates_go_through_lapack(x64):
    matrix = jax.random.normal(jax.random.key(0), (50, 40))
    np.testing.assert_allclose(
        log_volume(lambda z: matrix @ z, jnp.ones(40)), jnp.linalg.slogdet(matrix.T @ matrix)[1] / 2, atol=1e-11
    )
    at = frame(lambda z: matrix @ z, jnp.ones(40))
    np.testing.assert_allclose(at.coordinates(matrix @ jnp.arange(40.0)), np.arange(40.0), atol=1e-11)


def test_gaussian_curvature_is_of_surfaces(x64):
    with pytest.raises(ConfigError, match=r"z has shape \(3,\). Use sectional_curvature"):
        gaussian_curvature(three_sphere, jnp.ones(3))
