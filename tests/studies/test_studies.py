"""Studies: contestants, measures, tables, reports; with estimators so small that they mean nothing."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from latax import ProbabilisticPCA
from latax._errors import ConfigError, FileError
from latax.data import Samples
from latax.report.content import Figure, Section
from latax.studies import catalogue, measures, run_study, show_studies
from latax.studies.contest import Contest, hold
from latax.studies.result import StudyResult

QUIET = Console(quiet=True)


def plane(rows: int = 80) -> Samples:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3)) * [2.0, 1.0, 0.1]
    return Samples(X)


def tiny_contest(test: Samples) -> Contest:
    return Contest(
        title="Tiny",
        training=plane(),
        measures={
            "reconstruction": measures.reconstruction(test),
            "MMD": measures.sample_mmd(test),
            "manifold NLL": measures.manifold_nll(test),
            "NLL": measures.ambient_nll(test),
        },
        caption="Tiny.",
    )


LINE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M 0 0 L 1 1"/></svg>'
DOT = b"\x89PNG\r\n\x1a\n"


def tiny_study(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """Two sizes of PCA."""
    models = {f"PCA {n}": ProbabilisticPCA(latent_size=n, seed=seed) for n in (1, 2)}
    results = hold(tiny_contest(plane(40)), models, console, folder)
    table = results.table()
    section = Section("Table", tables=[table], figures=[Figure("Line", LINE, ""), Figure("Dot", DOT, "")])
    return StudyResult("Tiny study", f"With the {budget} budget.", [table], [section])


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(catalogue.STUDIES, "tiny", tiny_study)


def test_a_contest_measures_what_each_model_has(tmp_path):
    test = plane(40)
    models = {f"PCA {n}": ProbabilisticPCA(latent_size=n) for n in (1, 2)}
    results = hold(tiny_contest(test), models, QUIET, tmp_path)
    table = results.table()
    assert [row[0] for row in table.rows] == ["PCA 1", "PCA 2"]
    assert list(table.columns) == ["model", *results.contest.measures, "replicates", "training (s)"]
    one, two = results.values["PCA 1"], results.values["PCA 2"]
    assert one["reconstruction"][0] > two["reconstruction"][0] > 0
    assert one["manifold NLL"] is None  # an ambient model has no density on a manifold
    assert two["NLL"][0] == pytest.approx(-models["PCA 2"].score(test.X), rel=1e-5)
    # The entropy of the Gaussian that the data are from, which no model can beat by more than luck.
    entropy = 1.5 * (1 + math.log(2 * math.pi)) + math.log(2.0 * 1.0 * 0.1)
    assert entropy - 0.5 < two["NLL"][0] < one["NLL"][0]
    assert abs(two["MMD"][0]) < 0.1
    assert all(seconds > 0 for seconds in results.seconds.values())


def test_a_study_leaves_its_tables_and_report(tiny, tmp_path, capsys):
    run_study("tiny", "quick", tmp_path / "study", seed=3)
    assert {path.name for path in (tmp_path / "study").iterdir()} == {
        "config.json", "report.html", "figure-1.svg", "figure-2.png", "table.csv", "table.md",
        "tiny-pca-1", "tiny-pca-2",
    }  # fmt: skip
    config = json.loads((tmp_path / "study" / "config.json").read_text())
    assert (config["study"], config["budget"], config["seed"]) == ("tiny", "quick", 3)
    assert (tmp_path / "study" / "table.csv").read_text().count("\n") == 3
    assert (tmp_path / "study" / "figure-1.svg").read_bytes() == LINE
    assert (tmp_path / "study" / "figure-2.png").read_bytes() == DOT
    page = (tmp_path / "study" / "report.html").read_text()
    assert "Tiny study" in page
    assert "With the quick budget." in page
    assert "PCA 2" in capsys.readouterr().out
    with pytest.raises(FileError, match="is already there and is not empty"):
        run_study("tiny", "quick", tmp_path / "study", seed=4)


def test_a_study_goes_on_where_it_was(tiny, tmp_path, monkeypatch):
    run_study("tiny", "quick", tmp_path / "study", seed=3)
    before = (tmp_path / "study" / "table.csv").read_text()
    (tmp_path / "study" / "table.csv").unlink()
    run_study("tiny", "quick", tmp_path / "study", seed=3)
    # Resumed contestants keep their measures and the seconds they took at first.
    assert (tmp_path / "study" / "table.csv").read_text() == before


def test_studies_without_a_folder_take_free_names(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        run_study("tiny", "quick", None, seed=0)
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"tiny-quick", "tiny-quick-2", "tiny-quick-3"}


def test_unknown_studies_and_budgets_leave_nothing_behind(tiny, tmp_path):
    with pytest.raises(
        ConfigError,
        match=r"there is no study 'tinny'\. Did you mean 'tiny'\? There are demo, .*mflow-polynomial, .*tiny",
    ):
        run_study("tinny", "quick", tmp_path / "study", 0)
    with pytest.raises(ConfigError, match="budget='huge' is not known; give 'quick' or 'full'"):
        run_study("tiny", "huge", tmp_path / "study", 0)
    with pytest.raises(ConfigError, match="seed=-1 must be a whole number"):
        run_study("tiny", "quick", tmp_path / "study", -1)
    assert not (tmp_path / "study").exists()


def test_studies_are_listed(capsys):
    show_studies()
    printed = capsys.readouterr().out
    assert "demo" in printed
    assert "mflow-polynomial" in printed
