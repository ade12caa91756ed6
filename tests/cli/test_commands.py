"""Every command as a user runs it, in a temporary folder."""

import json

import numpy as np
import pandas as pd
import pytest

import latax
from latax.cli import main
from tests.cli.conftest import TINY


def latax_(*args) -> int:
    return main([str(arg) for arg in args])


def test_data_sets_are_listed_and_made(folder, surface, capsys):
    assert latax_("data", "list") == 0
    listed = capsys.readouterr().out
    for name in ("circle", "sphere", "polynomial-surface", "digits"):
        assert name in listed
    assert list(pd.read_csv(surface).columns) == ["x0", "x1", "x2", "theta"]
    for suffix in ("npz", "npy", "parquet"):
        assert latax_("data", "make", "circle", "--size", 20, "--out", folder / f"circle.{suffix}") == 0
        assert "20 samples" in capsys.readouterr().out
    first = np.load(folder / "circle.npy")
    assert first.shape == (20, 2)
    latax_("data", "make", "circle", "--size", 20, "--seed", 1, "--out", folder / "other.npy")
    assert not np.array_equal(np.load(folder / "other.npy"), first)


def test_a_fit_leaves_a_complete_run_folder(run, surface):
    assert {path.name for path in run.iterdir()} == {
        "checkpoints", "config.json", "metrics.jsonl", "model", "report.html",
    }  # fmt: skip
    config = json.loads((run / "config.json").read_text())
    assert config["estimator"] == "mflow"
    assert config["params"]["steps"] == 8
    how = {"array": None, "columns": [], "context": ["theta"], "position": [], "series": None, "time": None}
    assert config["source"] == {"path": str(surface), **how}
    assert config["versions"]["latax"] == latax.__version__
    assert config["data"]["rows"] == 200
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert records[-1]["position"] == 8
    assert any((run / "checkpoints").iterdir())
    assert "<html" in (run / "report.html").read_text()


def test_encode_decode_project_and_score_agree_with_python(run, surface, folder, capsys):
    model, table = latax.load(run), pd.read_csv(surface)
    X, theta = table[["x0", "x1", "x2"]].to_numpy(), table["theta"].to_numpy()
    # The run knows which columns are data and which context.
    assert latax_("encode", run, surface, "--out", folder / "z.csv") == 0
    assert "200 rows, 2 columns" in capsys.readouterr().out
    latent = pd.read_csv(folder / "z.csv")
    assert list(latent.columns) == ["u0", "u1", "theta"]
    np.testing.assert_allclose(latent[["u0", "u1"]], model.transform(X, context=theta), rtol=1e-6)

    # What encode writes, decode reads.
    assert latax_("decode", run, folder / "z.csv", "--out", folder / "x.npy") == 0
    assert latax_("project", run, surface, "--out", folder / "p.csv") == 0
    projected = pd.read_csv(folder / "p.csv")
    assert list(projected.columns) == ["x0", "x1", "x2"]
    np.testing.assert_allclose(projected, model.project(X, context=theta), rtol=1e-6)
    np.testing.assert_allclose(np.load(folder / "x.npy"), projected, rtol=1e-4, atol=1e-4)

    assert latax_("score", run, surface, "--out", folder / "scores.csv") == 0
    scores = pd.read_csv(folder / "scores.csv")
    assert list(scores.columns) == ["log_prob", "log_base", "log_volume", "reconstruction_error", "u0", "u1"]
    np.testing.assert_allclose(scores["log_prob"], model.score_samples(X, context=theta), rtol=1e-6)
    capsys.readouterr()
    assert latax_("score", run, surface) == 0
    printed = capsys.readouterr().out
    assert "200 samples" in printed
    assert "reconstruction error" in printed


def test_samples_are_drawn_under_a_context(run, folder, capsys):
    for name, options in {"a": (), "b": (), "c": ("--seed", 1)}.items():
        out = folder / f"{name}.csv"
        assert latax_("sample", run, "--size", 7, "--context", 0.5, "--out", out, *options) == 0
    a, b, c = (pd.read_csv(folder / f"{name}.csv") for name in "abc")
    assert a.shape == (7, 3)
    assert a.equals(b)
    assert not a.equals(c)
    np.testing.assert_allclose(a, latax.load(run).sample(7, context=[[0.5]]), rtol=1e-6)
    assert latax_("sample", run, "--size", 7, "--out", folder / "d.csv") == 2
    assert "fitted with 1 context column (theta), but none was given. Give the context" in capsys.readouterr().err


def test_a_run_is_judged_and_reported_anew(run, surface, capsys):
    assert latax_("diagnose", run) == 0
    held_out = capsys.readouterr().out
    assert latax_("diagnose", run, surface) == 0
    assert capsys.readouterr().out != held_out
    assert "calibration" in held_out
    before = (run / "report.html").read_text()
    (run / "report.html").unlink()
    assert latax_("report", run) == 0
    assert str(run / "report.html") in capsys.readouterr().out.replace("\n", "")
    assert len((run / "report.html").read_text()) == pytest.approx(len(before), rel=0.01)


def test_the_verdict_of_a_fit_is_shown_again(run, surface, folder, tmp_path, capsys):
    """The whole of it: also the checks that compare with training rows."""
    checks = lambda: [line for line in capsys.readouterr().out.splitlines() if line.startswith("  [")]
    data, out = tmp_path / "data.csv", tmp_path / "run"
    table = pd.read_csv(surface)
    table.to_csv(data, index=False)
    assert latax_("fit", "probabilistic-pca", data, "--out", out) == 0
    shown = checks()
    assert any("log-density gap" in line for line in shown)
    assert latax_("diagnose", out) == 0
    assert checks() == shown

    assert latax_("report", run) == 0
    shown = checks()
    assert latax_("diagnose", run) == 0
    assert checks() == shown
    # Other data are compared with the training rows as well.
    assert latax_("diagnose", run, surface) == 0
    name = lambda line: line.split("] ")[1].split(":")[0]
    assert sorted(map(name, checks())) == sorted(map(name, shown))
    assert any("that of PCA" in line for line in shown)

    table.iloc[::-1].to_csv(data, index=False)
    assert latax_("diagnose", out) == 2
    assert f"{data} is not what {out} was fitted on" in capsys.readouterr().err
    assert latax_("diagnose", out, surface) == 0
    printed = capsys.readouterr()
    assert "The checks that compare with training rows are left out" in printed.err
    assert "log-density gap" not in printed.out


def test_few_held_out_rows_cannot_tell(run, surface, tmp_path, capsys):
    for rows, unknown in ((49, True), (60, False)):
        pd.read_csv(surface).head(rows).to_csv(tmp_path / "few.csv", index=False)
        assert latax_("diagnose", run, tmp_path / "few.csv") == 0
        printed = capsys.readouterr().out
        assert (f"{rows} held-out rows are too few to tell" in printed) == unknown
        assert ("[CANNOT TELL]" in printed) == unknown
    pd.read_csv(surface).head(1).to_csv(tmp_path / "one.csv", index=False)
    assert latax_("diagnose", run, tmp_path / "one.csv") == 0
    assert "[CANNOT TELL] reconstruction error / data scale" in capsys.readouterr().out


def test_resuming_a_finished_run_changes_nothing(run, capsys):
    before = (run / "model" / "model.safetensors").read_bytes(), (run / "metrics.jsonl").read_bytes()
    assert latax_("resume", run, "--no-report") == 0
    assert ((run / "model" / "model.safetensors").read_bytes(), (run / "metrics.jsonl").read_bytes()) == before
    assert "replicate in use" in capsys.readouterr().out


def test_other_models_and_other_columns(pca_run, surface, folder, capsys):
    assert latax.load(pca_run).n_features_in_ == 4
    assert latax_("score", pca_run, surface) == 0
    out = folder / "two"
    assert latax_("fit", "probabilistic-pca", surface, "--columns", "x0", "--columns", "x2",
                  "--latent-size", 1, "--no-report", "--out", out) == 0  # fmt: skip
    assert latax.load(out).feature_names_ == ("x0", "x2")
    assert not (out / "report.html").exists()
    capsys.readouterr()
    assert latax_("score", pca_run, surface, "--off-manifold", "nan") == 2
    assert "A probabilistic-pca has no manifold that a sample could be off" in capsys.readouterr().err


def test_an_array_of_a_file_with_several(folder, capsys):
    X = np.random.default_rng(0).normal(size=(50, 3))
    np.savez(folder / "several.npz", first=X, second=X[:, :2], label=X[:, 0])
    file, out = folder / "several.npz", folder / "several"
    assert latax_("fit", "probabilistic-pca", file, "--out", out) == 2
    assert "holds several arrays" in capsys.readouterr().err
    assert not out.exists()
    assert latax_("fit", "probabilistic-pca", file, "--array", "first", "--no-report", "--out", out) == 0
    assert latax_("encode", out, file, "--out", folder / "several.csv") == 0  # reads the same array
    assert latax_("encode", out, file, "--array", "second", "--out", folder / "second.csv") == 2
    assert "the model was fitted on 3" in capsys.readouterr().err


def test_images_come_back_as_images(folder, capsys):
    digits, out = folder / "digits.npz", folder / "images"
    assert latax_("data", "make", "digits", "--size", 120, "--out", digits) == 0
    fit = ("fit", "probabilistic-pca", digits, "--latent-size", 4, "--no-report", "--out", out)
    status = latax_(*fit)
    if status == 2:  # the set has labels beside its images
        fit = (*fit, "--array", "X")
        status = latax_(*fit)
    assert status == 0
    assert latax.load(out).sample_shape_ == (8, 8)
    assert latax_("sample", out, "--size", 3, "--out", folder / "drawn.npy") == 0
    assert np.load(folder / "drawn.npy").shape == (3, 8, 8)


def test_a_chart_beside_the_data_is_found(folder, monkeypatch, capsys):
    (folder / "my_chart.py").write_text("from latax.density import Sphere\nring = Sphere(1)\n")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    latax_("data", "make", "circle", "--size", 100, "--out", folder / "ring.csv")
    out = folder / "ring"
    assert latax_("fit", "manifold-density", "ring.csv", "--chart", "my_chart:ring", "--out", out, *TINY[2:]) == 0
    assert latax_("encode", out, "ring.csv", "--out", "angles.csv") == 0
    assert len(pd.read_csv("angles.csv")) == 100


def test_a_constant_column_is_warned_of_in_one_line(surface, folder, capsys):
    pd.read_csv(surface).assign(x2=1.0).to_csv(folder / "constant.csv", index=False)
    file, out = folder / "constant.csv", folder / "constant"
    assert latax_("fit", "mflow", file, "--context", "theta", "--no-report", "--out", out, *TINY) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert warned == [
        "latax: warning: 1 of 3 columns are constant (x2). The model learns to repeat them; leave them out if they "
        "mean nothing."
    ]
