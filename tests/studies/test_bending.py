"""The studies of embeddings: measures of models that know the truth, rates, and a contest that means nothing."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from latax import LowBendingAutoencoder
from latax.data import Samples
from latax.data.rendered import RenderedManifold
from latax.geometry import Annulus, FlatTorus, Pair, Shell, SphericalCap, lowest_energy, pair_terms
from latax.studies import bending_gamma, bending_manifolds, embeddings
from latax.studies.classical import PCA, Isomap

LAW = Annulus(0.5, 0.1)


def ring():
    """A circle whose "image" is the point itself, in the unit square."""
    draw = lambda angle: (0.5 + 0.5 * jnp.stack([jnp.cos(angle[0]), jnp.sin(angle[0])]))[None, :, None]
    return RenderedManifold(FlatTorus(2 * math.pi), draw, "ring", (1, 2, 1))


def waves():
    """A circle whose "image" is six numbers, seen through small networks."""

    def draw(angle):
        angles = jnp.arange(1, 4).astype(angle.dtype) * angle[0]
        return (0.5 + 0.5 * jnp.concatenate([jnp.cos(angles), jnp.sin(angles)]))[None, :, None]

    return RenderedManifold(FlatTorus(2 * math.pi), draw, "waves", (1, 6, 1))


class Known:
    """An encoder that winds around `times` times, at some scale, with a decoder for those that wind once."""

    def __init__(self, times, scale=3.0):
        self.times, self.scale = times, scale

    def transform(self, X):
        x = 2 * np.asarray(X, np.float64).reshape(len(X), 2) - 1
        angle = self.times * np.arctan2(x[:, 1], x[:, 0])
        return self.scale * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def inverse_transform(self, Z):
        return 0.5 + 0.5 * Z / np.linalg.norm(Z, axis=1, keepdims=True)


class Round(LowBendingAutoencoder):
    """The same, winding once, as an estimator with a λ."""

    def transform(self, X):
        return Known(1).transform(X)


def test_measures_of_embeddings_that_are_known():
    lowest = lowest_energy(FlatTorus(2 * math.pi), 0.1, law=LAW)
    found = embeddings.measures(ring(), LAW, 0.1, lowest.energy)
    once, twice = Known(1), Known(2)
    assert found["energy / lowest"](once) == pytest.approx(1, abs=1e-3)
    assert found["bending"](once) == pytest.approx(lowest.bending, rel=1e-3)
    assert found["distortion"](once) == pytest.approx(lowest.distortion, rel=1e-2)
    assert found["far pairs"](once) == pytest.approx(2 * lowest.scale / math.pi, rel=0.01)
    assert found["dimension (99 %)"](once) == 2
    # At any λ the circle has the lowest energy there is.
    own = found["energy / lowest at its own λ"]
    assert own(once) is None
    assert own(Round(manifold=ring(), bending_weight=1.0)) == pytest.approx(1, abs=1e-3)
    assert found["rebuilt"](once) == pytest.approx(0, abs=1e-5)
    # Wound around twice: the second local minimum of the theory, for pairs of these distances about that.
    assert found["energy / lowest"](twice) == pytest.approx((2 * math.sqrt(1.4) - 2) / lowest.energy, rel=0.05)
    assert found["far pairs"](twice) < 0.05


def test_pca_takes_no_more_directions_than_there_are():
    data = ring().samples(300, 0)
    model = PCA(2).fit_samples(data)
    wide = np.concatenate([data.X, np.float32(2) * data.X], axis=1)
    assert PCA(4).fit_samples(Samples(wide)).transform(wide).shape == (300, 2)
    np.testing.assert_allclose(model.inverse_transform(model.transform(data.X)), data.X, atol=1e-6)
    assert embeddings.measures(ring(), LAW, 0.1, None)["rebuilt"](model) == pytest.approx(0, abs=1e-5)


def test_isomap_of_a_ring():
    data = ring().samples(300, 0)
    model = Isomap(2).fit_samples(data)
    found = embeddings.measures(ring(), LAW, 0.1, None)
    assert "energy / lowest" not in found
    assert found["energy"](model) < 0.2
    assert found["rebuilt"](model) < 0.1
    assert embeddings.Between(ring()).geodesics(model) is None


def test_the_energy_is_that_of_the_best_multiple_by_the_quotients_of_the_library():
    images = embeddings.draw(ring(), LAW, count=64)
    found = embeddings.energies(Known(1, 7.0), images, 0.1)
    with jax.enable_x64(True):
        x, y, m = (jnp.asarray(found.scale * Known(1, 7.0).transform(part)) for part in images.near)
        pairs = Pair(x, y, m, jnp.asarray(images.distance, jnp.float64))
        terms = jax.jit(jax.vmap(lambda pair: pair_terms(lambda z: z, pair)))(pairs)
    assert found.distortion == pytest.approx(np.mean(np.asarray(terms.distortion)), rel=1e-9)
    assert found.bending == pytest.approx(np.mean(np.asarray(terms.bending)), rel=1e-9)
    assert found.energy == pytest.approx(found.distortion + 0.1 * found.bending, rel=1e-9)
    assert found.scale * 7.0 == pytest.approx(lowest_energy(FlatTorus(2 * math.pi), 0.1, law=LAW).scale, rel=1e-3)


def test_images_halfway_by_distance():
    between = embeddings.Between(ring())
    assert between.shares == embeddings.SHARES
    # The middle of a chord points to the middle of the arc: without an error here, whatever the distance.
    for line in between.lines().values():
        assert line(Known(1)) == pytest.approx(0, abs=1e-4)
    # The mean of two points at distance d misses the middle of the arc by the share 1 - cos(d / 2) of the radius.
    averaged = between.averaged()
    for share, error in averaged.items():
        assert error == pytest.approx(1 - math.cos(share * math.pi / 2), rel=0.02)
    linear = PCA(1).fit_samples(ring().samples(100, 0))
    assert between.geodesics(linear) == between.few_lines(linear)


def test_images_halfway_are_of_a_region_with_a_boundary():
    """Distances are shares of the greatest one in it, 1.2, and not of the sphere's."""
    render = lambda x: (0.5 + 0.5 * x)[None, :, None]
    cap = RenderedManifold(SphericalCap(2, 0.6), render, "cap", (1, 3, 1))
    between = embeddings.Between(cap)
    assert between.shares == embeddings.SHARES
    for share, (start, middle, end) in between._drawn.items():
        assert min(part[:, 2].min() for part in (start, middle, end)) > 0.5 + 0.5 * math.cos(0.6) - 1e-5
        chord = np.linalg.norm(2 * (end - start), axis=1)
        np.testing.assert_allclose(2 * np.arcsin(chord / 2), 1.2 * share, rtol=1e-3)


def test_the_lowest_over_a_family_of_maps_converges_as_the_square_of_the_distance(monkeypatch):
    monkeypatch.setattr(bending_gamma, "LAWS", {"annulus": bending_gamma.LAWS["annulus"], "shell": Shell})
    monkeypatch.setattr(bending_gamma, "DISTANCES", (0.5, 0.25))
    monkeypatch.setattr(bending_gamma, "STARTS", 3)
    annulus, shell = bending_gamma._family(0).rows
    for row in (annulus, shell):
        assert row[3] == pytest.approx(2, abs=0.1)
        assert row[4] < 1e-8  # nothing is lower than the best multiple of the classical embedding
    assert shell[1] == pytest.approx(0.098620 - 0.097618, abs=2e-6)


def test_best_multiples_converge_as_the_square_of_the_distance():
    table = bending_gamma._classical("circle", bending_gamma.MANIFOLDS["circle"])
    assert [row[0] for row in table.rows] == list(bending_gamma.LAWS)
    for row in table.rows:
        assert row[-1] == pytest.approx(2, abs=0.05)
    shell = table.rows[-1]
    # λ / √(1 + λ) ε² / 24 for one distance ε.
    assert shell[4] == pytest.approx(0.1 / math.sqrt(1.1) * 0.1**2 / 24, rel=0.02)


def test_terms_have_their_rates():
    rates = {row[0]: row[-1] for row in bending_gamma._terms_of_classical().rows}
    for name in ("circle", "sphere", "rotations"):
        assert rates[f"{name}: distortion"] == pytest.approx(4, abs=0.01)
        assert rates[f"{name}: 1 - bending"] == pytest.approx(2, abs=0.01)
    assert bending_gamma._curves(bending_gamma._classical("circle", bending_gamma.MANIFOLDS["circle"])).image


def test_rates_in_the_number_of_pairs_are_draws_of_their_own(monkeypatch):
    monkeypatch.setattr(bending_gamma, "COUNTS", (10, 100))
    monkeypatch.setattr(bending_gamma, "LAWS", {"annulus": bending_gamma.LAWS["annulus"], "shell": Shell})
    rows = bending_gamma._counted(16, 0).rows
    rates = [row[-1] for row in rows]
    assert len({rate.estimate for rate in rates}) == len(rates)
    assert all(rate.low < 0.5 < rate.high for rate in rates)
    # 1.96 / √(2 · 15 · ½ log² 10)
    assert rates[0].high - rates[0].estimate == pytest.approx(1.96 / math.sqrt(15) / math.log(10), rel=1e-9)


def test_few_pairs_fit_themselves(monkeypatch):
    """No map is below the lowest over all pairs, and none above it over those that it is the lowest for."""
    monkeypatch.setattr(bending_gamma, "SAMPLED", (300, 3_000))
    monkeypatch.setattr(bending_gamma, "POINTS", (60, 240))
    monkeypatch.setattr(bending_gamma, "LAWS", {"annulus": bending_gamma.LAWS["annulus"]})
    above, below = bending_gamma._sampled(3, 0)
    for table in (above, below):
        assert [row[0] for row in table.rows] == ["annulus", bending_gamma.ALL_PAIRS]
        for _, few, many, rate in table.rows:
            assert 0 < many < few / 2
            # 1 / √N would be ½, and 1 / N² two.
            assert 0.6 < rate.estimate < 1.8


def test_precision_has_a_window():
    table = bending_gamma._rounded(0)
    single, double = table.rows
    assert double[-1] == pytest.approx(1, abs=1e-3)
    assert single[2] == pytest.approx(1, abs=1e-2)
    assert abs(single[-1] - 1) > 1


def test_a_contest_ends_in_tables(tmp_path, monkeypatch):
    effort = bending_manifolds.Effort(steps=4, replicates=2)
    tiny = bending_manifolds.Budget(manifolds={"circle": effort}, rows=160, latent_size=3)
    monkeypatch.setitem(bending_manifolds.BUDGETS, "quick", tiny)
    monkeypatch.setitem(bending_manifolds.MANIFOLDS, "circle", waves)
    # Shortest paths take seconds each; the verb has its own tests.
    monkeypatch.setattr(embeddings.Between, "_geodesic", lambda self, share, model: self._line(share, 4, model) / 2)
    result = bending_manifolds.bending_manifolds("quick", 0, Console(quiet=True), tmp_path)
    shape, halfway, gained, paths = ([dict(zip(t.columns, row, strict=True)) for row in t.rows] for t in result.tables)
    names = ["low bending", "autoencoder", "PCA", "Isomap"]
    assert [row["model"] for row in shape] == [*names, "the lowest energy of all maps"]
    assert shape[-1]["energy / lowest"] == 1
    for row in shape[:-1]:
        assert row["energy / lowest"].estimate > 0.99
    own = [row["energy / lowest at its own λ"] for row in shape[:2]]
    assert own[0].estimate == pytest.approx(shape[0]["energy / lowest"].estimate)
    assert own[1] is None
    assert [row["model"] for row in halfway] == [*names, "the mean of the two images"]
    shares = ["10%", "30%", "50%", "70%", "90%"]
    assert all(row[share].estimate > 0 for row in halfway[:-1] for share in shares)
    assert [row["the other"] for row in gained] == names[1:]
    ours, pca = halfway[0]["50%"], halfway[2]["50%"]
    assert gained[1]["50%"].estimate == pytest.approx(ours.estimate - pca.estimate)
    assert gained[1]["50%"].low < gained[1]["50%"].estimate
    assert paths[0]["geodesic, 10%"] == pytest.approx(paths[0]["line, 10%"] / 2)
    assert paths[2]["geodesic, 10%"] == paths[2]["line, 10%"]
    assert paths[3]["geodesic, 10%"] is None
    assert [figure.title for figure in result.sections[0].figures][1:] == [
        "Straight lines, by distance",
        "Distortion against bending",
    ]
