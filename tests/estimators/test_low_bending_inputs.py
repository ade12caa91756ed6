"""The ways to say what is near: a renderer, positions, pairs. Fits are tiny; the tests are about the protocol."""

import functools
import unittest.mock

import jax.numpy as jnp
import numpy as np
import pytest

import latax
from latax import LowBendingAutoencoder
from latax._errors import ConfigError, DataError, DataWarning, DivergenceError
from latax.data import Pairs, Samples, from_triples
from latax.data.metric_pairs import from_metric_space
from latax.data.rendered import RenderedManifold
from latax.geometry import Euclidean, FlatTorus, MetricSpace, Product, Sphere, SphericalCap

TINY = {"latent_size": 3, "width_size": 6, "steps": 8, "batch_size": 8, "progress": False}
ROWS = 128


def curve(angle: np.ndarray) -> np.ndarray:
    """A closed curve in R⁴."""
    return np.stack([np.cos(angle), np.sin(angle), 0.3 * np.cos(2 * angle), 0.3 * np.sin(2 * angle)], axis=-1)


def positioned() -> Samples:
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, ROWS)
    return Samples(curve(angle), truth={"position": angle})


def paired(n: int = ROWS, halves: tuple[int, ...] = (2, 3)) -> Samples:
    """Frames of a steady motion; a pair is twice `half` frames apart."""
    x, step = curve(2 * np.pi * np.arange(n) / n), 2 * np.pi / n
    frames = lambda places: np.concatenate([np.roll(x, -place, axis=0) for place in places])
    distances = np.repeat([2 * half * step for half in halves], n)
    return from_triples(frames([0] * len(halves)), frames([2 * half for half in halves]), frames(halves), distances)


def draw(point):
    return jnp.reshape(0.5 + 0.3 * jnp.stack([jnp.cos(point[0]), jnp.sin(point[0])]), (1, 2, 1))


RING = RenderedManifold(FlatTorus(2 * np.pi), draw, "ring", (1, 2, 1))

CASES = {
    "circle": positioned,
    "pairs": paired,
    "rendered": lambda: RING.samples(ROWS),
}
every = pytest.mark.parametrize("name", CASES)


def make(name: str, **changed) -> LowBendingAutoencoder:
    return LowBendingAutoencoder(**{"manifold": RING if name == "rendered" else name, **TINY, **changed})


@functools.cache
def fitted(name: str) -> LowBendingAutoencoder:
    return make(name).fit(CASES[name]())


@every
def test_a_fit_encodes_decodes_and_is_judged(name):
    model, samples = fitted(name), CASES[name]()
    assert model.transform(samples).shape == (len(samples), 3)
    assert model.project(samples).shape == (len(samples), *samples.sample_shape)
    assert set(model.metrics_) == {"energy", "distortion", "bending", "reconstruction_error"}
    assert all(np.isfinite(values).all() for values in model.metrics_.values())
    assert not vars(model).keys() & {"_near", "_training"}  # as large as the data
    training, held_out = (samples.take(rows) for rows in model.rows(len(samples)))
    found = model.assess(held_out, training)
    assert np.isfinite(found.energy)
    assert found.dimension in (1, 2, 3)
    assert (found.lowest is None) == (name == "pairs")
    assert (found.rendered is None) == (name != "rendered")
    assert (found.interpolation is None) == (name == "circle")
    assert "far points drawn together" in str(model.diagnose(samples))


@every
def test_a_saved_model_knows_its_length(name, tmp_path):
    model, samples = fitted(name), CASES[name]()
    changed = {"manifold": RING} if name == "rendered" else {}
    again = latax.load(model.save(tmp_path / name), **changed)
    np.testing.assert_array_equal(again.transform(samples), model.transform(samples))
    assert again.length_ == model.length_
    assert again.length_ == pytest.approx(1.0, rel=0.05)
    assert again.assess(samples).energy == pytest.approx(model.assess(samples).energy)


def test_interpolation_is_held_against_the_samples_halfway():
    found = fitted("pairs").assess(paired()).interpolation
    d = np.array([4, 6]) * 2 * np.pi / ROWS
    np.testing.assert_allclose(found.distance[[0, -1]], d, rtol=1e-6)
    assert np.isfinite(found.decoded).all()
    assert len(found.decoded) == 6
    # The mean of two points misses the one between them on both circles of the curve.
    error = np.sqrt(((1 - np.cos(d / 2)) ** 2 + 0.09 * (1 - np.cos(d)) ** 2) / 4)
    np.testing.assert_allclose(found.averaged[[0, -1]], error, rtol=1e-2)


# ---- what does not go together


def test_samples_without_what_is_needed():
    X = positioned().X
    with pytest.raises(DataError, match=r"have no positions\. Give those on FlatTorus.*--position COLUMN"):
        make("circle").fit(X)
    with pytest.raises(
        DataError, match=r"manifold='pairs' learns from pairs, and these samples have none.*from_triples"
    ):
        make("pairs").fit(X)
    with pytest.raises(DataError, match=r"come with pairs, and 'ring' renders its own\. Give manifold='pairs'"):
        make("rendered").fit(paired())
    with pytest.raises(
        DataError,
        match=r"'ring' renders images.*a table.*read\(path, position='angle'\).*'pairs'",
    ):
        make("rendered").fit(X)
    with pytest.raises(ConfigError, match=r"no manifold 'cirle'\. Did you mean 'circle'\? .*pairs"):
        make("cirle").fit(X)


ANGLES = np.stack([np.zeros(ROWS), np.linspace(0, 360, ROWS)], axis=1)


@pytest.mark.parametrize(
    ("manifold", "position", "message"),
    [
        ("sphere", np.zeros((ROWS, 2)), r"float64 \(128, 2\); a point of Sphere.* \(128, 3\) were expected"),
        ("sphere", np.ones((ROWS, 3)), r"128 positions of 128 are not of length 1, the first is that of sample 0"),
        ("rotations", np.ones((ROWS, 9)), r"128 positions of 128 are no rotation matrices"),
        ("line", np.append(np.arange(ROWS - 1.0), np.nan), r"1 position of 128 is not finite, .* of sample 127"),
        (SphericalCap(2, 0.6), np.tile([0.0, 0.0, -1.0], (ROWS, 1)), r"128 positions of 128 are outside of SphericalC"),
        (Product([FlatTorus(2 * np.pi), Sphere(2)]), np.ones((ROWS, 4)), r"128 positions of 128 are not of length 1"),
        (Product([Euclidean(1), FlatTorus(6.28)]), ANGLES, r"go round 57 times: FlatTorus.*periods of 6\.28"),
    ],
)
def test_positions_that_are_none(manifold, position, message):
    with pytest.raises(DataError, match=message):
        make("circle", manifold=manifold).fit(Samples(positioned().X, truth={"position": position}))


def test_degrees_are_refused_where_radians_are_expected():
    degrees = np.random.default_rng(0).uniform(0, 360, ROWS)
    samples = Samples(curve(np.deg2rad(degrees)), truth={"position": degrees})
    message = r"go round 57 times.*periods of 6\.283.*deg2rad.*manifold='circle-degrees'.*position % period"
    with pytest.raises(DataError, match=message):
        make("circle").fit(samples)
    assert make("circle-degrees", steps=3).fit(samples).length_ == pytest.approx(180 / np.pi)


def halfway(x, y):
    return x + (jnp.mod(y - x + jnp.pi, 2 * jnp.pi) - jnp.pi) / 2


OWN = MetricSpace(
    lambda x, y: 2 * jnp.abs(halfway(x, y) - x)[0], halfway, point_shape=1, injectivity_radius=float(np.pi)
)


@pytest.mark.parametrize(
    ("manifold", "message"),
    [
        (OWN, r"manifold is a MetricSpace.*from_metric_space\(space, points, draw, farthest=.*manifold='pairs'"),
        (halfway, r"manifold=<function halfway.*neither a name, a RenderedManifold nor a manifold.*from_triples"),
    ],
)
def test_what_is_no_manifold_is_refused(manifold, message):
    model = make("circle")
    model.manifold = manifold  # the run-time type checks of these tests refuse it in the constructor
    with pytest.raises(ConfigError, match=message):
        model.fit(positioned())


def test_a_metric_space_of_ones_own_gives_pairs():
    points = np.random.default_rng(0).uniform(0, 2 * np.pi, (ROWS, 1))
    samples = from_metric_space(OWN, points, lambda p: curve(p[:, 0]), farthest=0.5)
    model = make("pairs", steps=3, decoder=False).fit(samples)
    assert model.length_ == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        (
            "rendered",
            {"distances": "ball", "farthest": 1e-3},
            r"farthest=0\.001 is below 0\.01 of the manifold's length",
        ),
        ("rendered", {"distances": "shell", "farthest": 1e-3}, r"farthest=0\.001 is below 0\.01"),
        ("circle", {"nearest": 1e-3}, r"nearest=0\.001 is below 0\.01.*nearest=0\.1 and farthest=0\.5 are good"),
        ("circle", {"farthest": 0.05}, r"expected 0 < inner < outer, got inner = 0\.1, outer = 0\.05"),
        ("circle", {"farthest": 4.0}, r"unique only below its injectivity radius, 3\.14"),
    ],
)
def test_distances_that_cannot_be(name, changed, message):
    with pytest.raises(ConfigError, match=message):
        make(name, **changed).fit(CASES[name]())


@pytest.mark.parametrize("law", ["ball", "radial"])
def test_laws_that_come_near_zero_end_at_what_single_precision_allows(law):
    drawn = make("rendered", distances=law)._law(RING.manifold).quantile(jnp.linspace(0, 1, 11), 1)
    assert float(drawn.min()) == pytest.approx(0.01)
    assert float(drawn.max()) == pytest.approx(0.5)


def test_without_a_bending_weight_no_energy_is_the_lowest():
    for name in ("circle", "rendered"):
        model = make(name, bending_weight=0.0, steps=3).fit(CASES[name]())
        assert "lowest possible" not in str(model.diagnose(CASES[name]()))


def test_few_held_out_samples_have_many_far_pairs():
    for name in ("circle", "pairs"):
        assert len(fitted(name).assess(CASES[name]()).looked.far_distance) >= 4096


def test_pairs_in_several_parts_need_another_start():
    apart = paired(halves=(2,))  # steps of two frames never leave the even frames
    with pytest.raises(DataError, match=r"fall into 2 parts that nothing joins, of 64, 64 samples.*or start='none'"):
        make("pairs").fit(apart)
    assert make("pairs", start="none", steps=3, decoder=False).fit(apart).transform(apart).shape == (128, 3)


def test_pairs_that_are_too_near_are_left_out():
    x = np.append(np.linspace(0, 1, 65), [2, 2 + 1e-5, 2 + 2e-5])[:, None] * np.ones(3)
    first = np.append(np.arange(63), 65)
    near = from_triples(x[first], x[first + 2], x[first + 1], np.append(np.full(63, 1.0), 6.4e-4))
    with pytest.warns(DataWarning, match=r"1 of 64 pairs are left out: nearer than 0\.\d+, 0\.01 of the manifold's"):
        model = make("pairs", steps=3, decoder=False, start="none").fit(near)
    # They are not judged by, either: their second differences would be most of the energy.
    judged = model._nearness(near, None)
    assert judged.pairs.distance.min() == 1.0
    assert len(judged.pairs) == 63


def test_equal_samples_at_different_places_are_refused():
    """No map can tell them apart, and an energy with them is all about them."""
    angle = np.linspace(0, 2 * np.pi, ROWS, endpoint=False)
    x = curve(angle)
    x[40] = x[37]
    message = r"1 sample of 128 are equal to others.*samples 37 and 40 hold the same numbers at positions 0\.147 apart"
    with pytest.raises(DataError, match=message):
        make("circle").fit(Samples(x, truth={"position": angle}))
    # Next to one another they do no harm.
    beside = np.array(angle)
    beside[40] = angle[37] + 0.01
    make("circle", steps=3, decoder=False).fit(Samples(x, truth={"position": beside}))
    frames, i = curve(angle), np.arange(ROWS - 2)
    frames[7] = frames[6]
    pairs = Pairs(i, i + 2, i + 1, np.full(len(i), 4 * np.pi / ROWS))
    with pytest.raises(DataError, match=r"2 pairs of 126 have equal samples.*the first is pair 5 \(rows 5, 7, 6"):
        make("pairs").fit(Samples(frames, pairs=pairs))


def test_lengths_of_unbounded_manifolds_are_those_of_the_data():
    time = np.sort(np.random.default_rng(0).uniform(1.7e9, 1.7e9 + 314.159, ROWS))
    samples = Samples(curve(time / 100), truth={"position": time[:, None]})
    model = make("line", steps=3).fit(samples)
    assert model.length_ == pytest.approx(100, rel=0.05)
    band = Product([FlatTorus(2 * np.pi), Euclidean(1)])
    model = make("line", manifold=band)
    assert model._manifold is band
    with pytest.raises(ConfigError, match=r"given as an object.*latax\.load\(path, manifold"):
        make(repr(band)).fit(samples)


def test_a_diverged_run_names_no_rows_where_weights_are_chosen_by_pairs(monkeypatch):
    error = DivergenceError("It diverged.", rows=[500], validation=True)
    monkeypatch.setattr("latax.train.fit", unittest.mock.Mock(side_effect=error))
    time = np.linspace(0, 1, ROWS)
    samples = Samples(curve(time), truth={"position": time[:, None]})
    with pytest.raises(DivergenceError) as caught:
        make("line", steps=3).fit(samples)
    assert caught.value is error
