"""A run that was stopped anywhere goes on to the same bits."""

import json
import signal

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from latax._errors import FileError
from latax.train import Alternate, Interruption, JSONLTracker, SilentMeter, fit, identity
from tests.train.problem import (
    Line,
    Rows,
    arrays,
    data,
    objective,
    phase,
    sampler,
    source,
    squared_error,
    starting_at_the_mean,
    stream,
)

VALIDATION = data(32, seed=1)


def recipe(steps=4):
    rounds = [phase("b", 2, trainable=lambda m: m.bias, metric=squared_error), phase("c", 3)]
    return [phase("a", steps, metric=squared_error), Alternate(phases=rounds, rounds=2)]


class Stopping(SilentMeter):
    """Sends a signal after some calls of the compiled program."""

    def __init__(self, calls, number=signal.SIGTERM):
        self.calls, self.number = calls, number

    def advance(self, position, phase, speed):
        self.calls -= 1
        if self.calls == 0:
            signal.raise_signal(self.number)


def train(folder, *, resume=False, meter=None, steps=4, seed=0, tracker=True):
    return fit(
        Line,
        recipe(steps),
        source(),
        validation=VALIDATION,
        replicates=2,
        reports=2,
        seed=seed,
        folder=folder,
        resume=resume,
        meter=meter,
        tracker=JSONLTracker(folder / "metrics.jsonl") if tracker else None,
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    return arrays(train(folder).model), (folder / "metrics.jsonl").read_bytes()


def test_stopped_at_every_call_and_resumed(tmp_path, reference):
    for stop in range(1, 10):
        with pytest.raises(Interruption, match=f"Stopped at step {stop} of 9") as stopped:
            train(tmp_path, resume=True, meter=Stopping(1))
        assert stopped.value.signal == signal.SIGTERM
    fitted = train(tmp_path, resume=True, meter=Stopping(1))
    assert fitted.steps == 0
    assert np.array_equal(arrays(fitted.model), reference[0])
    assert (tmp_path / "metrics.jsonl").read_bytes() == reference[1]


def scaled(model, batch):
    return batch | {"x": batch["x"] * (1 + model.weight)[None]}


@pytest.mark.parametrize("make", [source, stream, sampler])
def test_a_start_from_data_and_prepared_data_come_again(tmp_path, make):
    bias = {"trainable": lambda m: m.bias, "prepare": scaled, "begin": starting_at_the_mean}
    rounds = [phase("b", 4, **bias), phase("c", 2)]
    recipe = [phase("a", 6, begin=starting_at_the_mean, metric=squared_error), Alternate(phases=rounds, rounds=2)]

    def train(folder, stop=0):
        options = {"validation": VALIDATION, "replicates": 2, "reports": 2, "folder": folder, "resume": True}
        tracker = JSONLTracker(folder / "metrics.jsonl")
        fitted = fit(Line, recipe, make(), **options, meter=Stopping(stop), tracker=tracker)
        return arrays(fitted.model), tracker.path.read_bytes()

    whole, metrics = train(tmp_path / "whole")
    for _ in range(12):
        with pytest.raises(Interruption):
            train(tmp_path / "parts", stop=1)
    resumed, again = train(tmp_path / "parts")
    assert np.array_equal(resumed, whole)
    assert again == metrics


def test_a_complete_run_resumes_at_once(tmp_path, reference, monkeypatch):
    first = train(tmp_path)
    monkeypatch.setattr("latax.train.run.advance", None)  # nothing is trained
    again = train(tmp_path, resume=True)
    assert again.steps == 0
    assert np.array_equal(arrays(again.model), arrays(first.model))
    assert np.array_equal(again.metric, first.metric)
    assert (tmp_path / "metrics.jsonl").read_bytes() == reference[1]


def test_another_seed_is_another_run(tmp_path, reference):
    assert not np.array_equal(arrays(train(tmp_path, seed=1).model), reference[0])


def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(tmp_path, reference):
    with pytest.raises(KeyboardInterrupt, match=rf"Stopped at step \d of 9; go on with `latax resume {tmp_path}`"):
        train(tmp_path, meter=Stopping(2, signal.SIGINT))
    assert np.array_equal(arrays(train(tmp_path, resume=True).model), reference[0])


def test_a_signal_while_a_program_is_compiled(tmp_path):
    def update(updates, state, params=None):
        signal.raise_signal(signal.SIGTERM)  # runs while the loop is traced, and at no other time
        return updates, state

    recipe = [phase(optimizer=optax.chain(optax.GradientTransformation(lambda params: (), update), optax.sgd(0.1)))]
    with pytest.raises(Interruption, match="Stopped at step 1 of 12; go on with"):
        fit(Line, recipe, source(), folder=tmp_path)
    assert (tmp_path / "checkpoints" / "1").is_dir()


def test_without_a_folder_nothing_is_kept():
    with pytest.raises(Interruption, match=r"without a run folder nothing is kept"):
        fit(Line, recipe(), source(), meter=Stopping(1))


def test_a_run_is_not_overwritten(tmp_path, reference):
    with pytest.raises(Interruption):
        train(tmp_path, meter=Stopping(2))
    with pytest.raises(FileError, match=r"holds a run, up to step 2; nothing in it was touched\."):
        train(tmp_path)
    assert np.array_equal(arrays(train(tmp_path, resume=True).model), reference[0])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"seed": 1}, "first batch, seed"),
        ({"steps": 6}, "recipe"),
        ({"steps": 6, "seed": 1}, "first batch, recipe, seed"),
    ],
)
def test_another_run_is_not_resumed(tmp_path, change, what):
    with pytest.raises(Interruption):
        train(tmp_path, meter=Stopping(1))
    before = (tmp_path / "metrics.jsonl").read_bytes()
    with pytest.raises(FileError, match=rf"belongs to another run than .*; they differ in: {what}\. Resume with what"):
        train(tmp_path, resume=True, **change)
    assert (tmp_path / "metrics.jsonl").read_bytes() == before


def moved(made):
    return jax.tree.map(lambda a: Rows(1 + a.values) if isinstance(a, Rows) else 1 + a, made)


def lowered(step):
    return jnp.where(step < 6, 1.0, 0.5)


ADAMW = optax.adamw(0.05)
CHANGES = {
    "rows": ({"source": source(48)}, "data, first batch"),
    "values": ({"source": moved(source())}, "data"),
    "kind of source": ({"source": stream()}, "data, first batch"),
    "validation": ({"validation": moved(VALIDATION)}, "validation"),
    "no validation": ({"validation": None}, "validation"),
    "optimiser": ({"recipe": [phase(optimizer=optax.sgd(0.05))]}, "optimizer"),
    "optimiser with the same arrays": ({"recipe": [phase(optimizer=ADAMW)]}, "optimizer"),
    "weight": ({"recipe": [phase(weights={"error": 2.0})]}, "weights"),
    "schedule": ({"recipe": [phase(weights={"error": lowered})]}, "weights"),
    "terms": ({"recipe": [phase(objective=lambda *_: {"other": objective(*_)["error"]})]}, "terms"),
    "metric": ({"recipe": [phase(metric=squared_error)]}, "recipe"),
    "replicates": ({"replicates": 2}, "model, optimizer, terms"),
    "batch size": ({"recipe": [phase(batch_size=8)]}, "first batch, recipe"),
    "name": ({"recipe": [phase("b")]}, "optimizer, recipe, terms"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_can_be_compared_must_be_the_same(tmp_path, name):
    options = {"init": Line, "recipe": [phase()], "source": source(), "validation": VALIDATION, "folder": tmp_path}
    with pytest.raises(Interruption):
        fit(**options, meter=Stopping(1))
    changed, what = CHANGES[name]
    with pytest.raises(FileError, match=rf"they differ in: {what}\."):
        fit(**(options | changed), resume=True)
    assert fit(**options, resume=True).steps == 11


@pytest.mark.parametrize(("make", "what"), [(stream, "first batch"), (sampler, "data")])
def test_other_data_of_a_stream_or_a_sampler_are_another_run(tmp_path, make, what):
    with pytest.raises(Interruption):
        fit(Line, [phase()], make(), folder=tmp_path, meter=Stopping(1))
    for other in (moved(make()), make(48)):
        with pytest.raises(FileError, match=rf"they differ in: {what}\."):
            fit(Line, [phase()], other, folder=tmp_path, resume=True)
    assert fit(Line, [phase()], make(), folder=tmp_path, resume=True).steps == 11


def test_large_arrays_are_compared_by_some_rows(monkeypatch):
    monkeypatch.setattr(identity, "BYTES", 64)
    of = lambda array: identity.of_arrays({"a": array})
    a = np.arange(64, dtype=np.float32)
    assert of(a) == of(jnp.asarray(a))
    assert of(a) != of(a + 1)
    assert of(a) != of(a[:-1])
    assert of(a) == of(np.where(a == 3, 0.0, a).astype(np.float32))  # between the rows that are looked at
    assert of(np.float32(1)) != of(np.float32(2))
    assert of(jr.key(0)) != of(jr.key(1))


KILLED = """
import os, random, signal, sys, time
from pathlib import Path

os.environ["XLA_FLAGS"] = ""  # so many steps are worth optimising

import latax.train.run as run
from latax.train import Alternate, JSONLTracker, fit
from tests.train.problem import Line, arrays, data, phase, source, squared_error

run.CALL_SECONDS, run.CHECKPOINT_SECONDS = 0.02, 0.15

def recipe():
    slow = [phase("b", 1500, metric=squared_error), phase("c", 1500, trainable=lambda m: m.bias, metric=squared_error)]
    return [phase("a", 12000, metric=squared_error), Alternate(phases=slow, rounds=3)]

def train(folder):
    fitted = fit(Line, recipe(), source(), validation=data(32, seed=1), replicates=2, folder=folder, resume=True,
                 tracker=JSONLTracker(folder / "metrics.jsonl"))
    (folder / "weights").write_bytes(arrays(fitted.model).tobytes())

def child(folder):
    # JAX has not started any thread before the fork; every child starts as a fresh process would.
    pid = os.fork()
    if pid == 0:
        try:
            train(folder)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
        os._exit(0)
    return pid

def saved(folder):
    return max((int(p.name) for p in folder.glob("checkpoints/*") if p.name.isdigit()), default=0)

moments, here = random.Random(0), Path(sys.argv[1])
whole, killed = here / "whole", here / "killed"
whole.mkdir(); killed.mkdir()
assert os.waitpid(child(whole), 0)[1] == 0
positions = []
for kill in range(10):
    before, pid = saved(killed), child(killed)
    if kill % 2:  # somewhere in the training, else somewhere in the start
        while saved(killed) == before and os.waitpid(pid, os.WNOHANG)[0] == 0:
            time.sleep(0.01)
    time.sleep(moments.uniform(0.0, 0.5))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    positions.append(saved(killed))
assert os.waitpid(child(killed), 0)[1] == 0
print(positions)
"""


def test_killed_at_ten_random_moments(tmp_path, run_python):
    printed = run_python(KILLED.replace("sys.argv[1]", repr(str(tmp_path))), devices=1, timeout=900)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert (whole / "weights").read_bytes() == (killed / "weights").read_bytes()
    assert (whole / "metrics.jsonl").read_bytes() == (killed / "metrics.jsonl").read_bytes()
    assert len(set(json.loads(printed))) >= 4, printed
    assert len((whole / "metrics.jsonl").read_text().splitlines()) > 100
    leftovers = [p.name for p in (killed / "checkpoints").iterdir() if not p.name.isdigit()]
    assert leftovers == [], "a killed save leaves nothing behind for ever"
