"""What is near at known positions: who is held out, what the lowest energy is, how many far pairs are looked at."""

import jax
import numpy as np
import pytest

from latax.estimators.nearness import AT_ONCE
from latax.estimators.positioned_nearness import Positioned
from latax.geometry import Euclidean, FlatTorus, Inverse, Sphere, SphericalCap

CIRCLE = FlatTorus(2 * np.pi)
ROWS = 400


def positioned(manifold, positions: np.ndarray) -> Positioned:
    held_out = np.arange(0, len(positions), 10)
    training = np.setdiff1d(np.arange(len(positions)), held_out)
    x = positions.reshape(len(positions), -1).astype(np.float32)
    return Positioned(manifold, positions, x, training, held_out, 0, 0.1, 0.5)


def on_circle(*arcs: tuple[float, float]) -> Positioned:
    random = np.random.default_rng(0)
    return positioned(CIRCLE, np.concatenate([random.uniform(*arc, (ROWS // len(arcs), 1)) for arc in arcs]))


def on_sphere(n: int) -> Positioned:
    x = np.random.default_rng(0).normal(size=(n, 3))
    return positioned(Sphere(2), x / np.linalg.norm(x, axis=1, keepdims=True))


def test_training_knows_no_held_out_sample():
    near = on_circle((0, 2 * np.pi))
    training = near.training()
    for rows in (training.centres, training.neighbours, training.far.from_rows, training.far.to_rows):
        assert not np.isin(rows, near.held_out_rows).any()
    batch = near.held_out(1000, 0)
    assert np.isin(batch["x"], near.x[near.held_out_rows]).all()
    assert np.isin(batch["neighbours"], near.x[near.training_rows]).any()


def test_lengths_are_those_of_rendered_manifolds():
    """A cap that is smaller than its injectivity radius has the length of its diameter; a plane that of the data."""
    cap = SphericalCap(2, 0.6)
    places = np.asarray(jax.vmap(cap.sample)(jax.random.split(jax.random.key(0), 40)))
    near = positioned(cap, places)
    assert near.length == cap.length_scale == pytest.approx(1.2 / np.pi)
    assert near.reach == pytest.approx(1.2)
    assert on_circle((0, 2 * np.pi)).reach == pytest.approx(np.pi)
    line = positioned(Euclidean(1), np.linspace(0, 7, 40)[:, None])
    assert line.length == pytest.approx(7 / np.pi)
    assert line.reach == np.inf


def test_far_pairs_are_as_many_as_are_asked_for():
    near = on_circle((0, 2 * np.pi))
    (batch,) = near.judging(4096, 1, far=4096)
    assert len(batch["distance"]) == 40
    assert len(batch["far_distance"]) == len(batch["far_x"]) == 4096
    off = np.abs(batch["far_x"][:, 0] - batch["far_y"][:, 0])
    np.testing.assert_allclose(batch["far_distance"], np.minimum(off, 2 * np.pi - off), atol=1e-5)
    # A map that winds around twice and a half brings some of many far pairs together, and few of few.
    assert near.held_out(AT_ONCE, 1)["far_distance"].shape == (40,)


@pytest.mark.parametrize("near", [on_sphere(150), on_circle((0, 2 * np.pi))], ids=["sphere", "circle"])
def test_the_lowest_energy_is_that_of_the_classical_embedding_under_the_same_stencils(near):
    lowest = near.lowest(0.1, Inverse(), 4096, 1)
    batch = near.held_out(4096, 1)
    embed = lambda x: np.concatenate([np.cos(x), np.sin(x)], axis=-1) if x.shape[-1] == 1 else x
    differences = embed(batch["neighbours"]) - embed(batch["x"])[:, None]
    squares = np.sum(differences**2, axis=2) / batch["distance"] ** 2
    found = np.einsum("chk,ckl->chl", batch["second"], differences)
    if found.shape[1] == 1:
        bending = np.mean(np.sum(found**2, axis=(1, 2)))
    else:  # (2 |H|² + (tr H)²) / 8 of H = (a, b; b, c)
        a, b, c = np.moveaxis(found, 1, 0)
        bending = np.mean(np.sum(2 * (a**2 + 2 * b**2 + c**2) + (a + c) ** 2, axis=1)) / 8
    energies = [
        np.mean(s**2 * squares + 1 / (s**2 * squares) - 2) + 0.1 * s**2 * bending for s in np.linspace(0.9, 1, 201)
    ]
    assert lowest == pytest.approx(min(energies), rel=1e-3)
    assert 0.9 < lowest / (2 * np.sqrt(1.1) - 2) < 1.0


def test_where_the_lowest_energy_is_not_known():
    assert on_circle((0, 2 * np.pi)).lowest(0.1, Inverse(), 100, 1) is not None
    assert on_circle((0, 2 * np.pi)).lowest(0.0, Inverse(), 100, 1) is None
    assert on_circle((0, 2)).lowest(0.1, Inverse(), 100, 1) is None
    # Two opposite arcs, each of which can lie flat: their mean is zero, as that of the circle.
    assert on_circle((0, 1), (np.pi, np.pi + 1)).lowest(0.1, Inverse(), 100, 1) is None
