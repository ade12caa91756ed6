"""The energies of known maps, by known pairs and by neighbours at known positions."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import DataError, DataWarning
from latax.data import Pairs, Samples, from_triples
from latax.estimators.neighbours import NEAREST, WIDTH, distances_between, find_neighbours
from latax.estimators.pair_graph import far_distances, pair_graph
from latax.geometry import Euclidean, FlatTorus, Inverse, Sphere, hessian_stencils, mean_bending, stencil_hessian
from latax.models.autoencoder import Autoencoder, autoencoder
from latax.models.low_bending import energies, far_lengths, start_encoder, stretches
from latax.models.near_pairs import FarPairs, KnownPairs, Neighbourhoods

CIRCLE = FlatTorus(2 * np.pi)


def identity(size: int = 3) -> Autoencoder:
    """Samples are their own latent coordinates: the classical embedding, where they are vectors of that."""
    one, zero = jnp.ones(()), jnp.zeros(size)
    return Autoencoder(lambda x: x, None, zero, one, one, zero, one)


def on_sphere(n: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rows(values) -> jax.Array:
    return jnp.asarray(values, jnp.int32)


def single(values) -> jax.Array:
    return jnp.asarray(values, jnp.float32)


@pytest.fixture(scope="module")
def sphere() -> Neighbourhoods:
    x, everywhere = on_sphere(2000), np.arange(2000)
    near = find_neighbours(Sphere(2), x, everywhere, everywhere, 1.0, count=30, nearest=0.02, farthest=0.2)
    far = distances_between(Sphere(2), x, everywhere, 0)
    far_pairs = FarPairs(rows(far.from_rows), rows(far.to_rows), single(far.distance))
    return Neighbourhoods(
        single(x), rows(everywhere), rows(near.rows), single(near.distance), single(near.second), far_pairs
    )


def test_the_classical_sphere_has_a_bending_of_one(sphere):
    batch = sphere.of(jnp.arange(2000), jr.key(0))
    distortion, bending = energies(identity(), batch, Inverse())
    assert float(bending.mean()) == pytest.approx(1.0, abs=0.01)
    # Chords are 2 sin(d / 2): the distortion is of fourth order.
    assert float(distortion.mean()) < 1e-4
    np.testing.assert_allclose(stretches(identity(), batch), 1, atol=0.01)
    double = {**batch, "x": 2 * batch["x"], "neighbours": 2 * batch["neighbours"]}
    assert float(energies(identity(), double, Inverse())[1].mean()) == pytest.approx(
        4 * float(bending.mean()), rel=1e-4
    )


def test_nearest_samples_are_no_midpoints():
    """The negative control: the second quotient with the nearest sample in the middle, at a distance of about 0.6."""
    x, random = on_sphere(2000), np.random.default_rng(1)
    first, second = random.integers(2000, size=(2, 40000))
    distance = 2 * np.arcsin(np.linalg.norm(x[first] - x[second], axis=1) / 2)
    kept = np.abs(distance - 0.6) < 0.02
    first, second, distance = first[kept], second[kept], distance[kept]
    middle = x[first] + x[second]
    nearest = x[np.argmax(middle @ x.T, axis=1)]
    quotient = 4 * (x[first] + x[second] - 2 * nearest) / distance[:, None] ** 2
    assert 1.8 < np.mean(np.sum(quotient**2, axis=1)) < 2.2


def test_batches_of_neighbours_have_the_distances_they_say(sphere):
    batch = sphere(jr.key(0), 16)
    chord = 2 * np.sin(np.asarray(batch["distance"]) / 2)
    found = np.linalg.norm(batch["neighbours"] - batch["x"][:, None], axis=2)
    np.testing.assert_allclose(found, chord, atol=1e-5)
    assert found.min() > 0.019
    far = 2 * np.sin(np.asarray(batch["far_distance"]) / 2)
    np.testing.assert_allclose(far_lengths(identity(), batch), far, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_stencils_find_any_quadratic_map(n):
    random = np.random.default_rng(n)
    v = random.normal(size=(4, 3 * (n + n * (n + 1) // 2), n)) * 0.01
    jacobian, hessian = random.normal(size=(2, n)), random.normal(size=(2, n, n))
    hessian = hessian + hessian.transpose(0, 2, 1)
    values = v @ jacobian.T + 0.5 * np.einsum("ckn,lnm,ckm->ckl", v, hessian, v)
    stencils = hessian_stencils(v)
    with jax.enable_x64(True):
        found = [stencil_hessian(jnp.asarray(s), jnp.asarray(d)) for s, d in zip(stencils.second, values, strict=True)]
        np.testing.assert_allclose(np.stack(found), np.broadcast_to(hessian, (4, 2, n, n)), rtol=1e-6)
        assert mean_bending(found[0]).shape == ()
    line = np.repeat(v[:, :, :1], n, axis=2)
    assert (hessian_stencils(line).condition > 1e6).all() == (n > 1)


@pytest.mark.parametrize("n", [100, 2000, 20000])
def test_more_samples_do_not_shrink_neighbourhoods(n):
    """Noise of 1e-3 in the exact circle adds little to its bending, however dense the samples are."""
    random, chosen = np.random.default_rng(0), np.arange(min(n, 2000))
    angle = random.uniform(0, 2 * np.pi, (n, 1))
    near = find_neighbours(CIRCLE, angle, chosen, np.arange(n), 1.0)
    assert near.distance.min() >= NEAREST
    assert np.median(near.distance.max(axis=1)) >= 0.9 * WIDTH
    # Six for each unknown, where samples are dense.
    assert near.rows.shape[1] == (9 if n == 100 else 12)
    x = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) + 1e-3 * random.normal(size=(n, 2))
    second = np.einsum("ck,ckl->cl", near.second[:, 0], x[near.rows] - x[chosen][:, None])
    assert np.mean(np.sum(second**2, axis=1)) == pytest.approx(1, abs=0.04)


def test_neighbours_are_between_the_distances_asked_for():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, (4000, 1))
    everywhere = np.arange(4000)
    near = find_neighbours(CIRCLE, angle, everywhere, everywhere, 2.0, nearest=0.05, farthest=0.1)
    assert near.distance.min() >= 0.1
    assert near.distance.max() <= 0.2


def test_equal_positions_count_once_and_near_ones_not_at_all():
    angle = np.repeat(np.linspace(0, 2 * np.pi, 500, endpoint=False), 4)[:, None]
    near = find_neighbours(CIRCLE, angle, np.arange(2000), np.arange(2000), 1.0)
    assert all(len(np.unique(angle[some])) == 12 for some in near.rows)
    # Twelve positions, of which at most five are not too near to one of them.
    heap = np.append(0.01 * np.arange(7), [1.0, 2.0, 3.0, 4.0, 5.0])[:, None]
    with pytest.raises(DataError, match=r"samples 0, 1, .*fewer than 6 others are .* a distance of at least 0\.1\."):
        find_neighbours(CIRCLE, heap, np.arange(12), np.arange(12), 1.0)


@pytest.mark.parametrize(
    ("manifold", "positions", "message"),
    [
        (Sphere(2), on_sphere(10), r"samples 0, 1, .*: fewer than 15 others are at another position"),
        (
            FlatTorus((2 * np.pi, 2 * np.pi)),
            np.random.default_rng(0).uniform(0, 2 * np.pi, (20, 2)),
            r"the 15 nearest others reach beyond 3\.14, the injectivity radius",
        ),
        (
            Euclidean(2),
            np.linspace(0, 1, 60)[:, None] * np.array([[1.0, 2.0]]),
            r"the 15 neighbours lie in too few directions to determine second derivatives in 2 dimensions",
        ),
        (FlatTorus(2 * np.pi), np.repeat([0.0, 1.0, 2.0], 20)[:, None], r"fewer than 6 others are at another position"),
        (FlatTorus(2 * np.pi), np.ones((60, 1)), r"All samples are at one and the same position"),
    ],
)
def test_samples_without_enough_neighbours_are_named(manifold, positions, message):
    everywhere = np.arange(len(positions))
    with pytest.raises(DataError, match=message):
        find_neighbours(manifold, positions, everywhere, everywhere, 1.0)


def test_wide_neighbourhoods_are_warned_of():
    with pytest.warns(DataWarning, match="Half of the samples have some of their 15 neighbours farther away than 1,"):
        find_neighbours(Sphere(2), on_sphere(40), np.arange(40), np.arange(40), 1.0)


# ---- pairs


def circle_pairs(n: int = 64) -> Samples:
    angle = 2 * np.pi * np.arange(n) / n
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    return from_triples(x, np.roll(x, -4, axis=0), np.roll(x, -2, axis=0), 4 * 2 * np.pi / n)


def test_batches_of_pairs_have_the_distances_they_say():
    samples = circle_pairs()
    graph = pair_graph(samples.pairs, len(samples))
    # Steps of two frames never leave the even frames, or the odd ones.
    assert [len(part) for part in graph.parts] == [32, 32]
    far = far_distances(graph, np.ones(64, bool), 0)
    np.testing.assert_array_equal(far.from_rows % 2, far.from_rows[0] % 2)
    far_pairs = FarPairs(rows(far.from_rows), rows(far.to_rows), single(far.distance))
    known = samples.pairs
    sampler = KnownPairs(single(samples.X), *(rows(ends) for ends in known.rows), single(known.distance), far_pairs)
    batch = sampler(jr.key(0), 128)
    d = 4 * 2 * np.pi / 64
    np.testing.assert_allclose(batch["distance"], d, rtol=1e-6)
    distortion, bending = energies(identity(2), batch, Inverse())
    np.testing.assert_allclose(bending, (16 * np.sin(d / 4) ** 2 / d**2) ** 2, rtol=1e-3)
    stretch = 2 * np.sin(d / 2) / d
    np.testing.assert_allclose(distortion, (stretch - 1 / stretch) ** 2, rtol=1e-2)
    # Shortest paths through the graph are arcs.
    arcs = 2 * np.arcsin(np.clip(np.asarray(far_lengths(identity(2), batch)) / 2, 0, 1))
    np.testing.assert_allclose(batch["far_distance"], arcs, atol=2e-3)
    assert float(batch["far_distance"].max()) > 3
    decoded = np.asarray(batch["decoded"])
    assert not np.array_equal(decoded, batch["x"])
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1, rtol=1e-6)


def test_of_several_edges_the_shortest_counts():
    # Rows 0 and 2 are a pair, and half of another.
    pairs = Pairs(np.array([0, 0]), np.array([2, 4]), np.array([1, 2]), np.array([1.0, 1.6]))
    found = far_distances(pair_graph(pairs, 5), np.ones(5, bool), 0)
    assert found.to_rows.tolist() == [0, 1, 2, 4]
    assert found.distance[0, 2] == pytest.approx(0.8)
    assert found.distance[1, 3] == pytest.approx(1.3)


def test_the_start_makes_neighbours_of_the_right_length(sphere):
    model = autoencoder((3,), 4, width_size=8, key=jr.key(0))
    batch = sphere(jr.key(1), 32)
    begun = start_encoder(model, batch)
    assert float(jnp.median(stretches(begun, batch))) == pytest.approx(1, rel=1e-4)
