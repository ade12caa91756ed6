import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
import paramax
import pytest

from latax._errors import ConfigError
from latax.train import Alternate, everything
from tests.train.problem import Line, objective, phase

MODEL = Line(jr.key(0))


def test_trains_what_is_picked():
    spec = phase(trainable=lambda model: model.weight).filter_spec(MODEL)
    assert spec.weight is True
    assert spec.bias is False
    both = phase(trainable=lambda model: (model.weight, model.bias)).filter_spec(MODEL)
    assert both.weight is True
    assert both.bias is True
    assert phase(trainable=lambda model: model).filter_spec(MODEL) == phase(trainable=everything).filter_spec(MODEL)


@pytest.mark.parametrize("trainable", [everything, lambda m: (m.weight, m.bias), lambda m: (m.weight.tree, m.bias)])
def test_non_trainable_stays_frozen_whatever_is_picked(trainable):
    frozen = eqx.tree_at(lambda m: m.weight, MODEL, paramax.NonTrainable(MODEL.weight))
    spec = phase(trainable=trainable).filter_spec(frozen)
    assert spec.bias is True
    assert jax.tree.leaves(spec.weight) == [False]
    assert jax.tree.leaves(phase(trainable=everything).filter_spec(MODEL)) == [True, True]


@pytest.mark.parametrize("trainable", [lambda m: m.weight, lambda m: m.weight.tree])
def test_picking_only_what_is_frozen_is_an_error(trainable):
    frozen = eqx.tree_at(lambda m: m.weight, MODEL, paramax.NonTrainable(MODEL.weight))
    with pytest.raises(ConfigError, match=r"trains nothing.*not frozen by paramax\.NonTrainable"):
        phase(trainable=trainable).filter_spec(frozen)


def test_integers_are_not_trained():
    model = eqx.tree_at(lambda m: m.bias, MODEL, jnp.arange(3))
    assert phase().filter_spec(model).bias is False
    with pytest.raises(ConfigError, match=r"'all' trains nothing: `trainable` picks no floating-point array"):
        phase(trainable=lambda m: m.bias).filter_spec(model)


def test_weights_are_numbers_schedules_or_one():
    weighted = phase(weights={"a": 3.0, "b": optax.linear_schedule(0.0, 1.0, 10)})
    terms = {"a": jnp.float32(1.0), "b": jnp.float32(10.0), "c": jnp.float32(100.0)}
    assert weighted.total(terms, jnp.int32(0)) == 103.0
    assert weighted.total(terms, jnp.int32(5)) == 108.0
    assert phase(weights={"a": 0.0}).total(terms, jnp.int32(5)) == 110.0


def test_total_in_float64(x64):
    terms = {"a": jnp.asarray(1.0), "b": jnp.float32(2.0)}
    total = phase(weights={"a": optax.linear_schedule(0.0, 1.0, 10)}).total(terms, jnp.int32(5))
    assert total.dtype == jnp.float64
    assert total == 2.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: phase(steps=0), r"Phase 'all' has steps=0; it must be at least 1\."),
        (lambda: phase(batch_size=0), r"Phase 'all' has batch_size=0; it must be at least 1\."),
        (lambda: Alternate(phases=[], rounds=1), r"An Alternate needs at least one Phase"),
        (
            lambda: Alternate(phases=[phase(steps=5)], rounds=6),
            r"rounds=6 must lie between 1 and the fewest steps of a phase, 5\.",
        ),
        (lambda: Alternate(phases=[phase()], rounds=0), r"rounds=0 must lie between 1 and"),
        (lambda: phase().check_terms({}), r"The objective of phase 'all' returns no term"),
        (
            lambda: phase().check_terms({"error": jnp.zeros(16)}),
            r"The term 'error' of phase 'all' is an array of shape \(16,\).*Average it over the batch",
        ),
        (lambda: phase().check_terms({"n": jnp.int32(1)}), r"type int32; a term is one floating-point number"),
        (
            lambda: phase(weights={"eror": 1.0}).check_terms(objective(MODEL, _batch(), jr.key(0))),
            r"Phase 'all' has weights for \['eror'\], but its objective returns \['error'\]",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def _batch():
    return {"x": jnp.zeros((4, 3)), "y": jnp.zeros(4)}
