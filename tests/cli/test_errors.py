"""What a user gets wrong ends with status 2 and one clear message; what we get wrong, with status 1 and a traceback."""

import re
import runpy
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from latax._errors import ConfigError, DataError, DivergenceError, FileError
from latax.cli import main
from latax.estimators import ESTIMATORS, TRAVERSALS
from tests.cli.conftest import TINY

COMMANDS = [
    *("fit", "resume", "encode", "decode", "project", "sample", "score", "diagnose", "report", "data", "study"),
    *("predict", "traverse", "intervene", "parameters", "explain"),
]
MODELS = ["mflow", "ambient-flow", "manifold-density", "probabilistic-pca"]


def refused(capsys, *args) -> str:
    """What is printed on standard error by a command that leaves with status 2."""
    capsys.readouterr()
    assert main([str(arg) for arg in args]) == 2
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err + printed.out
    return printed.err


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(command in printed for command in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("latax 0")


def test_the_package_runs_as_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["latax", "--version"])
    with pytest.raises(SystemExit) as leaving:
        runpy.run_module("latax", run_name="__main__")
    assert leaving.value.code == 0
    assert capsys.readouterr().out.startswith("latax 0")
    monkeypatch.setattr(sys, "argv", ["latax", "fly"])
    with pytest.raises(SystemExit) as leaving:
        runpy.run_module("latax", run_name="__main__")
    assert leaving.value.code == 2


@pytest.mark.parametrize("command", [*COMMANDS, *(f"fit {m}" for m in MODELS), "data list", "data make"])
def test_every_command_has_help(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    printed = capsys.readouterr().out
    assert "usage: latax" in printed
    # No placeholder where a description should be.
    assert len(printed.splitlines()) > 3


@pytest.mark.parametrize("model", sorted(ESTIMATORS | TRAVERSALS))
def test_every_argument_of_an_estimator_is_an_option(model, capsys):
    main(["fit", model, "--help"])
    options = set(re.findall(r"^\W*--([a-z][a-z-]*)", capsys.readouterr().out, re.MULTILINE))
    arguments = {field.name.replace("_", "-") for field in fields((ESTIMATORS | TRAVERSALS)[model])}
    assert arguments - {"decoder"} <= options


def test_what_matters_most_comes_first_in_the_help_of_a_fit(capsys):
    main(["fit", "mflow", "--help"])
    printed = capsys.readouterr().out
    places = [printed.index(option) for option in ("--out", "--context", "--latent-size", "--epochs", "--clip")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "args", [[], ["fly"], ["fit"], ["fit", "vae"], ["encode"], ["fit", "mflow", "x.csv"], ["data", "make", "circle"]]
)
def test_incomplete_or_unknown_commands(args, capsys):
    assert main(args) == 2
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err + printed.out
    assert printed.err + printed.out


def test_a_mistyped_name_is_answered_in_one_sentence(surface, tmp_path, capsys):
    error = refused(capsys, "fit", "mflw", surface, "--out", tmp_path / "run", "--latent-size", 1)
    assert error == "latax: `latax fit` has no method 'mflw'. Did you mean 'mflow'?\n"
    error = refused(capsys, "data", "fetch")
    assert error == "latax: `latax data` has no command 'fetch'. Give one of list, make.\n"


def test_a_context_that_the_model_does_not_have(pca_run, tmp_path, capsys):
    error = refused(capsys, "sample", pca_run, "--context", 0.5, "--out", tmp_path / "s.csv")
    assert "fitted without context, but 1 column of context was given. Leave the context out." in error


def test_wrong_values_of_options(surface, folder, capsys):
    error = refused(capsys, "fit", "mflow", surface, "--out", folder / "never", "--latent-size", "two")
    assert "--latent-size: it must be a whole number, not 'two'." in error
    for option, value, kind in (("--steps", "abc", "whole number"), ("--learning-rate", "fast", "number")):
        error = refused(capsys, "fit", "mflow", surface, "--out", folder / "never", option, value)
        assert f"Error parsing {option}: it must be a {kind}, not '{value}'." in error
        assert "NoneType" not in error
    fit = ("fit", "mflow", surface, "--out", folder / "never", *TINY)
    assert "epochs=2 and steps=8 both say how long" in refused(capsys, *fit, "--epochs", 2)
    assert "latent_size=0 must be a whole number of at least 1" in refused(capsys, *fit, "--latent-size", 0)
    assert "latent_size=9 is not smaller than the number of columns" in refused(capsys, *fit, "--latent-size", 9)
    assert "batch_size=1000 is larger than the 180 training rows" in refused(capsys, *fit, "--batch-size", 1000)
    assert "has no column" in refused(capsys, *fit, "--context", "thetta")
    assert not (folder / "never").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.csv", "a,b,c\n1,2,x\n3,4,y\n", "'c'"),
        ("gaps.csv", "a,b,c\n" + "1,2,3\n" * 5 + "4,,6\n", "1 value NaN or missing"),
        ("one.csv", "a,b,c\n1,2,3\n", "The data have 1 row"),
        ("equal.csv", "a,b,c\n" + "1,2,3\n" * 40, "All rows are equal"),
        ("empty.csv", "", "is empty (0 bytes)"),
        ("page.csv", "<!DOCTYPE html><html>sign in</html>", "is a web page"),
        ("data.xyz", "1 2 3", "the extension '.xyz'"),
    ],
)
def test_wrong_files(name, content, message, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    error = refused(capsys, "fit", "mflow", tmp_path / name, "--out", tmp_path / "run", *TINY)
    assert error.startswith("latax: ")
    assert message in error
    assert not (tmp_path / "run").exists()


def test_missing_and_truncated_files(tmp_path, capsys):
    error = refused(capsys, "fit", "mflow", tmp_path / "dota.csv", "--out", tmp_path / "run")
    assert "dota.csv does not exist" in error
    np.savez(tmp_path / "data.npz", X=np.zeros((100, 3)))
    whole = (tmp_path / "data.npz").read_bytes()
    (tmp_path / "data.npz").write_bytes(whole[: len(whole) // 2])
    error = refused(capsys, "fit", "mflow", tmp_path / "data.npz", "--out", tmp_path / "run")
    assert "data.npz" in error


def test_a_run_is_not_overwritten(run, surface, capsys):
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    error = refused(capsys, "fit", "mflow", surface, "--context", "theta", "--out", run, *TINY)
    assert "is already there and is not empty; nothing in it was touched" in error
    assert f"latax resume {run}" in error
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_an_output_file_is_not_overwritten(pca_run, surface, tmp_path, capsys):
    (tmp_path / "thesis.csv").write_text("years of work")
    error = refused(capsys, "encode", pca_run, surface, "--out", tmp_path / "thesis.csv")
    assert "thesis.csv exists already and is left as it is. Give another name, or remove it first." in error
    assert (tmp_path / "thesis.csv").read_text() == "years of work"


def test_runs_that_are_none(tmp_path, surface, capsys):
    out = tmp_path / "out.csv"
    assert "There is no model" in refused(capsys, "encode", tmp_path / "nothing", surface, "--out", out)
    assert "is not a latax model" in refused(capsys, "sample", tmp_path, "--out", out)
    assert "is not a run folder" in refused(capsys, "resume", tmp_path)
    assert "There is no run folder" in refused(capsys, "resume", tmp_path / "nothing")


def test_data_that_do_not_belong_to_the_model(run, pca_run, surface, tmp_path, capsys):
    out = tmp_path / "out.csv"
    error = refused(capsys, "encode", pca_run, surface, "--columns", "x0", "--columns", "x1", "--out", out)
    assert "have 2 columns (x0, x1), but the model was fitted on 4" in error
    error = refused(capsys, "decode", pca_run, surface, "--out", out)
    assert "Z has shape (200, 4); expected finite latent coordinates of shape (N, 2)" in error
    far = pd.read_csv(surface)
    far.loc[4, "x0"] += 1e4
    far.to_csv(tmp_path / "far.csv", index=False)
    error = refused(capsys, "score", run, tmp_path / "far.csv", "--off-manifold", "raise", "--out", out)
    assert "1 of 200 samples are off the manifold" in error
    assert "row 4" in error
    assert not out.exists()


def test_a_run_from_python_has_no_file_to_go_back_to(tmp_path, capsys):
    import latax

    X = np.random.default_rng(0).normal(size=(30, 3))
    latax.ProbabilisticPCA().fit(X, out=tmp_path / "run")
    error = refused(capsys, "resume", tmp_path / "run")
    assert "does not say where its data are" in error
    assert "resume=True" in error
    assert "Give a file to judge by" in refused(capsys, "diagnose", tmp_path / "run")
    assert "report_run" in refused(capsys, "report", tmp_path / "run")


def test_studies_and_sets_that_are_not_there(tmp_path, capsys):
    assert "there is no study 'demmo'. Did you mean 'demo'? There are demo" in refused(
        capsys, "study", "demmo", "--out", tmp_path / "s"
    )
    assert not (tmp_path / "s").exists()
    error = refused(capsys, "data", "make", "circel", "--out", tmp_path / "c.csv")
    assert "there is no built-in data set 'circel'" in error


@pytest.mark.parametrize("error", [ConfigError, DataError, FileError, DivergenceError])
def test_every_error_of_ours_is_one_message_and_status_2(error, monkeypatch, capsys):
    def fail() -> None:
        raise error("x=3 is wrong. Give 4.")

    monkeypatch.setattr("latax.data.catalogue.describe", fail)
    assert refused(capsys, "data", "list") == "latax: x=3 is wrong. Give 4.\n"


def test_a_fault_of_ours_is_status_1_and_says_so(monkeypatch, capsys):
    def fail() -> None:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("latax.data.catalogue.describe", fail)
    assert main(["data", "list"]) == 1
    printed = capsys.readouterr().err
    assert "deep inside" in printed
    assert "this is a fault of latax, not of yours" in printed


def test_ctrl_c_is_130(monkeypatch, capsys):
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("latax.data.catalogue.describe", stop)
    assert main(["data", "list"]) == 130
    assert capsys.readouterr().err == "latax: Stopped.\n"


def test_a_reader_that_stops_early_is_no_fault():
    command = f"{sys.executable} -c 'import sys; from latax.cli import main; sys.exit(main())' data list"
    shell = f"set -o pipefail; {command} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert done.stdout.strip() in {"0", "141"}
    assert done.stderr == ""
