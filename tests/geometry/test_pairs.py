"""Pairs within a region: at the distance that was asked for, both ends alike, and refused where there are none."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.geometry import SO3, Annulus, Ball, Euclidean, FlatTorus, PairSampler, Product, Shell, Sphere, SphericalCap
from latax.geometry.pairs import pair_at

CAP = SphericalCap(2, 0.6)


def pairs_of(sampler, count, seed=0):
    return eqx.filter_jit(jax.vmap(sampler))(jr.split(jr.key(seed), count))


def test_distances_follow_the_law_though_a_boundary_is_near():
    """E[r²] of a ball in the plane is ε²/2; drawing distances again with the partners would give 8 % less."""
    pairs = pairs_of(PairSampler(CAP, Ball(0.6)), 2_000)
    np.testing.assert_allclose(jax.vmap(CAP.distance)(pairs.x, pairs.y), pairs.distance, atol=2e-3)
    assert float(jnp.mean(pairs.distance**2)) == pytest.approx(0.18, abs=2.5 * 0.104 / 2_000**0.5)


def test_both_ends_are_alike():
    pairs = pairs_of(PairSampler(CAP, Shell(0.5)), 1_000)
    angle = lambda x: np.asarray(jnp.arccos(x[:, 2]))
    difference = angle(pairs.x) - angle(pairs.y)
    assert abs(difference.mean()) < 4 * difference.std() / len(difference) ** 0.5
    assert angle(pairs.x).max() <= 0.6 + 1e-6


@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize(
    "manifold", [CAP, Euclidean(2), Product([FlatTorus(1.0), Euclidean(1)])], ids=["cap", "square", "product"]
)
def test_far_pairs_stay_inside(manifold, share):
    draw = lambda key: pair_at(manifold, jnp.asarray(share * manifold.reach), key)
    pairs = jax.jit(jax.vmap(draw))(jr.split(jr.key(1), 200))
    for points in (pairs.x, pairs.midpoint, pairs.y):
        assert jax.vmap(manifold.contains)(points).all()


def test_no_pair_is_found_where_there_is_none():
    pair = jax.jit(lambda key: pair_at(CAP, jnp.asarray(1.3), key))(jr.key(0))
    assert jnp.isnan(pair.y).all()
    assert jnp.isnan(pair.distance)


def test_pairs_wider_than_a_region_are_refused():
    for manifold, law in ((SphericalCap(2, 0.2), Shell(1.0)), (Euclidean(2), Annulus(5, 3))):
        with pytest.raises(ConfigError, match=r"no two points of .* are farther apart than .*Give a smaller distance"):
            PairSampler(manifold, law)


@pytest.mark.parametrize(
    ("manifold", "diameter"),
    [
        (Sphere(2, 2.0), 2 * np.pi),
        (SphericalCap(2, 0.6, 2.0), 2.4),
        (SO3(), np.pi),
        (FlatTorus((2.0, 4.0)), 5**0.5),
        (Euclidean(3, -1, 1), 12**0.5),
        (Product([FlatTorus(2.0), SphericalCap(1, 0.5)], [3, 4]), 5.0),
    ],
)
def test_no_two_points_are_farther_apart_than_the_diameter(manifold, diameter):
    assert manifold.diameter == pytest.approx(diameter)
    x, y = (jax.vmap(manifold.sample)(jr.split(jr.key(seed), 4000)) for seed in (0, 1))
    found = float(jax.vmap(manifold.distance)(x, y).max())
    assert 0.8 * diameter < found <= diameter * (1 + 1e-6)
    assert manifold.length_scale <= diameter / np.pi * (1 + 1e-9)
