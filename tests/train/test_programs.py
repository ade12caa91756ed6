"""Programs that outlive a run: when they are shared, and that they keep nothing of it."""

import gc
import weakref

import equinox as eqx
import jax
import optax
import pytest

from latax.train import SamplerSource, StreamSource
from latax.train.layout import Layout
from latax.train.optimizer import adamw_cosine
from latax.train.programs import program_for
from tests.train.problem import Line, data, objective, phase, source


class Program:
    """What `program_for` is asked for, one argument changed at a time."""

    def __init__(self):
        self.model = Line(jax.random.key(0))
        self.optimizer = adamw_cosine(0.1, 10)

    def __call__(self, source_=None, replicates=1, model=None, once=False, **options):
        recipe = phase(**({"optimizer": self.optimizer} | options))
        model = self.model if model is None else model
        layout = Layout(replicates, [recipe.batch_size], jax.devices()[:1])
        return program_for(
            recipe,
            source_ or source(),
            layout,
            eqx.filter(model, eqx.is_array, inverse=True),
            model,
            prepares_once=once,
        )


class Unhashable:
    """A function that Python cannot look up."""

    __hash__ = None

    def __call__(self, *arguments):
        return optax.sgd(0.1).init(*arguments)


def test_equal_runs_share_a_program():
    ask = Program()
    assert ask() is ask()
    assert ask(weights={"error": 2.0}) is ask(weights={"error": 2.0})
    assert ask(optimizer=adamw_cosine(0.1, 10)) is ask()


@pytest.mark.parametrize(
    "difference",
    [
        {"replicates": 2},
        {"once": True},
        {"weights": {"error": 2.0}},
        {"optimizer": adamw_cosine(0.2, 10)},
        {"optimizer": optax.sgd(0.1)},
        {"objective": lambda *arguments: objective(*arguments)},
        {"batch_size": 3},
        {"trainable": lambda model: model.bias},
        {"source_": StreamSource(data())},
        {"model": jax.tree.map(lambda leaf: leaf.astype("float16"), Line(jax.random.key(0)))},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_runs_that_differ_do_not(difference):
    ask = Program()
    assert ask(**difference) is not ask()


def test_samplers_are_told_apart_by_what_they_are():
    def one(key, size):
        return {"x": jax.random.normal(key, (size, 3)), "y": jax.random.normal(key, (size,))}

    def other(key, size):
        return one(key, size)

    ask = Program()
    assert ask(SamplerSource(one)) is ask(SamplerSource(one))
    assert ask(SamplerSource(one)) is not ask(SamplerSource(other))


def test_a_program_of_parts_that_cannot_be_compared_is_not_shared():
    ask = Program()
    ask.optimizer = optax.GradientTransformation(Unhashable(), Unhashable())
    assert ask() is not ask()


def test_programs_do_not_hold_the_data():
    held = source()
    kept = weakref.ref(held.arrays["x"])
    program = Program()(held)
    del held
    gc.collect()
    assert program is not None
    assert kept() is None
