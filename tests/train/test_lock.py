"""One process at a time works on a run folder."""

import errno
import fcntl
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from latax._errors import FileError
from latax.train import Interruption, fit, lock
from latax.train.lock import hold
from tests.train.problem import Line, arrays, phase, source
from tests.train.test_resume import Stopping

SECOND = """
from pathlib import Path
from latax._errors import FileError
from latax.train import JSONLTracker, fit
from tests.train.problem import Line, phase, source

folder = Path({folder!r})
try:
    fit(Line, [phase()], source(), folder=folder, resume=True, tracker=JSONLTracker(folder / "metrics.jsonl"))
except FileError as error:
    print(error)
"""
HOLDING = """
import sys
from pathlib import Path
from latax.train.lock import hold

with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def files(folder):
    return {path: path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def refused(folder):
    with pytest.raises(FileError, match=rf"Another process is working on the run {folder}; nothing in it was touched"):
        hold(folder).__enter__()
    return True


def test_a_second_process_is_refused_before_it_touches_anything(tmp_path, run_python):
    with pytest.raises(Interruption):
        fit(Line, [phase()], source(), folder=tmp_path, meter=Stopping(3))
    (tmp_path / "checkpoints" / "7.orbax-checkpoint-tmp").mkdir()  # what the first process is saving
    (tmp_path / "metrics.jsonl").write_text('{"position": 9}\n')
    with hold(tmp_path):
        before = files(tmp_path)
        printed = run_python(SECOND.format(folder=str(tmp_path)), devices=1)
        assert files(tmp_path) == before
    assert printed == (
        f"Another process is working on the run {tmp_path}; nothing in it was touched. Wait for its end, or stop it "
        f"and go on by `latax resume {tmp_path}`; or give another folder.\n"
    )
    assert run_python(SECOND.format(folder=str(tmp_path)), devices=1) == ""
    assert not (tmp_path / lock.LOCK).exists()


def test_a_new_run_looks_for_an_old_one_before_it_touches_anything(tmp_path):
    whole = fit(Line, [phase()], source(), folder=tmp_path)
    (tmp_path / "checkpoints" / "7.orbax-checkpoint-tmp").mkdir()
    before = files(tmp_path)
    with pytest.raises(FileError, match="already holds a run, up to step 12; nothing in it was touched"):
        fit(Line, [phase()], source(), folder=tmp_path)
    assert files(tmp_path) == before
    resumed = fit(Line, [phase()], source(), folder=tmp_path, resume=True)
    assert (arrays(resumed.model) == arrays(whole.model)).all()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_dies_frees_its_run(tmp_path, number):
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDING, str(tmp_path)], stdin=pipe, stdout=pipe) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            assert refused(tmp_path)
        finally:
            process.send_signal(number)
        process.wait()
    assert (tmp_path / lock.LOCK).exists()
    with hold(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_thread_holds_on_what_it_holds_and_another_thread_is_refused(tmp_path):
    found = []
    with hold(tmp_path), hold(tmp_path / "there" / ".."):
        other = threading.Thread(target=lambda: found.append(refused(tmp_path)))
        other.start()
        other.join()
    assert found == [True]
    with hold(tmp_path):
        pass


def test_a_file_that_was_taken_away_meanwhile_is_no_lock(tmp_path, monkeypatch):
    flock, taken = fcntl.flock, []

    def late(descriptor, operation):
        if not taken:  # its holder ends between our opening it and our locking it
            taken.append((tmp_path / lock.LOCK).unlink())
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with hold(tmp_path):
        monkeypatch.undo()
        monkeypatch.setattr(lock, "_holders", {})
        assert refused(tmp_path)
        monkeypatch.undo()


def test_where_there_are_no_locks_there_is_none(tmp_path, monkeypatch):
    def unknown(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with hold(tmp_path):
        assert fit(Line, [phase()], source(), folder=tmp_path).steps == 12


@pytest.mark.parametrize("first", [True, False])
def test_hosts_are_refused_together_and_only_the_first_locks(tmp_path, monkeypatch, first):
    folder = tmp_path / "run"
    said = 0
    monkeypatch.setattr(lock, "is_first", lambda: first)
    monkeypatch.setattr(lock, "agreed", lambda mine: [[mine if first else said], [0]])
    with hold(folder):
        assert (folder / lock.LOCK).exists() == first
    said = 1
    if not first:
        with pytest.raises(FileError, match=r"The first process cannot have the run folder .*what its message says"):
            hold(folder).__enter__()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"run folder .*file/run cannot be made or written to: .*Not a directory"):
        hold(Path(tmp_path / "file" / "run")).__enter__()
