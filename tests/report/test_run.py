"""The report of a run, for every kind of model and of data: one file with everything in it."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from latax import AmbientFlow, ManifoldDensity, MFlow, ProbabilisticPCA
from latax.data import Samples
from latax.report.run import metrics_table, report_run

TINY = {"width_size": 4, "blocks": 1, "bins": 2, "steps": 6, "batch_size": 16, "progress": False}
FLOW = {**TINY, "layers": 1, "latent_layers": 1}
ROWS = 60


def table(size: int) -> Samples:
    rng = np.random.default_rng(size)
    return Samples(rng.normal(size=(ROWS, size)) * np.arange(1, size + 1), origin="a table")


def images() -> Samples:
    X = np.random.default_rng(0).uniform(size=(ROWS, 16))
    return Samples(X, sample_shape=(4, 4), origin="a folder of images")


def ring() -> Samples:
    angle = np.random.default_rng(1).normal(1, 0.5, size=ROWS)
    return Samples(np.stack([np.cos(angle), np.sin(angle)], axis=1), origin="a ring")


def conditional() -> Samples:
    rng = np.random.default_rng(2)
    return Samples(rng.normal(size=(ROWS, 3)), rng.uniform(size=(ROWS, 1)), origin="a conditional table")


# Latent sizes 1 (a plane of latent space cannot be shown), 2 (it is the picture) and 3 (pairs are shown).
CASES = {
    "circle": (ManifoldDensity(chart="circle", latent_layers=1, **TINY), ring(), 7),
    "two, with context and replicates": (MFlow(latent_size=2, replicates=2, **FLOW), conditional(), 7),
    "images with three": (MFlow(latent_size=3, **FLOW), images(), 7),
    "ambient flow": (AmbientFlow(layers=1, **TINY), table(2), 3),
    "probabilistic PCA": (ProbabilisticPCA(latent_size=2), table(4), 2),
}


@pytest.mark.parametrize("name", CASES)
def test_a_report_holds_all_there_is_to_see(name, tmp_path):
    estimator, samples, pictures = CASES[name]
    model = estimator.fit_samples(samples)
    found = report_run(tmp_path / "report.html", model, samples)
    page = (tmp_path / "report.html").read_text()
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]
    assert len(page) < 3 * 2**20
    assert_loads_nothing(page)
    text = re.sub(r"\s+", " ", page)
    assert f"{type(model).__name__} of {samples.origin}" in text
    one = getattr(model, "latent_size", 1) == 1 and found.spectrum is not None
    checks = {finding.name for finding in found.diagnosis.findings}
    assert not (one and checks & {"condition of the decoder's Jacobian", "unused latent directions"})
    assert ("Directions far below" in text) == (found.spectrum is not None and not one)
    assert found.diagnosis.summary() in text.replace("&#39;", "'")
    assert f"{ROWS} (6 held out)" in text
    for metric in model.metrics_:
        assert metric.replace("_", " ") in text
    assert page.count("<figure") >= pictures


def test_the_title_names_the_file_without_its_folders(tmp_path):
    data = dataclasses.replace(table(3), origin="/home/me/my data/helix.csv (CSV, rows a/b left out)")
    report_run(tmp_path / "report.html", ProbabilisticPCA(latent_size=1).fit_samples(data), data)
    page = (tmp_path / "report.html").read_text()
    assert "<h1>ProbabilisticPCA of helix.csv (CSV, rows a/b left out)</h1>" in page
    assert data.origin in page


def assert_loads_nothing(page: str) -> None:
    assert "<script" not in page
    assert "<link" not in page
    assert "@import" not in page
    sources = re.findall(r'(?:src|xlink:href|data|srcset)="([^"]*)"', page) + re.findall(r"url\(([^)]*)\)", page)
    foreign = [source for source in sources if not source.startswith(("data:", "#", "'#", '"#'))]
    assert foreign == []


def test_the_check_for_foreign_sources_finds_one():
    with pytest.raises(AssertionError):
        assert_loads_nothing('<img src="https://example.org/picture.png">')


def test_replicates_have_an_interval_and_a_single_run_says_that_it_has_none():
    model = ProbabilisticPCA(latent_size=1).fit(table(3).X)
    assert "A single run has no interval" in metrics_table(model).caption
    model.metrics_ = {"nll": np.array([1.0, 2.0, 3.0])}
    row = metrics_table(model).rows[0]
    assert row[2] is not None
    assert row[3] == 3


def test_lazy_data_are_thinned_before_they_are_read(tmp_path: Path):
    from latax.data import LazyRows
    from latax.estimators.assessment import MOST_ROWS

    X = np.random.default_rng(0).normal(size=(4 * MOST_ROWS, 3))
    read = []

    def rows(index):
        read.append(index.stop - index.start if isinstance(index, slice) else len(index))
        return X[index]

    lazy = Samples(LazyRows(rows, X.shape, X.dtype, "a file"))
    model = ProbabilisticPCA(latent_size=1).fit_samples(Samples(X))
    report_run(tmp_path / "report.html", model, lazy)
    assert sum(read) <= 2.5 * len(X)  # stretches of the file that hold the chosen rows
