"""Distances between many latent points, against great circles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError, DataError, DataWarning
from latax.geometry import distance_matrix, distances
from tests.geometry.surfaces import plane, sphere


def points(count):
    rng = np.random.default_rng(0)
    return np.stack([np.arccos(rng.uniform(-0.8, 0.8, count)), rng.uniform(-1.3, 1.3, count)], axis=1)


def great_circles(z):
    x = np.asarray(jax.vmap(sphere)(jnp.asarray(z))) / 1.5
    return 1.5 * np.arccos(np.clip(x @ x.T, -1, 1)) * ~np.eye(len(z), dtype=bool)


def check_is_distance(matrix):
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(np.diagonal(matrix), 0)
    assert (matrix[:, None] <= matrix[:, :, None] + matrix[None] + 1e-9).all()


def test_boundary_value_problems_give_great_circles(x64):
    z = points(6)
    matrix = distance_matrix(sphere, z, "geodesic", segments=16, chunk=10)
    check_is_distance(matrix)
    np.testing.assert_allclose(matrix, great_circles(z), atol=1e-7)


def test_shortest_paths_are_never_too_short_and_better_with_more_points(x64):
    excess = []
    for count in (60, 600):
        z = points(count)
        matrix, known = distance_matrix(sphere, z, neighbours=count // 6), great_circles(z)
        assert (matrix >= known - 1e-7).all()
        excess.append((matrix.sum() - known.sum()) / known.sum())
        if count == 60:
            check_is_distance(matrix)
    assert excess[1] < excess[0] < 0.1
    assert excess[1] < 0.01


def test_all_pairs_of_a_plane_are_joined_exactly(x64):
    z = points(12)
    image = np.asarray(jax.vmap(plane)(jnp.asarray(z)))
    known = np.linalg.norm(image[:, None] - image[None], axis=2)
    np.testing.assert_allclose(distance_matrix(plane, z, neighbours=50), known, atol=1e-12)
    few = distance_matrix(plane, z, neighbours=3)
    assert few.max() > known.max() * 1.0001


def test_two_points_with_one_image_are_joined(x64):
    z = np.concatenate([points(10), points(10)[:1]])
    assert distance_matrix(sphere, z, neighbours=4)[0, -1] < 1e-12


def test_geodesics_that_have_not_converged_are_counted(monkeypatch):
    def failing(*arguments):
        return jnp.ones(3), jnp.array([True, False, False])

    monkeypatch.setattr(distances, "_geodesic_lengths", failing)
    with pytest.warns(DataWarning, match="2 of 3 geodesics have not converged"):
        distance_matrix(sphere, points(3), "geodesic")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda z: distance_matrix(sphere, z, "isomap"), ConfigError, "Use 'graph' or 'geodesic'"),
        (lambda z: distance_matrix(sphere, z, neighbours=0), ConfigError, "at least 1"),
        (lambda z: distance_matrix(sphere, z[0]), DataError, r"shape \(m, n\)"),
        (lambda z: distance_matrix(sphere, z * np.nan), DataError, "Drop those rows"),
        (lambda z: distance_matrix(plane, np.concatenate([z, z + 100]), neighbours=2), DataError, "fall into 2 pieces"),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(points(4))
