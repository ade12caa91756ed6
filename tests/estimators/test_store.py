"""Models as files: what comes back is the same to the bit, and what is damaged, foreign or too new is said to be."""

import json
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import latax
from latax import MFlow
from latax._errors import ConfigError, FileError
from latax.density import Sphere
from latax.estimators import store
from latax.train.lock import hold
from tests.estimators.cases import CASES, TINY, circle, contexts, fitted

every = pytest.mark.parametrize("name", CASES)


def saved(name, folder: Path) -> Path:
    return fitted(name).save(folder / name)


@every
def test_a_saved_model_comes_back_to_the_bit(name, tmp_path):
    model, X = fitted(name), CASES[name].data()
    again = latax.load(saved(name, tmp_path))
    assert type(again) is type(model)
    assert again.get_params() == model.get_params()
    for verb in ("transform", "project", "score_samples", "base", "reconstruction_error"):
        np.testing.assert_array_equal(getattr(again, verb)(X), getattr(model, verb)(X))
    np.testing.assert_array_equal(again.sample(5, seed=2), model.sample(5, seed=2))
    for attribute in ("n_features_in_", "sample_shape_", "feature_names_", "context_names_", "best_", "n_replicates_"):
        assert getattr(again, attribute) == getattr(model, attribute)
    assert again.metrics_.keys() == model.metrics_.keys()
    assert all(np.array_equal(again.metrics_[key], model.metrics_[key]) for key in model.metrics_)
    # Saved again, it is the same file.
    second = again.save(tmp_path / "second")
    for file in (store.TENSORS, store.CONFIG, store.CARD):
        assert (second / file).read_bytes() == (tmp_path / name / file).read_bytes()


@pytest.mark.parametrize("name", ["mflow", "manifold-density"])
def test_the_tolerance_is_kept(name, tmp_path):
    assert latax.load(saved(name, tmp_path)).tolerance_ == fitted(name).tolerance_


def test_context_and_its_scaling_are_kept(tmp_path):
    model, X = fitted("ambient-flow", conditional=True), CASES["ambient-flow"].data()
    again = latax.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(
        again.score_samples(X, context=contexts()), model.score_samples(X, context=contexts())
    )


@every
def test_a_pickled_estimator_comes_back_to_the_bit(name):
    model, X = fitted(name), CASES[name].data()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.score_samples(X), model.score_samples(X))
    assert pickle.loads(pickle.dumps(CASES[name].make())).get_params() == CASES[name].make().get_params()


@every
def test_the_folder_is_readable_by_people(name, tmp_path):
    folder = saved(name, tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert list(tmp_path.iterdir()) == [folder]  # nothing is left beside it
    config = json.loads((folder / "config.json").read_text())
    assert config["schema"] == 1
    assert config["estimator"] == name
    assert config["params"] == fitted(name).get_params()
    assert config["versions"]["latax"] == latax.__version__
    card = (folder / "README.md").read_text()
    assert type(fitted(name)).__doc__.splitlines()[0] in card
    assert "nll" in card


def test_a_model_replaces_an_older_model_and_nothing_else(tmp_path):
    folder = saved("probabilistic-pca", tmp_path)
    other = CASES["probabilistic-pca"].make(latent_size=1).fit(CASES["probabilistic-pca"].data())
    other.save(folder)
    assert latax.load(folder).latent_size == 1
    assert list(tmp_path.iterdir()) == [folder]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(FileError, match="mine is already there and is not a latax model; nothing in it was touched"):
        other.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_a_full_disk_leaves_the_older_model_whole(tmp_path, monkeypatch):
    folder = saved("probabilistic-pca", tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*args, **kwargs):
        from safetensors import SafetensorError

        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(FileError, match=r"cannot be written to .*No space left.* Make room or give another path"):
        fitted("probabilistic-pca").save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list(tmp_path.iterdir()) == [folder]


def numbers(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def failing_rename(monkeypatch, error):
    """Renaming a new model to its place fails."""
    rename = Path.rename

    def fails(self, target):
        if self.name == "model" and self.parent.name.startswith(".probabilistic-pca-"):
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_rename_that_fails_leaves_the_older_model_in_its_place(tmp_path, monkeypatch, error):
    folder = saved("probabilistic-pca", tmp_path)
    before = numbers(folder)
    failing_rename(monkeypatch, error)
    with pytest.raises(FileError if isinstance(error, OSError) else KeyboardInterrupt):
        fitted("probabilistic-pca").save(folder)
    assert numbers(folder) == before
    assert list(tmp_path.iterdir()) == [folder]


KILLED = """
import os
from pathlib import Path
import latax
from latax.estimators import store
from latax.train.lock import hold

rename = Path.rename
def killed(self, target):
    if self.name == "model":
        os._exit(9)
    return rename(self, target)

Path.rename = killed
store.write_model(Path({path!r}), {{}}, {{}}, {{}}, "")
"""


def test_a_kill_between_the_renames_loses_no_model(tmp_path, run_python):
    folder = saved("probabilistic-pca", tmp_path)
    before = numbers(folder)
    with pytest.raises(AssertionError, match="status 9"):
        run_python(KILLED.format(path=str(folder)))
    kept = tmp_path / ".probabilistic-pca.before"
    assert numbers(kept) == before
    with pytest.raises(FileError, match=rf"There is no model .*, but {kept} is one .*; move it to {folder}\."):
        latax.load(folder)
    fitted("probabilistic-pca").save(folder)
    assert numbers(folder) == before
    assert not kept.exists()


def test_a_kill_after_the_renames_leaves_nothing_behind_for_ever(tmp_path):
    folder = saved("probabilistic-pca", tmp_path)
    (tmp_path / ".probabilistic-pca.before").mkdir()
    fitted("probabilistic-pca").save(folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(FileError, match=r"cannot be written to .*locked.*Permission denied"):
        fitted("probabilistic-pca").save(tmp_path / "locked" / "model")


def test_a_path_through_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"cannot be written to .*Make room or give another path"):
        fitted("probabilistic-pca").save(tmp_path / "file" / "model")


# ---- folders that are no models, or not any more


def edited(folder: Path, **changes) -> Path:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


def without(folder: Path, key: str) -> Path:
    config = json.loads((folder / "config.json").read_text())
    del config[key]
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_what_is_not_there_or_foreign_is_named(tmp_path):
    with pytest.raises(FileError, match=r"There is no model .*nowhere. Check the path"):
        latax.load(tmp_path / "nowhere")
    with pytest.raises(FileError, match=r"is not a latax model: it needs model.safetensors and config.json"):
        latax.load(tmp_path)
    folder = saved("mflow", tmp_path)
    (folder / "config.json").unlink()
    with pytest.raises(FileError, match=r"is not a latax model: it needs model.safetensors and config.json"):
        latax.load(folder)


def test_a_truncated_file_is_damaged(tmp_path):
    folder = saved("mflow", tmp_path)
    tensors = folder / "model.safetensors"
    whole = tensors.read_bytes()
    for part in (whole[:-10], whole[: len(whole) // 2], whole[:4], b""):
        tensors.write_bytes(part)
        with pytest.raises(FileError, match=r"model.safetensors is damaged or truncated .*Restore it from a copy"):
            latax.load(folder)
    tensors.write_bytes(whole)
    assert latax.load(folder).n_features_in_ == 3


@pytest.mark.parametrize("text", ["{", "", "[]", "{}", '{"schema": ', "\x00\x01"])
def test_a_damaged_config_is_damaged(text, tmp_path):
    folder = saved("mflow", tmp_path)
    (folder / "config.json").write_text(text)
    with pytest.raises(FileError, match=r"config.json is damaged or was not written by latax .*Restore it from a copy"):
        latax.load(folder)


@pytest.mark.parametrize("key", ["params", "replicates", "best", "sample_shape", "feature_names", "fitted"])
def test_a_config_that_lost_an_entry_is_damaged(key, tmp_path):
    with pytest.raises(FileError, match=r"config.json.*Restore it from a copy"):
        latax.load(without(saved("mflow", tmp_path), key))


def test_an_edited_config_does_not_fit_its_numbers(tmp_path):
    folder = saved("mflow", tmp_path)
    params = fitted("mflow").get_params()
    with pytest.raises(
        FileError, match=r"does not belong to its config.json: .* Restore both files from the same copy"
    ):
        latax.load(edited(folder, params=params | {"width_size": 7}))
    with pytest.raises(FileError, match=r"config.json do not fit mflow: .*'colour'"):
        latax.load(edited(folder, params=params | {"colour": "red"}))
    with pytest.raises(ConfigError, match="latent_size=0 must be a whole number"):
        latax.load(edited(folder, params=params | {"latent_size": 0}))
    with pytest.raises(FileError, match=r"there is no replicate 3 among 1"):
        latax.load(edited(folder, params=params, best=3))
    assert latax.load(edited(folder, best=0)).best_ == 0


def test_a_newer_or_unknown_model_is_not_guessed_at(tmp_path):
    folder = saved("mflow", tmp_path)
    with pytest.raises(
        FileError, match=r"has schema 2, .* reads up to schema 1: the model was written by a newer version"
    ):
        latax.load(edited(folder, schema=2))
    with pytest.raises(FileError, match="The model is a 'cflow', which this version does not know; known are"):
        latax.load(edited(folder, schema=1, estimator="cflow"))


def test_a_chart_of_the_users_own_is_given_again(tmp_path):
    model = CASES["manifold-density"].make(chart=Sphere(1)).fit(circle())
    folder = model.save(tmp_path / "model")
    with pytest.raises(ConfigError, match=r"There is no chart 'Sphere.*is loaded by latax.load\(path, chart=...\)"):
        latax.load(folder)
    again = latax.load(folder, chart=Sphere(1))
    np.testing.assert_array_equal(again.score_samples(circle()), model.score_samples(circle()))


# ---- run folders


def test_a_run_folder_is_never_overwritten(tmp_path):
    X = CASES["probabilistic-pca"].data()
    run = tmp_path / "run"
    model = CASES["probabilistic-pca"].make().fit(X, out=run)
    assert sorted(path.name for path in run.iterdir()) == ["config.json", "model"]
    np.testing.assert_array_equal(latax.load(run).score_samples(X), model.score_samples(X))
    before = (run / "config.json").read_bytes()
    with pytest.raises(FileError, match=r"already there and is not empty; nothing in it was touched.*latax resume"):
        CASES["probabilistic-pca"].make(latent_size=1).fit(X, out=run)
    assert (run / "config.json").read_bytes() == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match=r"file is already there"):
        CASES["probabilistic-pca"].make().fit(X, out=tmp_path / "file")


def test_two_fits_into_one_new_folder_are_one_too_many(tmp_path):
    X, run = CASES["probabilistic-pca"].data(), tmp_path / "run"
    (run / ".lock").parent.mkdir()
    (run / ".lock").write_text("")  # a process was killed before its first word
    with hold(run):
        thread = ThreadPoolExecutor(1).submit(CASES["probabilistic-pca"].make().fit, X, out=run)
        assert "Another process is working on the run" in str(thread.exception())
    assert list(run.iterdir()) == []
    CASES["probabilistic-pca"].make().fit(X, out=run)
    assert sorted(path.name for path in run.iterdir()) == ["config.json", "model"]


def test_a_fit_that_is_refused_leaves_no_run_folder(tmp_path):
    X = CASES["mflow"].data()
    for bad in ({"latent_size": 3}, {"batch_size": 1000}, {"seed": -1}):
        with pytest.raises(ValueError, match=str(next(iter(bad)))):
            CASES["mflow"].make(**bad).fit(X, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_resuming_wants_the_run_its_settings_and_its_data(tmp_path):
    X, run = CASES["probabilistic-pca"].data(), tmp_path / "run"
    make = CASES["probabilistic-pca"].make
    with pytest.raises(ConfigError, match="resume=True needs the folder of the run: give out="):
        make().fit(X, resume=True)
    with pytest.raises(FileError, match="There is no run folder"):
        make().fit(X, out=run, resume=True)
    run.mkdir()
    with pytest.raises(FileError, match=r"is not a run folder: it has no config.json"):
        make().fit(X, out=run, resume=True)
    make().fit(X, out=run)
    with pytest.raises(ConfigError, match=r"began with another params: latent_size was 2, now 1"):
        make(latent_size=1).fit(X, out=run, resume=True)
    with pytest.raises(
        ConfigError, match=r"began with another data: sha256 was .*Give the data that the run began with"
    ):
        make().fit(X + 1, out=run, resume=True)
    with pytest.raises(ConfigError, match=r"began with another estimator: 'probabilistic-pca', now 'mflow'"):
        CASES["mflow"].make().fit(X, out=run, resume=True)
    again = make().fit(X, out=run, resume=True)
    np.testing.assert_array_equal(again.score_samples(X), make().fit(X).score_samples(X))


def test_a_finished_run_is_resumed_to_the_same_model_and_progress_may_differ(tmp_path):
    X, run = CASES["mflow"].data(), tmp_path / "run"
    model = CASES["mflow"].make().fit(X, out=run)
    assert sorted(path.name for path in run.iterdir()) == ["checkpoints", "config.json", "metrics.jsonl", "model"]
    again = MFlow(**{**model.get_params(), "progress": True}).fit(X, out=run, resume=True)
    np.testing.assert_array_equal(again.score_samples(X), model.score_samples(X))
    assert again.history_ == model.history_ == latax.load(run).history_
    assert {record["phase"] for record in again.history_} == {"manifold", "density"}


def test_a_run_that_was_stopped_has_no_model_yet(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"schema": 1, "estimator": "mflow", "params": TINY}))
    with pytest.raises(FileError, match=r"has no model yet: it was stopped before its end. Finish it by `latax resume"):
        latax.load(run)
