"""Checkpoints: when they are made, and what is said when they cannot be written or read."""

import resource
import shutil
import signal
import time

import jax
import numpy as np
import pytest

from latax._errors import FileError
from latax.train import Interruption, SilentMeter, fit
from latax.train.checkpoint import Checkpoints, Cursor
from tests.train.problem import Line, arrays, phase, source
from tests.train.test_resume import Stopping

CURSOR = Cursor(segment=0, step=1, identity={"seed": "0"})


def numbers(folder):
    return sorted(int(path.name) for path in (folder / "checkpoints").iterdir() if path.name.isdigit())


def train(folder, **options):
    return fit(Line, [phase("a", 4), phase("b", 4)], source(), folder=folder, **options)


class Saved(SilentMeter):
    """Notes which checkpoints there are at every call."""

    def __init__(self, folder):
        self.folder, self.seen = folder, {}

    def advance(self, position, phase, speed):
        self.seen[position] = numbers(self.folder)


@pytest.fixture
def made(monkeypatch):
    """The numbers of all checkpoints that are made."""
    made, save = [], Checkpoints.save

    def noting(self, position, *rest):
        made.append(position)
        save(self, position, *rest)

    monkeypatch.setattr(Checkpoints, "save", noting)
    return made


def test_from_the_first_call_on_and_at_the_end_of_each_phase(tmp_path, made):
    train(tmp_path)
    assert made == [1, 4, 8]
    assert numbers(tmp_path) == [4, 8]


class Clock(SilentMeter):
    """A clock by which every call takes ten seconds."""

    now = 0.0

    def perf_counter(self):
        return self.now

    def advance(self, position, phase, speed):
        self.now += 10.0


def test_every_thirty_seconds(tmp_path, monkeypatch, made):
    clock = Clock()
    monkeypatch.setattr("latax.train.run.time", clock)
    fit(Line, [phase("a", 9)], source(), reports=9, folder=tmp_path, meter=clock)
    assert made == [1, 4, 7, 9]


def test_every_so_often_in_between(tmp_path, monkeypatch):
    monkeypatch.setattr("latax.train.run.CHECKPOINT_SECONDS", 0.0)
    meter = Saved(tmp_path)
    train(tmp_path, meter=meter)
    assert max(meter.seen[4]) >= 1
    assert numbers(tmp_path) == [7, 8]


def test_a_checkpoint_holds_the_arrays_as_they_were(tmp_path):
    double = jax.jit(lambda a: 2 * a, donate_argnums=0)
    state = {"a": jax.numpy.arange(100_000.0)}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, CURSOR)
        state = jax.tree.map(double, state)  # the saved buffer is given away while it is being written
        checkpoints.wait()
        like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=a.sharding), state)
        assert np.array_equal(checkpoints.restore(1, like)["a"], np.arange(100_000.0))
        assert checkpoints.cursor(1) == CURSOR


def test_arrays_of_no_numbers_come_back(tmp_path):
    state = {"a": jax.numpy.zeros((2, 0)), "b": jax.numpy.ones(3), "c": jax.numpy.zeros(0, jax.numpy.int32)}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, CURSOR)
        checkpoints.wait()
        like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=a.sharding), state)
        found = checkpoints.restore(1, like)
    assert jax.tree.map(lambda a: (a.shape, a.dtype), found) == jax.tree.map(lambda a: (a.shape, a.dtype), state)
    np.testing.assert_array_equal(found["b"], np.ones(3))


def damage(kind, folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if kind == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    for path in files:
        if kind == "truncated":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        if kind == "garbled":
            path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))
        if kind == "without data" and path.parent.name == "d":
            path.unlink()


@pytest.mark.parametrize("kind", ["empty", "truncated", "garbled", "without data"])
def test_a_damaged_checkpoint_is_named_and_the_cure_works(tmp_path, kind):
    whole = train(tmp_path)
    assert numbers(tmp_path) == [4, 8]
    newest = tmp_path / "checkpoints" / "8"
    damage(kind, newest)
    with pytest.raises(FileError) as caught:
        train(tmp_path, resume=True)
    assert f"The checkpoint {newest} is damaged (" in str(caught.value)
    assert "Delete that folder to resume from step 4." in str(caught.value)
    shutil.rmtree(newest)
    resumed = train(tmp_path, resume=True)
    assert resumed.steps == 4
    assert np.array_equal(arrays(resumed.model), arrays(whole.model))


def test_the_only_checkpoint_is_damaged(tmp_path):
    with pytest.raises(Interruption):
        train(tmp_path, meter=Stopping(1))
    damage("empty", tmp_path / "checkpoints" / "1")
    with pytest.raises(FileError, match=r"1 is damaged \(.*\)\. Delete that folder and resume to begin anew\."):
        train(tmp_path, resume=True)


class Limit(SilentMeter):
    """Once there is a checkpoint no file may grow beyond some bytes: to the process, a full disk."""

    def __init__(self, folder):
        self.folder = folder

    def advance(self, position, phase, speed):
        if position == 3:
            while not numbers(self.folder):
                time.sleep(0.01)
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.fixture
def limits():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_is_one_error_and_the_last_checkpoint_stays(tmp_path, limits, capfd):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    with pytest.raises(FileError) as caught:
        train(tmp_path, meter=Limit(tmp_path))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert f"A checkpoint cannot be written to {tmp_path / 'checkpoints'} (File too large)" in str(caught.value)
    assert "The checkpoint of step 1 is intact. Make room or mend the permissions, then resume" in str(caught.value)
    assert capfd.readouterr().err == ""
    resumed = train(tmp_path, resume=True)
    assert resumed.steps == 7
    assert np.array_equal(arrays(resumed.model), arrays(fit(Line, [phase("a", 4), phase("b", 4)], source()).model))


def test_a_failure_in_the_background_comes_out_at_the_next_call(tmp_path, monkeypatch):
    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("latax.train.checkpoint.Checkpoints._poll", full)
    with pytest.raises(FileError, match=r"No space left on device"):
        train(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(FileError, match=r"A checkpoint cannot be written to .*File exists.*There is no checkpoint"):
        train(tmp_path)
