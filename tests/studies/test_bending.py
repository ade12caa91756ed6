"""The studies of embeddings: measures of models that know the truth, rates, and a contest that means nothing."""

import math

import numpy as np
import pytest
from rich.console import Console

from latax.data.rendered import RenderedManifold
from latax.geometry import Annulus, FlatTorus, lowest_energy
from latax.studies import bending_gamma, bending_manifolds, embeddings
from latax.studies.isomap import Isomap

LAW = Annulus(0.5, 0.1)


def ring():
    """A circle whose "image" is the point itself, in the unit square."""
    import jax.numpy as jnp

    draw = lambda angle: (0.5 + 0.5 * jnp.stack([jnp.cos(angle[0]), jnp.sin(angle[0])]))[None, :, None]
    return RenderedManifold(FlatTorus(2 * math.pi), draw, "ring", (1, 2, 1))


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


def test_measures_of_embeddings_that_are_known():
    lowest = lowest_energy(FlatTorus(2 * math.pi), 0.1, law=LAW)
    found = embeddings.measures(ring(), LAW, 0.1, lowest.energy, embeddings.Lines(ring()))
    once, twice = Known(1), Known(2)
    assert found["energy / lowest"](once) == pytest.approx(1, abs=1e-3)
    assert found["bending"](once) == pytest.approx(lowest.bending, rel=1e-3)
    assert found["distortion"](once) == pytest.approx(lowest.distortion, rel=1e-2)
    assert found["far pairs"](once) == pytest.approx(2 * lowest.scale / math.pi, rel=0.01)
    assert found["dimension (99 %)"](once) == 2
    assert found["halfway, near pairs"](once) == pytest.approx(0, abs=1e-5)
    assert found["rebuilt"](once) == pytest.approx(0, abs=1e-5)
    # Wound around twice: the second local minimum of the theory, for pairs of these distances about that.
    assert found["energy / lowest"](twice) == pytest.approx((2 * math.sqrt(1.4) - 2) / lowest.energy, rel=0.05)
    assert found["far pairs"](twice) < 0.05


def test_isomap_of_a_ring():
    data = ring().samples(300, 0)
    model = Isomap(2).fit_samples(data)
    found = embeddings.measures(ring(), LAW, 0.1, None, embeddings.Lines(ring()))
    assert "energy / lowest" not in found
    assert found["energy"](model) < 0.2
    assert found["rebuilt"](model) < 0.1


def test_minima_converge_as_the_square_of_the_distance():
    table = bending_gamma._minima("circle", bending_gamma.MANIFOLDS["circle"])
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
    assert bending_gamma._curves(bending_gamma._minima("circle", bending_gamma.MANIFOLDS["circle"])).image


def test_precision_has_a_window():
    table = bending_gamma._rounded(0)
    single, double = table.rows
    assert double[-1] == pytest.approx(1, abs=1e-3)
    assert single[2] == pytest.approx(1, abs=1e-2)
    assert abs(single[-1] - 1) > 1


def test_a_contest_ends_in_tables(tmp_path, monkeypatch):
    tiny = bending_manifolds.Budget(manifolds=("circle",), weights=(), steps=4, replicates=1, rows=160, latent_size=3)
    monkeypatch.setitem(bending_manifolds.BUDGETS, "quick", tiny)
    result = bending_manifolds.bending_manifolds("quick", 0, Console(quiet=True), tmp_path)
    (table,) = result.tables
    found = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert found["the lowest energy of all maps"]["energy / lowest"] == 1
    for name in ("low bending", "low bending, no start from far pairs", "autoencoder", "PCA", "Isomap"):
        assert found[name]["energy / lowest"].estimate > 0.99
        assert found[name]["halfway, near pairs"].estimate > 0
