"""Columns that tell where samples are."""

import json

import numpy as np
import pandas as pd
import pytest

import latax
from latax._errors import ConfigError
from latax.cli import main
from latax.cli.reading import Reading

OPTIONS = ["--manifold", "circle", "--latent-size", "3", "--width-size", "6", "--steps", "8", "--batch-size", "8"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 128)
    path = tmp_path_factory.mktemp("positions") / "table.csv"
    pd.DataFrame({"a": np.cos(angle), "angle": angle, "b": np.sin(angle), "t": angle**2}).to_csv(path, index=False)
    return path


def test_positions_are_no_data(table, tmp_path):
    samples = Reading(position=("angle", "t"), context=("b",))(table)
    frame = pd.read_csv(table)
    assert samples.feature_names == ("a",)
    assert samples.context_names == ("b",)
    np.testing.assert_allclose(samples.context, frame[["b"]])
    np.testing.assert_allclose(samples.truth["position"], frame[["angle", "t"]])
    assert Reading(position=("angle",))(table).context is None
    turns = np.random.default_rng(1).normal(size=(128, 9))
    np.savez(tmp_path / "some.npz", x=frame[["a", "b"]].to_numpy(), turn=turns)
    samples = Reading(array="x", position=("turn",))(tmp_path / "some.npz")
    assert samples.context is None
    np.testing.assert_array_equal(samples.truth["position"], turns)
    with pytest.raises(ConfigError, match="no column 'angel'"):
        Reading(position=("angel",))(table)
    with pytest.raises(ConfigError, match="Sequences have no positions"):
        Reading(position=("angle",), series="a", time="t")(table)


def test_a_table_with_positions_is_fitted(table, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["fit", "low-bending", str(table), "--position", "angle", "--out", str(run), *OPTIONS, "--no-progress"]
    assert main(words) == 0
    assert latax.load(run).feature_names_ == ("a", "b", "t")
    assert json.loads((run / "config.json").read_text())["source"]["position"] == ["angle"]
    assert (run / "report.html").exists()
    assert main(["diagnose", str(run)]) == 0
    # New samples can be encoded without positions, but not judged.
    bare = tmp_path / "bare.csv"
    pd.read_csv(table).drop(columns="angle").to_csv(bare, index=False)
    for file in (table, bare):
        assert main(["encode", str(run), str(file), "--out", str(tmp_path / f"z-{file.stem}.csv")]) == 0
    assert pd.read_csv(tmp_path / "z-table.csv").equals(pd.read_csv(tmp_path / "z-bare.csv"))
    capsys.readouterr()
    assert main(["diagnose", str(run), str(bare)]) == 2
    assert "no column 'angle'" in capsys.readouterr().err
