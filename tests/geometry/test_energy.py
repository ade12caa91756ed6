"""Distortion and bending of maps against closed forms: the known answers of the method, in float64."""

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.geometry import (
    SO3,
    Annulus,
    Ball,
    Euclidean,
    FlatTorus,
    Pair,
    PairSampler,
    Product,
    Quadratic,
    Radial,
    Shell,
    Sphere,
    SphericalCap,
    derivatives,
    direction_rule,
    geodesic,
    length,
    limit_energy,
    limit_terms,
    lowest_energy,
    mean_bending,
    mean_distortion,
    pair_energy,
    pair_terms,
    probed_terms,
    shoot,
)
from latax.geometry.distortion import Inverse
from latax.geometry.pairs import pair_along
from tests.geometry import surfaces

CIRCLE = FlatTorus(2 * math.pi)
TORUS = FlatTorus((2 * math.pi, 2 * math.pi))
CLASSICAL = {"circle": CIRCLE, "sphere": Sphere(2), "three-sphere": Sphere(3), "rotations": SO3()}


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


@eqx.filter_jit
def energies(phi, sampler, samples, key):
    return pair_energy(phi, sampler, samples=samples, key=key)


@eqx.filter_jit
def terms(phi, sampler, samples, key):
    return jax.vmap(lambda key: pair_terms(phi, sampler(key)))(jr.split(key, samples))


@eqx.filter_jit
def limits(phi, manifold):
    return limit_energy(phi, manifold, samples=4, key=jr.key(0))


@eqx.filter_jit
def limits_at(phi, manifold, x):
    return limit_terms(phi, manifold, x)


@eqx.filter_jit
def pairs_of(sampler, count, key):
    return jax.vmap(sampler)(jr.split(key, count))


@eqx.filter_jit
def terms_along(phi, manifold, starts, directions, d):
    """Terms of all pairs that begin at a start and go this far in a direction: coordinates in `manifold.basis`."""
    at = lambda x, c: pair_terms(phi, pair_along(manifold, x, manifold.tangent(x, c), d))
    return jax.vmap(jax.vmap(at, (None, 0)), (0, None))(starts, directions)


def sigma(d):
    return 2 * math.sin(d / 2) / d


def beta(d):
    return 16 * math.sin(d / 4) ** 2 / d**2


# ---- at one distance


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("d", [1.0, 0.125])
def test_classical_embeddings_at_a_distance(name, d):
    manifold = CLASSICAL[name]
    found = terms(manifold.embed, PairSampler(manifold, Shell(d)), 8, jr.key(0))
    np.testing.assert_allclose(found.distortion, (sigma(d) - 1 / sigma(d)) ** 2, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.bending, beta(d) ** 2, rtol=1e-9)


def test_published_digits_of_the_circle():
    for d, gamma, square in [(1.0, 7.066713e-3, 0.95910587), (0.5, 4.358612e-4, 0.98963202)]:
        found = terms(CIRCLE.embed, PairSampler(CIRCLE, Shell(d)), 2, jr.key(0))
        np.testing.assert_allclose(found.distortion, gamma, rtol=1e-6)
        np.testing.assert_allclose(found.bending, square, rtol=1e-7)


def test_a_radius_scales_distance_and_bending():
    found = terms(Sphere(2, 3.0).embed, PairSampler(Sphere(2, 3.0), Shell(1.5)), 4, jr.key(1))
    np.testing.assert_allclose(found.bending, (beta(0.5) / 3.0) ** 2, rtol=1e-10)
    np.testing.assert_allclose(found.distortion, 4.358612e-4, rtol=1e-6)


@pytest.mark.parametrize(("d", "gamma", "bending"), [(1.0, 4.171701e-3, 0.72438129), (0.5, 2.584335e-4, 0.74351622)])
def test_clifford_torus_at_a_distance(d, gamma, bending):
    # The mean over directions by a rule, not by chance.
    directions, weights = direction_rule(2)
    found = terms_along(TORUS.embed, TORUS, jnp.array([[0.3, 1.1]]), jnp.asarray(directions), jnp.asarray(d))
    assert float(found.distortion[0] @ weights) == pytest.approx(gamma, rel=1e-6)
    assert float(found.bending[0] @ weights) == pytest.approx(bending, rel=1e-8)


@pytest.mark.parametrize("phi", [lambda x: jnp.concatenate([x, 0 * x]), lambda x: jnp.array([x[1], -x[0]])])
def test_flat_is_flat(phi):
    found = terms(phi, PairSampler(Euclidean(2, -1, 1), Annulus(0.5, 0.1)), 64, jr.key(2))
    np.testing.assert_allclose(found.distortion, 0, atol=1e-26)
    np.testing.assert_allclose(found.bending, 0, atol=1e-24)


def test_ellipse_and_spheroid_exactly():
    d = 0.5
    ellipse = lambda t: jnp.array([1.3 * jnp.cos(t[0]), 0.8 * jnp.sin(t[0])])
    # The mean over the circle, by equal angles.
    angles = jnp.linspace(0, 2 * math.pi, 257)[:-1, None]
    found = terms_along(ellipse, CIRCLE, angles, jnp.ones((1, 1)), jnp.asarray(d))
    np.testing.assert_allclose([found.distortion.mean(), found.bending.mean()], [0.122754, 1.152921], atol=5e-7)

    spheroid = lambda x: x * jnp.array([0.8, 0.8, 1.3])
    mean = energies(spheroid, PairSampler(Sphere(2), Shell(d)), 40_000, jr.key(3))
    assert float(mean.distortion.value) == pytest.approx(0.100463, abs=5 * float(mean.distortion.standard_error))
    assert float(mean.bending.value) == pytest.approx(0.979736, abs=5 * float(mean.bending.standard_error))
    assert float(mean.distortion.standard_error) < 1e-3


# ---- in the limit


@pytest.mark.parametrize("name", CLASSICAL)
def test_classical_embeddings_in_the_limit(name):
    manifold = CLASSICAL[name]
    found = limits(manifold.embed, manifold)
    assert float(found.distortion.value) == pytest.approx(0, abs=1e-14)
    assert float(found.bending.value) == pytest.approx(1, rel=1e-12)


def test_clifford_torus_and_cylinder_in_the_limit():
    found = limits(TORUS.embed, TORUS)
    assert float(found.bending.value) == pytest.approx(3 / 4, rel=1e-12)
    unequal = FlatTorus((2 * math.pi, 4 * math.pi))
    found = limits(unequal.embed, unequal)
    assert float(found.bending.value) == pytest.approx(3 / 8 * (1 + 1 / 4), rel=1e-12)
    cylinder = lambda x: jnp.array([2 * jnp.cos(x[0] / 2), 2 * jnp.sin(x[0] / 2), x[1]])
    found = limits(cylinder, Euclidean(2))
    assert float(found.distortion.value) == pytest.approx(0, abs=1e-14)
    assert float(found.bending.value) == pytest.approx(3 / (8 * 2**2), rel=1e-12)


def roll(t):
    """The Swiss roll (t cos t, t sin t), by its angle."""
    return t * jnp.array([jnp.cos(t), jnp.sin(t)])


def angle_at(s):
    """The angle at this arc length from t = 0, by Newton's method, which has the derivatives of what it finds."""
    t = jnp.sqrt(2 * s)
    for _ in range(8):
        root = jnp.sqrt(1 + t**2)
        t = t - ((t * root + jnp.arcsinh(t)) / 2 - s) / root
    return t


def test_swiss_roll_by_arc_length():
    # t in [1.5π, 4.5π]: its length, and the mean squared curvature along it, which is bending for one dimension and
    # three eighths of it in the directions of a sheet.
    found = jax.jit(lambda: length(lambda z: roll(z[0]), lambda t: (1.5 + 3 * t)[None] * math.pi, pieces=16))()
    assert float(found) == pytest.approx(89.3732747, rel=1e-7)
    first = 0.5 * (1.5 * math.pi * math.hypot(1, 1.5 * math.pi) + math.asinh(1.5 * math.pi))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    places = jnp.asarray(first + 89.3732747 * (1 + nodes) / 2)
    for n, mean in [(1, 0.01261937), (2, 0.00473226)]:
        sheet = lambda x: jnp.concatenate([roll(angle_at(x[0])), x[1:]])
        starts = jnp.concatenate([places[:, None], jnp.full((40, n - 1), 0.3)], axis=1)
        limit = jax.jit(jax.vmap(lambda x, n=n, sheet=sheet: limit_terms(sheet, Euclidean(n), x)))(starts)
        np.testing.assert_allclose(limit.distortion, 0, atol=1e-12)
        assert float(limit.bending @ weights / 2) == pytest.approx(mean, rel=1e-5)
    # Pairs about these places tend to it.
    starts = places[:, None] - 0.05
    pairs = terms_along(lambda x: roll(angle_at(x[0])), Euclidean(1), starts, jnp.ones((1, 1)), jnp.asarray(0.1))
    assert float(pairs.bending[:, 0] @ weights / 2) == pytest.approx(0.01261937, rel=2e-5)


def test_affine_maps():
    for singular, mean in [((0.7, 1.2), 1.1904762), ((0.7, 1.2, 1.6), 0.7836787)]:
        n = len(singular)
        phi = lambda x, s=singular: x * jnp.array(s)
        found = limits_at(phi, Euclidean(n), jnp.full(n, 0.2))
        squares = sum(s**2 for s in singular) / n
        assert float(found.distortion) == pytest.approx(squares + mean - 2, abs=1e-7)
        assert float(found.bending) == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_mean_of_a_quadratic_form(n):
    hessian = np.random.default_rng(n).normal(size=(4, n, n))
    hessian = hessian + hessian.transpose(0, 2, 1)
    directions, weights = direction_rule(n)
    by_rule = weights @ np.sum(np.einsum("lij,ki,kj->kl", hessian, directions, directions) ** 2, axis=1)
    assert float(mean_bending(jnp.asarray(hessian))) == pytest.approx(by_rule, rel=1e-12)


def test_the_rule_of_directions_is_a_mean():
    for n in (1, 2, 3, 5):
        directions, weights = direction_rule(n)
        assert weights.sum() == pytest.approx(1, rel=1e-12)
        exact = 1e-12 if n <= 3 else 5e-3
        np.testing.assert_allclose(directions.T @ (weights[:, None] * directions), np.eye(n) / n, atol=exact)
    with pytest.raises(ConfigError, match="no directions in 0 dimensions"):
        direction_rule(0)


def test_closed_forms_of_the_distortion():
    jacobian = jnp.asarray(np.random.default_rng(0).normal(size=(5, 2)))
    s = np.linalg.svd(jacobian, compute_uv=False)
    expected = (s[0] ** 2 + s[1] ** 2) / 2 + 1 / (s[0] * s[1]) - 2
    assert float(mean_distortion(jacobian, Inverse())) == pytest.approx(expected, rel=1e-9)
    assert float(mean_distortion(jacobian, Quadratic())) != pytest.approx(expected, rel=1e-2)


def test_a_hessian_is_along_geodesics():
    # On the sphere the coordinate x_3 has the Hessian -x_3 times the metric, not the zero of its straight extension.
    _, hessian = derivatives(lambda x: x[2:], Sphere(2), jnp.array([0.6, 0.0, 0.8]))
    np.testing.assert_allclose(hessian[0], -0.8 * np.eye(2), atol=1e-12)


# ---- rates


@functools.cache
def rates(name):
    manifold, n = {"circle": (CIRCLE, 1), "sphere": (Sphere(2), 2), "rotations": (SO3(), 3)}[name]
    found = []
    for outer in (0.5, 0.25):
        lowest = _classical_mean(manifold, Ball(outer), n)
        found.append(lowest)
    return np.array(found)


def _classical_mean(manifold, law, n):
    # All points and directions are alike: one is enough, at distances by a rule.
    nodes, weights = np.polynomial.legendre.leggauss(40)
    x = manifold.sample(jr.key(0))
    direction = manifold.tangent(x, jnp.zeros(n).at[0].set(1))
    at = lambda d: pair_terms(manifold.embed, pair_along(manifold, x, direction, d))
    found = jax.jit(jax.vmap(at))(law.quantile(jnp.asarray((nodes + 1) / 2), n))
    return weights / 2 @ found.distortion, weights / 2 @ found.bending


@pytest.mark.parametrize(
    ("name", "gamma", "bending"),
    [("circle", 8.706667e-5, 0.99653752), ("sphere", 1.451330e-4, 0.99480791), ("rotations", 1.866215e-4, 0.99377088)],
)
def test_means_over_balls_and_their_rates(name, gamma, bending):
    found = rates(name)
    np.testing.assert_allclose(found[0], [gamma, bending], rtol=2e-6)
    np.testing.assert_allclose(math.log2(found[0, 0] / found[1, 0]), 4, atol=0.05)
    np.testing.assert_allclose(math.log2((1 - found[0, 1]) / (1 - found[1, 1])), 2, atol=0.05)


def test_sampled_balls_have_these_means():
    sampler = PairSampler(Sphere(2), Ball(0.5))
    found = energies(Sphere(2).embed, sampler, 20_000, jr.key(5))
    assert float(found.bending.value) == pytest.approx(0.99480791, abs=5 * float(found.bending.standard_error))
    assert float(found.distortion.value) == pytest.approx(1.451330e-4, abs=5 * float(found.distortion.standard_error))


@pytest.mark.parametrize(
    ("law", "second", "fourth"),
    [
        (Ball(0.5), 2 / 4, 2 / 6),
        (Radial(0.5), 1 / 3, 1 / 5),
        (Shell(0.5), 1.0, 1.0),
        (Annulus(0.5, 0.1), 0.52, (1 + 0.04 + 0.0016) / 3),
    ],
)
def test_moments_of_the_laws(law, second, fourth):
    pairs = pairs_of(PairSampler(TORUS, law), 40_000, jr.key(6))
    d = np.asarray(pairs.distance) / 0.5
    np.testing.assert_allclose([np.mean(d**2), np.mean(d**4)], [second, fourth], atol=0.01)
    np.testing.assert_allclose(jax.vmap(TORUS.distance)(pairs.x, pairs.y), pairs.distance, rtol=1e-9)
    np.testing.assert_allclose(jax.vmap(TORUS.distance)(pairs.x, pairs.midpoint), pairs.distance / 2, rtol=1e-9)


# ---- what only some of the laws see


def test_one_distance_does_not_see_waves_of_half_of_it():
    d = 0.5
    wave = lambda t: jnp.concatenate([CIRCLE.embed(t), 0.3 * jnp.cos(4 * math.pi * t / d)])
    # cos(4πt/d) is no function on the circle for this d, but near pairs do not notice.
    clean, waved = (terms(phi, PairSampler(CIRCLE, Shell(d)), 16, jr.key(7)) for phi in (CIRCLE.embed, wave))
    safe = lambda found: np.sort(found.bending)[:8]  # Without pairs across the angle zero.
    np.testing.assert_allclose(safe(waved), safe(clean), rtol=1e-9)
    seen = energies(wave, PairSampler(CIRCLE, Annulus(0.5, 0.25)), 2000, jr.key(7))
    assert float(seen.bending.value) > 100


def test_a_kink_costs_without_end():
    # A slope that jumps by J, met by pairs at distance d: (4/3) J² / (|M| d).
    kink, line = (lambda x: jnp.abs(x - 0.5)), Euclidean(1)
    starts = (jnp.linspace(0, 1, 20_001)[:-1] + 0.25e-4)[:, None]
    for d in (0.1, 0.02):
        # By midpoints: pairs that begin half a distance before.
        found = terms_along(kink, line, starts - d / 2, jnp.ones((1, 1)), jnp.asarray(d))
        assert float(found.bending.mean()) == pytest.approx(4 / 3 * 2**2 / d, rel=2e-3)


@eqx.filter_jit
def donut_pair(tube, angle, d):
    """A pair of points of the torus of revolution and their midpoint, on the geodesic with this initial direction."""
    z = jnp.stack([tube, jnp.zeros_like(tube)])
    ring = surfaces.MAJOR + surfaces.MINOR * jnp.cos(tube)
    velocity = d * jnp.stack([jnp.cos(angle) / surfaces.MINOR, jnp.sin(angle) / ring])
    start, middle, end = shoot(surfaces.torus, z, velocity, jnp.array([0, 0.5, 1])).points
    return Pair(start, end, middle, d)


@eqx.filter_jit
def donut_terms(tubes, angles, d):
    at = lambda tube, angle: pair_terms(surfaces.torus, donut_pair(tube, angle, d))
    return jax.vmap(jax.vmap(at, (None, 0)), (0, None))(tubes, angles)


def test_the_donut_with_its_own_metric():
    # The identity map of the torus of revolution over pairs of its own geodesics, whose bending has the limit
    # 3R / (8 r² √(R² - r²)) = 1.549: means over the tube by area, and over directions.
    major, minor = surfaces.MAJOR, surfaces.MINOR
    limit = 3 * major / (8 * minor**2 * math.sqrt(major**2 - minor**2))
    assert limit == pytest.approx(1.54919, abs=5e-6)
    tubes = angles = jnp.linspace(0, 2 * math.pi, 17)[:-1]
    area = np.asarray(major + minor * jnp.cos(tubes))
    gaps = []
    for d in (0.2, 0.1):
        found = donut_terms(tubes, angles, jnp.asarray(d))
        gaps.append(limit - np.average(found.bending.mean(axis=1), weights=area))
        # A chord is shorter than its arc by the share κ² d² / 24, and γ about four times its square; κ is at most 1/r.
        assert float(found.distortion.max()) == pytest.approx(4 * (d**2 / 24 / minor**2) ** 2, rel=0.02)
    assert limit - gaps[0] == pytest.approx(1.536, abs=2 * 0.003)  # sampled, with its standard error
    assert math.log2(gaps[0] / gaps[1]) == pytest.approx(2, abs=0.1)


def test_geodesics_of_the_donut_are_its_pairs():
    pair = donut_pair(jnp.asarray(0.7), jnp.asarray(0.9), jnp.asarray(0.4))
    found = jax.jit(lambda: geodesic(surfaces.torus, pair.x, pair.y, segments=16, refine=False))()
    # A polygon, off by the square of its lines.
    assert found.converged
    assert float(found.length) == pytest.approx(0.4, rel=1e-4)
    np.testing.assert_allclose(found.points[8], pair.midpoint, atol=1e-4)
    by_geodesic = pair_terms(surfaces.torus, Pair(pair.x, pair.y, found.points[8], found.length))
    np.testing.assert_allclose(by_geodesic, pair_terms(surfaces.torus, pair), rtol=0.02)


# ---- the lowest energies


@pytest.mark.parametrize("weight", [0.01, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("name", [*CLASSICAL, "torus"])
def test_lowest_energies_in_the_limit(name, weight):
    manifold = CLASSICAL.get(name, TORUS)
    effective = weight * (0.75 if name == "torus" else 1)
    found = lowest_energy(manifold, weight)
    assert found.energy == pytest.approx(2 * math.sqrt(1 + effective) - 2, abs=1e-9)
    assert found.scale == pytest.approx((1 + effective) ** -0.25, abs=1e-4)
    assert found.distortion + weight * found.bending == pytest.approx(found.energy, rel=1e-12)


@pytest.mark.parametrize(
    ("manifold", "energy", "iso", "bend"),
    [
        (CIRCLE, 0.09806, 0.00232, 0.95740),
        (Sphere(2), 0.09817, 0.00233, 0.95842),
        (SO3(), 0.09825, 0.00233, 0.95923),
        (TORUS, 0.07393, 0.00134, 0.72590),
    ],
)
def test_lowest_energies_at_distances(manifold, energy, iso, bend):
    found = lowest_energy(manifold, 0.1, law=Annulus(0.5, 0.1))
    np.testing.assert_allclose(found[:3], [energy, iso, bend], atol=6e-6)


def test_lowest_energies_of_large_spheres_and_what_is_not_known():
    assert lowest_energy(Sphere(2, 2.0), 0.4).energy == pytest.approx(2 * math.sqrt(1.1) - 2, abs=1e-9)
    for manifold in (FlatTorus((1.0, 2.0)), SphericalCap(2, 1.0), Product([SO3(), Sphere(2)])):
        with pytest.raises(ConfigError, match=r"lowest energy of embeddings of .* is not known"):
            lowest_energy(manifold, 0.1)


def test_a_double_cover_is_dearer():
    cover = lambda t: jnp.concatenate([jnp.cos(2 * t), jnp.sin(2 * t)])
    weight = 0.1
    scale = (1 + 4 * weight) ** -0.25 / 2
    found = limits(lambda t: scale * cover(t), CIRCLE)
    assert float(found.total(weight)) == pytest.approx(2 * math.sqrt(1 + 4 * weight) - 2, rel=1e-10)
    assert float(found.total(weight)) > lowest_energy(CIRCLE, weight).energy


# ---- symmetries, boundaries and wrong input


def test_motions_of_latent_space_and_exchanged_ends_change_nothing():
    rotation = jnp.asarray(np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0])
    phi = lambda x: jnp.stack([x[0] ** 2, x[1] * x[2], x[2]])
    pairs = pairs_of(PairSampler(Sphere(2), Annulus(0.5, 0.1)), 16, jr.key(8))
    plain = jax.vmap(lambda pair: pair_terms(phi, pair))(pairs)
    moved = jax.vmap(lambda pair: pair_terms(lambda x: rotation @ phi(x) + 5, pair))(pairs)
    swapped = jax.vmap(lambda pair: pair_terms(phi, pair._replace(x=pair.y, y=pair.x)))(pairs)
    for other in (moved, swapped):
        np.testing.assert_allclose(plain.distortion, other.distortion, rtol=1e-8)
        np.testing.assert_allclose(plain.bending, other.bending, rtol=1e-8)


def test_pairs_stay_within_a_boundary():
    cap = SphericalCap(2, 0.6)
    pairs = pairs_of(PairSampler(cap, Annulus(0.5, 0.1)), 500, jr.key(9))
    assert jax.vmap(cap.contains)(pairs.y).all()
    assert jax.vmap(cap.contains)(pairs.midpoint).all()


def test_distances_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match=r"unique only below its injectivity radius, 3\.14"):
        PairSampler(Sphere(2), Shell(3.2))
    with pytest.raises(ConfigError, match=r"got inner = 0\.5, outer = 0\.1"):
        Annulus(0.1, 0.5)
    for law in (Ball, Radial, Shell):
        with pytest.raises(ConfigError, match="outer = -1 has to be a positive distance"):
            law(-1)
    with pytest.raises(ConfigError, match="samples=1: an estimate with an error needs at least two"):
        limit_energy(CIRCLE.embed, CIRCLE, samples=1, key=jr.key(0))


# ---- probes


def squeezed(point):
    """A map of the sphere that keeps no lengths."""
    return jnp.array([2.0, 1.0, 0.5]) * point + 0.3 * point[0] * point[1]


@eqx.filter_jit
def probed(phi, manifold, x, probes, key):
    return probed_terms(phi, manifold, x, probes=probes, key=key)


def test_probes_are_unbiased_and_know_their_error():
    sphere, x = Sphere(2), jnp.array([0.6, 0.0, 0.8])
    exact = limits_at(squeezed, sphere, x)
    many = probed(squeezed, sphere, x, 20_000, jr.key(1))
    for found, known in zip(many, exact, strict=True):
        assert abs(found.value - known) < 4 * found.standard_error
        assert found.standard_error < 0.02 * known
    # The error is that of the mean: over repetitions of few probes it is their spread, and it falls with the root.
    few = jax.vmap(lambda key: probed(squeezed, sphere, x, 50, key))(jr.split(jr.key(2), 200))
    spread = float(jnp.std(few.bending.value))
    assert float(jnp.mean(few.bending.standard_error)) == pytest.approx(spread, rel=0.15)
    assert float(many.bending.standard_error) == pytest.approx(spread * math.sqrt(50 / 20_000), rel=0.15)
    # What is the same in all directions has no error; another map has another value.
    same = probed(sphere.embed, sphere, x, 8, jr.key(3))
    np.testing.assert_allclose(same.bending, (1.0, 0.0), atol=1e-12)
    assert abs(many.bending.value - 1) > 10 * many.bending.standard_error


def test_the_energy_by_probes_is_the_energy():
    sphere = Sphere(2)
    of = eqx.filter_jit(lambda probe: limit_energy(squeezed, sphere, samples=20_000, key=jr.key(4), probe=probe))
    exact, by_probes = of(False), of(True)
    for one, other in zip(exact, by_probes, strict=True):
        assert abs(one.value - other.value) < 4 * (one.standard_error + other.standard_error)
        assert other.standard_error > one.standard_error
    with pytest.raises(ConfigError, match="probes=1: an estimate"):
        probed_terms(sphere.embed, sphere, jnp.array([0.0, 0.0, 1.0]), probes=1, key=jr.key(0))
