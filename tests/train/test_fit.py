"""The loop: what is trained, reported, chosen and kept, over one and several phases."""

import importlib

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import paramax
import pytest

from latax._errors import ConfigError
from latax.train import Alternate, ArraySource, MemoryTracker, SamplerSource, SilentMeter, StreamSource, fit
from latax.train.program import prepares_once
from latax.train.trainer import Trainer
from tests.train.problem import Line, arrays, data, objective, phase, source, squared_error

VALIDATION = data(32, seed=1)


EXPLODING = optax.sgd(lambda step: jnp.where(step < 30, 0.05, 5.0))


def train(recipe, data=None, **options):
    tracker = MemoryTracker()
    fitted = fit(Line, recipe, source() if data is None else data, tracker=tracker, **options)
    return fitted, tracker.records


def test_learns_and_reports():
    fitted, records = train([phase(steps=120, metric=squared_error)], validation=VALIDATION, reports=4)
    assert fitted.metric < 0.05
    assert fitted.steps == 120
    assert [record["position"] for record in records] == [30, 60, 90, 120]
    assert records[0]["phase"] == "all"
    assert records[-1]["terms"]["error"][0] < 0.1 * records[0]["terms"]["error"][0]
    assert fitted.metric[0] == pytest.approx(min(record["validation"][0] for record in records))
    assert fitted.model.weight.shape == (1, 3)


def test_the_reported_terms_are_averages_over_the_steps():
    _, every = train([phase(steps=6)], reports=6)
    _, two = train([phase(steps=6)], reports=2)
    losses = [record["terms"]["error"][0] for record in every]
    assert len(losses) == 6
    assert [record["terms"]["error"][0] for record in two] == pytest.approx([sum(losses[:3]) / 3, sum(losses[3:]) / 3])


def test_phases_train_their_parts_and_leave_the_rest_to_the_bit():
    start = Line(jr.fold_in(jr.key(0), 0))
    first, _ = train([phase("weight", trainable=lambda m: m.weight)])
    assert np.array_equal(first.model.bias[0], start.bias)
    assert not np.array_equal(first.model.weight[0], start.weight)
    both, records = train([phase("weight", trainable=lambda m: m.weight), phase("bias", trainable=lambda m: m.bias)])
    assert np.array_equal(both.model.weight, first.model.weight)
    assert not np.array_equal(both.model.bias[0], start.bias)
    assert {record["phase"] for record in records} == {"weight", "bias"}


def test_non_trainable_is_not_decayed():
    def init(key):
        return eqx.tree_at(lambda m: m.weight, Line(key), replace_fn=paramax.NonTrainable)

    def unwrapped(model, batch, key):
        return objective(paramax.unwrap(model), batch, key)

    recipe = [phase(objective=unwrapped, optimizer=optax.adamw(0.05, weight_decay=0.5))]
    fitted = fit(init, recipe, source())
    assert np.array_equal(fitted.model.weight.tree[0], Line(jr.fold_in(jr.key(0), 0)).weight)
    assert fitted.model.bias != 0


def test_alternate_keeps_the_optimiser_between_rounds():
    # With the other phase idle, ten rounds of momentum are one long phase; an optimiser begun anew would lag behind.
    options = {"steps": 20, "optimizer": optax.sgd(0.01, momentum=0.9), "trainable": lambda m: m.weight}
    idle = phase("idle", 10, optimizer=optax.sgd(0.0), trainable=lambda m: m.bias)
    rounds, records = train([Alternate(phases=[phase("weight", **options), idle], rounds=10)], reports=10)
    whole, _ = train([phase("weight", **options)])
    broken, _ = train([phase("weight", **options | {"optimizer": optax.sgd(0.01)})])
    np.testing.assert_allclose(rounds.model.weight, whole.model.weight, rtol=1e-6)
    assert not np.allclose(broken.model.weight, whole.model.weight, rtol=1e-2)
    assert [r["position"] for r in records[:4]] == [2, 3, 5, 6]


def test_an_alternate_is_judged_by_the_sum_of_its_metrics_at_the_end_of_a_round():
    twice = lambda model, batch: 2 * squared_error(model, batch)
    phases = [phase("a", 4, metric=squared_error), phase("b", 4, metric=twice)]
    fitted, records = train([Alternate(phases=phases, rounds=2)], validation=VALIDATION, reports=2)
    validated = [record for record in records if "validation" in record]
    assert [(record["phase"], record["step"]) for record in validated] == [("b", 2), ("b", 4)]
    model = jax.tree.map(lambda a: a[0], fitted.model)
    assert fitted.metric[0] == pytest.approx(3 * float(jnp.mean(squared_error(model, VALIDATION))), rel=1e-5)


def test_the_best_weights_are_kept_and_not_the_last():
    # The learning rate explodes halfway: the last weights are the worst. The released M-flow code kept those.
    recipe = [phase(steps=40, optimizer=EXPLODING, metric=squared_error)]
    fitted, records = train(recipe, validation=VALIDATION, reports=8)
    metrics = [record["validation"][0] for record in records]
    model = jax.tree.map(lambda a: a[0], fitted.model)
    assert metrics[-1] > 10 * min(metrics)
    assert fitted.metric[0] == pytest.approx(min(metrics))
    assert float(jnp.mean(squared_error(model, VALIDATION))) == pytest.approx(min(metrics), rel=1e-5)
    last, _ = train(recipe, validation=None)
    assert np.isinf(last.metric)
    assert not np.allclose(arrays(last.model), arrays(fitted.model))


def test_a_stage_begins_with_the_best_weights_of_the_one_before():
    spoiled = phase("spoiled", 40, optimizer=EXPLODING, metric=squared_error)
    still = phase("still", 1, optimizer=optax.sgd(0.0))
    alone, _ = train([spoiled], validation=VALIDATION, reports=8)
    followed, _ = train([spoiled, still], validation=VALIDATION, reports=8)
    assert np.array_equal(arrays(followed.model), arrays(alone.model))


@pytest.mark.parametrize("replicate", [0, 2])
def test_a_replicate_is_the_single_run_of_its_seed(replicate):
    recipe = [phase(steps=20, metric=squared_error)]
    many, records = train(recipe, replicates=3, seed=5, validation=VALIDATION, reports=4)
    single, alone = train(recipe, seed=5 + replicate, validation=VALIDATION, reports=4)
    np.testing.assert_allclose(many.model.weight[replicate], single.model.weight[0], rtol=1e-6)
    assert many.metric[replicate] == pytest.approx(single.metric[0], rel=1e-6)
    for one, other in zip(records, alone, strict=True):
        assert one["terms"]["error"][replicate] == pytest.approx(other["terms"]["error"][0], rel=1e-6)
    assert not np.allclose(many.model.weight[1], single.model.weight[0], rtol=1e-3)


def test_each_replicate_keeps_its_own_best():
    recipe = [phase(steps=30, optimizer=optax.sgd(0.6), metric=squared_error)]
    fitted, records = train(recipe, replicates=4, validation=VALIDATION, reports=15)
    history = np.array([record["validation"] for record in records])
    assert len(set(history.argmin(axis=0))) > 1
    np.testing.assert_allclose(fitted.metric, history.min(axis=0), rtol=1e-6)


def halved(model, batch):
    return {"half": batch["x"] @ model.weight / 2, "y": batch["y"]}


def of_half(model, batch, key):
    return {"error": jnp.mean((2 * batch["half"] + model.bias - batch["y"]) ** 2)}


@pytest.mark.parametrize("replicates", [1, 2])
def test_preparing_the_data_once_or_every_batch_is_the_same(replicates, monkeypatch):
    recipe = [phase(objective=of_half, trainable=lambda m: m.bias, prepare=halved)]
    once, _ = train(recipe, replicates=replicates)
    never = lambda *arguments: False
    monkeypatch.setattr("latax.train.trainer.prepares_once", never)
    every, _ = train(recipe, replicates=replicates)
    np.testing.assert_allclose(once.model.bias, every.model.bias, rtol=1e-5)
    double = lambda model, batch: halved(model, batch | {"y": 2 * batch["y"]})
    other, _ = train([phase(objective=of_half, trainable=lambda m: m.bias, prepare=double)])
    assert not np.allclose(other.model.bias[0], once.model.bias[0])


def test_data_are_prepared_once_where_that_pays_and_fits(monkeypatch):
    model, static = eqx.partition(Line(jr.key(0)), eqx.is_array)
    preparing = phase(objective=of_half, prepare=halved)
    pays = lambda stretch, replicates=1, data=None: prepares_once(
        preparing, stretch, data or source(), model, static, replicates
    )
    assert pays(stretch=4)
    assert not pays(stretch=3)
    assert not prepares_once(phase(), 4, source(), model, static, 1)
    assert not pays(4, data=StreamSource({name: np.asarray(value) for name, value in data().items()}))
    monkeypatch.setattr("latax.train.program.PREPARED_BYTES", 0)
    assert pays(4, replicates=2)
    assert not pays(4, replicates=3)


def test_begin_starts_from_the_first_batch():
    def centred(model, batch):
        return eqx.tree_at(lambda m: m.bias, model, jnp.mean(batch["y"]))

    fitted, _ = train([phase(steps=1, optimizer=optax.sgd(0.0), begin=centred)], seed=3, replicates=2)
    for replicate in range(2):
        rows = source().plan((3 + replicate, 1), 0, 1, 16)[0]
        assert fitted.model.bias[replicate] == pytest.approx(float(np.mean(data()["y"][rows])), rel=1e-5)


def test_a_sampler_and_a_stream_train_too():
    draw = lambda key, size: {"x": jr.normal(key, (size, 3)), "y": jnp.ones(size)}
    sampled, _ = train([phase(steps=150)], data=SamplerSource(draw))
    np.testing.assert_allclose(sampled.model.bias, 1.0, atol=0.1)
    on_disk = {name: np.asarray(value) for name, value in data().items()}
    streamed, _ = train([phase(steps=150)], data=StreamSource(on_disk, block=4, window_bytes=16 * 20))
    np.testing.assert_allclose(streamed.model.weight[0], [1.0, -2.0, 0.5], atol=0.1)


def test_what_prepare_maps_may_come_from_a_stream():
    options = {"objective": of_half, "trainable": lambda m: m.bias, "prepare": halved}
    on_disk = {name: np.asarray(value) for name, value in data().items()}
    streamed, _ = train([phase(**options)], data=StreamSource(on_disk))
    assert streamed.model.bias != 0


@pytest.mark.parametrize("replicates", [1, 2])
def test_a_program_is_compiled_once_for_calls_of_all_lengths(monkeypatch, replicates):
    monkeypatch.setattr("latax.train.run.CALL_SECONDS", 0.001)
    programs = []
    make = Trainer._make_programs
    monkeypatch.setattr(Trainer, "_make_programs", lambda self: programs.append(make(self)) or programs[0])
    train([phase(steps=40, metric=squared_error)], validation=VALIDATION, reports=3, replicates=replicates)
    assert programs[0]["all"].run._cache_size() == 1
    assert programs[0]["all"].evaluate._cache_size() == 1


def test_in_float64(x64):
    double = lambda tree: jax.tree.map(lambda a: a.astype(float), tree)
    fitted = fit(Line, [phase(metric=squared_error)], ArraySource(double(data())), validation=double(VALIDATION))
    assert fitted.model.weight.dtype == jnp.float64
    assert fitted.metric.dtype == np.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, r"seed=-1 must be a whole number of at least 0\."),
        ({"replicates": 0}, r"replicates=0 must be a whole number of at least 1\."),
        ({"reports": 0}, r"reports=0 must be a whole number of at least 1\."),
        ({"validation": data(0)}, r"The validation data have no rows\."),
    ],
)
def test_errors(options, message):
    with pytest.raises(ConfigError, match=message):
        train([phase()], **options)


def test_a_batch_larger_than_the_data():
    with pytest.raises(ConfigError, match=r"batch_size=16 is larger than the 8 training rows"):
        train([phase()], data=source(rows=8))


class Watching(SilentMeter):
    def __init__(self):
        self.events = []

    def start(self, total, position):
        self.events.append(("start", total, position))

    def advance(self, position, phase, speed):
        self.events.append(("advance", position, phase))

    def stop(self):
        self.events.append(("stop",))


def test_the_meter_is_told_everything_and_stopped_before_an_error_leaves():
    meter = Watching()
    train([phase("a", 5), phase("b", 5)], meter=meter)
    assert meter.events[0] == ("start", 10, 0)
    assert meter.events[-2:] == [("advance", 10, "b"), ("stop",)]
    failing = Watching()
    with pytest.raises(ConfigError, match="no such term"):
        train([phase("a", 5), phase("b", 5, weights={"no such term": 1.0})], meter=failing)
    assert failing.events[-1] == ("stop",)


def test_each_fit_makes_room_for_its_programs(monkeypatch):
    asked = []
    monkeypatch.setattr(importlib.import_module("latax.train.fit"), "forget_many_programs", lambda: asked.append(True))
    train([phase(steps=2)])
    assert asked == [True]
