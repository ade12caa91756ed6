"""Sequences of named subjects with a physics of one's own, on the command line; one tiny fit serves all."""

import shutil

import numpy as np
import pandas as pd
import pytest

import latax
from latax.cli import main
from latax.data import read
from latax.data.series import fold
from tests.estimators.test_physics_vae import TIMES, springs
from tests.test_documentation import user_files

ROWS = 40
TINY = ["--width-size=4", "--steps=6", "--batch-size=16", "--no-progress", "--no-report", "--inside-size=None"]
TINY += [f"--{weight}=0" for weight in ("effort", "cleansing", "augmentation", "simulation")]
NAMES = [f"subject {chr(97 + i % 26)}{i}" for i in range(ROWS)]

OWN = """
from latax.physics import ODE, Parameter

def move(t, y, p):
    return y.velocity, -p.stiffness * y.position

known = [Parameter("stiffness", 1.0, 9.0, unit="1/s²")]
spring = ODE(move, known, ["position", "velocity"], observed=["position"], corrected=["velocity"])
"""

FORMULA = """
import numpy as np
from latax.physics import ClosedForm, Parameter

def decay(t, p):
    return 2.0 ** (-p.rate * t)

spring = ClosedForm(decay, [Parameter("rate", 0.1, 2.0)], np.arange(9.0))
"""

FIELD = """
from latax.physics import PDE, Grid, Parameter

def spread(t, u, p, grid):
    return p.rate * grid.laplacian(u)

spring = PDE(spread, [Parameter("rate", 0.1, 2.0)], Grid({"x": (0.0, 1.0, 8)}, {"x": "periodic"}))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a table in long form, a physics, and a run that was begun there with a relative name."""
    folder = tmp_path_factory.mktemp("springs")
    (folder / "mine.py").write_text(OWN)
    X = np.asarray(springs(ROWS).X)
    long = [(name, t, x) for name, row in zip(NAMES, X, strict=True) for t, x in zip(TIMES, row, strict=True)]
    pd.DataFrame(long, columns=["who", "t", "x"]).to_csv(folder / "springs.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        table = ["springs.csv", "--series", "who", "--time", "t"]
        assert main(["fit", "physics-vae", *table, "--physics", "mine.py:spring", "--out", "run", *TINY]) == 0
    return folder


@pytest.fixture
def command(place, tmp_path, monkeypatch):
    """Runs a command on that run, from another folder."""
    monkeypatch.chdir(tmp_path)

    def run(verb, *options):
        return main([verb, str(place / "run"), str(place / "springs.csv"), *map(str, options)])

    return run


def table(place):
    return fold(read(place / "springs.csv", labels="who"), "t")


def test_prediction_goes_on_and_stays_in_long_form(place, command, tmp_path, capsys):
    assert command("predict", "--until", 3.1, "--out", "p.csv") == 0
    assert "40 sequences, 14 times" in capsys.readouterr().out
    found = pd.read_csv("p.csv")
    assert list(found.columns) == ["who", "t", "x"]
    assert found["who"].drop_duplicates().tolist() == NAMES
    times = np.append(0.25 * np.arange(13), 3.1)
    np.testing.assert_allclose(found["t"][:14], times)
    model, samples = latax.load(place / "run"), table(place)
    wanted = model.predict(samples, times)
    np.testing.assert_allclose(found["x"].to_numpy().reshape(ROWS, 14), wanted, rtol=1e-6)

    assert command("predict", "--times", 0, 1, "--out", "p.npz") == 0
    back = read(tmp_path / "p.npz")
    np.testing.assert_array_equal(back.times, [0, 1])
    np.testing.assert_allclose(back.X, model.predict(samples, [0.0, 1.0]), rtol=1e-6)


def test_an_intervention_is_that_of_python(place, command):
    assert command("intervene", "--set", "stiffness=2", "--out", "i.csv") == 0
    found = pd.read_csv("i.csv")["x"].to_numpy().reshape(ROWS, -1)
    model, samples = latax.load(place / "run"), table(place)
    np.testing.assert_allclose(found, model.intervene(samples, stiffness=2.0), rtol=1e-6)
    assert np.abs(found - model.project(samples)).max() > 0.05


def test_parameters_come_with_subject_unit_and_interval(place, command, capsys):
    assert command("parameters", "--level", 0.5, "--out", "k.csv") == 0
    found = pd.read_csv("k.csv", index_col="who")
    assert list(found.columns) == ["stiffness (1/s²)", "stiffness low (1/s²)", "stiffness high (1/s²)"]
    assert found.index.tolist() == NAMES
    model = latax.load(place / "run")
    assert model.units_ == {"stiffness": "1/s²"}
    estimate = model.parameters(table(place), level=0.5)["stiffness"]
    np.testing.assert_allclose(found, np.stack(estimate, axis=1), rtol=1e-6)
    capsys.readouterr()
    assert command("parameters") == 0
    printed = capsys.readouterr().out
    assert "90 % intervals" in printed
    assert "stiffness (1/s²)" in printed
    assert "subject a0" in printed
    assert "first 20 of 40" in " ".join(printed.split())


def test_shares_come_with_their_subject_and_are_those_of_python(place, command, capsys):
    assert command("explain", "--out", "s.csv") == 0
    assert "40 rows, 2 columns" in capsys.readouterr().out
    found = pd.read_csv("s.csv", index_col="who")
    assert found.index.tolist() == NAMES
    wanted = latax.load(place / "run").explain(table(place))
    np.testing.assert_allclose(found["physics"], wanted.physics, rtol=1e-6)
    np.testing.assert_allclose(found["data"], wanted.data, rtol=1e-6)
    assert found["physics"].min() < 1
    assert command("explain") == 0
    printed = " ".join(capsys.readouterr().out.split())
    medians = f"physics {np.median(wanted.physics):.3g}, data {np.median(wanted.data):.3g}"
    assert f"Medians of all: {medians}. The first 20 of 40" in printed
    assert "subject a0" in printed


def test_what_is_made_of_subjects_keeps_their_names(command, place, tmp_path):
    assert command("encode", "--out", "z.csv") == 0
    assert pd.read_csv("z.csv", index_col=0).index.tolist() == NAMES
    # Names are no coordinates.
    assert main(["decode", str(place / "run"), "z.csv", "--out", "x.npy"]) == 0
    assert np.load("x.npy").shape == (ROWS, len(TIMES))
    assert command("score", "--out", "s.csv") == 0
    assert list(pd.read_csv("s.csv", index_col=0).columns) == ["log_prob_bound", "reconstruction_error"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["intervene", "--out", "a.csv", "--set", "stiffness"], "--set stiffness: expected one NAME=NUMBER for each"),
        (["intervene", "--out", "a.csv", "--set", "stiffness=stiff"], "--set stiffness=stiff: expected one NAME="),
        (["intervene", "--out", "a.csv", "--set", "mass=1"], "has no parameter mass; it has stiffness"),
        (["intervene", "--out", "a.csv", "--set", "times=1"], "has no parameter times; it has stiffness"),
        (["intervene", "--out", "a.csv", "--set", "stiffness=99"], "expected a number from 1 to 9"),
        (["predict", "--out", "a.csv", "--until", "1"], "--until 1 is not beyond the data, whose last time is 2."),
        (["predict", "--out", "a.csv", "--until", "4", "--times", "0", "1"], "both say at which times"),
        (["predict", "--out", "a.csv", "--times", "1", "2"], "but the initial state is that of 0. Begin there"),
        (
            ["predict", "--out", "a.csv", "--until", "4", "--robust"],
            "--robust is for forecasters, which start from",
        ),
        (["parameters", "--level", "90"], "level=90.0 must lie between 0 and 1"),
        (["encode", "--out", "a.csv", "--series", "whom"], "has no column 'whom'"),
    ],
)
def test_what_cannot_be_is_said(args, message, command, capsys):
    capsys.readouterr()
    assert command(*args) == 2
    assert message in " ".join(capsys.readouterr().err.split())


MISTAKES = [
    (OWN.replace("p.stiffness", "p.stifness"), "'stifness' (line 5 of {mine}: `return", "Did you mean 'stiffness'?"),
    (
        OWN.replace("(t, y, p)", "(t, y)"),
        "move() takes 2 positional arguments but 3 were given (line 4 of {mine}).",
        "",
    ),
    (
        OWN.replace("p.stiffness", "stiffness"),
        "name 'stiffness' is not defined (line 5 of {mine}: ",
        "Write p.stiffness.",
    ),
    (FORMULA.replace("p.rate", "p.rat"), "'rat' (line 6 of {mine}: `return", "Did you mean 'rate'?"),
    (FORMULA.replace("(t, p)", "(t)"), "decay() takes 1 positional argument but 2 were given (line 5 of {mine}).", ""),
    (FORMULA.replace("p.rate", "rate"), "name 'rate' is not defined (line 6 of {mine}: ", "Write p.rate."),
    (FIELD.replace("p.rate", "p.rat"), "'rat' (line 5 of {mine}: `return", "Did you mean 'rate'?"),
]


@pytest.mark.parametrize(("code", "place", "cure"), MISTAKES)
def test_a_mistake_in_ones_own_physics_is_told_before_anything_is_read(
    code, place, cure, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(code)
    args = ["fit", "physics-vae", "no-such-data.csv", "--physics", "mine.py:spring", "--out", "run", *TINY]
    assert main(args) == 2
    error = capsys.readouterr().err
    assert "of the physics fails: " in error
    assert place.format(mine=tmp_path / "mine.py") in error
    assert cure in error
    assert "It is called with (" in error
    assert "fault of latax" not in error
    assert "Traceback" not in error
    assert not (tmp_path / "run").exists()


def test_a_gap_and_an_explosion_are_told_by_the_name_of_the_subject(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    long = pd.read_csv(place / "springs.csv")
    (tmp_path / "mine.py").write_text(OWN.replace("-p.stiffness * y.position", "1e30 * p.stiffness * y.position**3"))
    table = ["--series", "who", "--time", "t", "--physics", "mine.py:spring", "--out", "run", *TINY]
    long.to_csv("all.csv", index=False)
    assert main(["fit", "physics-vae", "all.csv", *table]) == 2
    error = capsys.readouterr().err
    assert "no finite solution for 256 of 256 draws of its prior" in error
    assert "from the first observation of sequence 'subject a0'. Narrow the bounds" in error
    long.loc[(long["who"] == "subject d3") & (long["t"] == 0.5), "x"] = np.nan
    long.to_csv("gap.csv", index=False)
    assert main(["fit", "physics-vae", "gap.csv", *table]) == 2
    error = capsys.readouterr().err
    assert "in 1 of 40 sequences; the first is nan in sequence 'subject d3' at t=0.5, column 'x'." in error
    assert "numpy" not in error.lower()


def test_a_table_of_sequences_needs_both_of_its_columns(place, tmp_path, capsys):
    args = ["fit", "physics-vae", str(place / "springs.csv"), "--series", "who", "--out", str(tmp_path / "b")]
    assert main(args) == 2
    assert "needs both --series and --time" in capsys.readouterr().err


def test_models_without_time_or_physics_refuse(pca_run, surface, tmp_path, capsys):
    out = str(tmp_path / "a.csv")
    for args, message in (
        (["predict", "--until", "4", "--out", out], "A probabilistic-pca knows no time"),
        (["intervene", "--set", "a=1", "--out", out], "A probabilistic-pca knows no physics"),
        (["parameters"], "A probabilistic-pca knows no physics"),
        (["explain"], "A probabilistic-pca knows no physics: it explains nothing; `latax score` says"),
    ):
        capsys.readouterr()
        assert main([args[0], str(pca_run), str(surface), *args[1:]]) == 2
        assert message in capsys.readouterr().err


def test_a_field_with_the_physics_of_the_guide(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rod.py").write_text(user_files()["rod"], "utf-8")
    from_hot_to_cold = np.linspace(90, 10, 9)
    decay = np.exp(-0.2 * np.arange(6)[:, None] * np.random.default_rng(0).uniform(1, 2, (ROWS, 1, 1)))
    X = from_hot_to_cold * (1 - decay) + 50 * decay
    np.save("rods.npy", X)
    options = ["--physics", "rod.py:rod", "--dt", "0.1", "--out", "run", "--outside-size=None", *TINY]
    assert main(["fit", "physics-vae", "rods.npy", *options]) == 0
    assert main(["predict", "run", "rods.npy", "--until", "0.8", "--out", "ahead.npy"]) == 0
    assert np.load("ahead.npy").shape == (ROWS, 9, 9)
    assert main(["parameters", "run", "rods.npy", "--out", "found.csv"]) == 0
    found = pd.read_csv("found.csv")
    assert found.columns[-3:].tolist() == [f"diffusivity{part} (m²/h)" for part in ("", " low", " high")]
    assert found.iloc[:, -3].between(0.05, 0.5).all()
    times = 0.1 * np.arange(9)
    np.testing.assert_allclose(latax.load("run").predict(X, times), np.load("ahead.npy"), rtol=1e-5)


def test_a_physics_that_has_gone_is_named(place, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(place / "run", copy)
    config = copy / "model" / "config.json"
    assert f'"{place / "mine.py"}:spring"' in config.read_text()
    gone = config.read_text().replace(str(place / "mine.py"), str(tmp_path / "gone.py"))
    config.write_text(gone)
    assert main(["parameters", str(copy), str(place / "springs.csv")]) == 2
    error = capsys.readouterr().err
    assert f"there is no file {tmp_path / 'gone.py'} to take a physics from" in error
    assert "latax.load(path, physics='file.py:name')" in error
    assert latax.load(copy, physics=f"{place / 'mine.py'}:spring").units_ == {"stiffness": "1/s²"}
