"""Numbers of embeddings, against maps whose numbers are known."""

import jax
import numpy as np
import pytest

from latax.evaluate import rules
from latax.evaluate.embedding import far_pair_ratio, principal_dimension
from latax.geometry import SO3, FlatTorus, Sphere

ANGLES = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 4000))


def around(angle: np.ndarray, times: int = 1) -> np.ndarray:
    """A unit circle, wound around some times."""
    return np.stack([np.cos(times * angle), np.sin(times * angle)], axis=1)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances on a circle."""
    return np.abs((a - b + np.pi) % (2 * np.pi) - np.pi)


def test_a_circle_that_is_wound_around_twice_is_found():
    distance = apart(*ANGLES)
    found = {
        n: far_pair_ratio(np.linalg.norm(around(ANGLES[0], n) - around(ANGLES[1], n), axis=1) / n, distance, np.pi)
        for n in (1, 2)
    }
    assert found[1] == pytest.approx(2 / np.pi, rel=1e-3)
    assert found[2] < 0.01
    assert rules.covered_twice(found[1]).verdict == "good"
    assert rules.covered_twice(found[2]).verdict == "bad"


def test_so_is_a_narrow_way_around():
    """A torus of lengths 10 and 1, of which the narrow circle is wound around twice: few pairs are as far apart only
    along it as half of the greatest distance."""
    narrow = ANGLES[::-1, ::-1]
    distance = np.hypot(10 * apart(*ANGLES) / (2 * np.pi), apart(*narrow) / (2 * np.pi))

    def ratio(n: int, reach: float) -> float:
        places = [
            np.concatenate([10 * around(a), around(b, n) / n], axis=1) for a, b in zip(ANGLES, narrow, strict=True)
        ]
        return far_pair_ratio(np.linalg.norm(places[0] - places[1], axis=1) / (2 * np.pi), distance, reach)

    assert ratio(1, 0.5) > 0.6
    assert ratio(2, 0.5) < 0.2
    assert ratio(2, np.inf) > 0.6


@pytest.mark.parametrize(
    ("manifold", "size"), [(FlatTorus(1.0), 2), (Sphere(2), 3), (FlatTorus((1.0, 1.0)), 4), (SO3(), 9)]
)
def test_classical_embeddings_have_their_dimensions(manifold, size):
    keys = jax.random.split(jax.random.key(0), 4000)
    points = np.asarray(jax.vmap(lambda key: manifold.embed(manifold.sample(key)))(keys))
    # In a space with more coordinates, turned.
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0][: points.shape[1]]
    assert principal_dimension(points @ turned) == size
