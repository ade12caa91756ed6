import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.train import ArraySource, SamplerSource
from latax.train.shuffle import Shuffle

SEED = (3, 1)


def numbers(rows):
    return ArraySource({"x": jnp.arange(rows)})


def test_every_row_comes_once_an_epoch_in_a_new_order():
    source = numbers(20)
    plan = source.plan(SEED, 0, 10, 4)
    epochs = plan.reshape(2, 20)
    assert (np.sort(epochs, axis=1) == np.arange(20)).all()
    assert (epochs[0] != epochs[1]).any()
    assert (epochs[0] != np.arange(20)).any()


def test_the_incomplete_last_batch_is_dropped():
    plan = numbers(11).plan(SEED, 0, 4, 4)
    assert len(np.unique(plan[:2])) == 8
    assert len(np.unique(plan[2:])) == 8


def test_the_plan_does_not_depend_on_how_it_is_asked_for():
    source = numbers(10)
    whole = source.plan(SEED, 0, 12, 3)
    for cut in range(1, 12):
        parts = [source.plan(SEED, 0, cut, 3), source.plan(SEED, cut, 12 - cut, 3)]
        assert (np.concatenate(parts) == whole).all()
    assert (numbers(10).plan(SEED, 7, 5, 3) == whole[7:]).all()
    assert (source.plan((4, 1), 0, 12, 3) != whole).any()
    assert (source.plan((3, 2), 0, 12, 3) != whole).any()
    assert (source.rows_of(SEED, 5, 3) == whole[5]).all()


def test_the_plan_is_as_announced():
    source = numbers(10)
    like, plan = source.plan_like(3), source.plan(SEED, 0, 2, 3)
    assert plan.shape == (2, *like.shape)
    assert plan.dtype == like.dtype


def test_the_batch_is_the_planned_rows():
    source = ArraySource({"x": jnp.arange(10) * 10, "y": jnp.arange(30).reshape(10, 3)})
    batch = source.make_batch(source.resident(), jnp.array([7, 2]), 2, jr.key(0))
    assert batch["x"].tolist() == [70, 20]
    assert batch["y"].tolist() == [[21, 22, 23], [6, 7, 8]]


class Normal(eqx.Module):
    scale: jax.Array

    def __call__(self, key, batch_size):
        return {"x": self.scale * jr.normal(key, (batch_size,))}


def test_a_sampler_draws_with_its_arrays_from_the_key():
    source = SamplerSource(Normal(jnp.float32(2.0)))
    assert source.plan(SEED, 0, 3, 5) == ()
    assert source.rows_of(SEED, 0, 5) is None
    assert jax.tree.leaves(source.resident()) == [2.0]
    doubled = jax.tree.map(lambda a: 2 * a, source.resident())
    draws = [source.make_batch(resident, (), 5, jr.key(0))["x"] for resident in (source.resident(), doubled)]
    assert draws[0].shape == (5,)
    assert (draws[1] == 2 * draws[0]).all()
    assert (source.make_batch(source.resident(), (), 5, jr.key(1))["x"] != draws[0]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: numbers(3).plan(SEED, 0, 1, 4),
            r"batch_size=4 is larger than the 3 training rows\. Give a batch_size",
        ),
        (
            lambda: ArraySource({"x": jnp.zeros(3), "y": jnp.zeros(4)}),
            r"must have the same number of rows.*\{'x': 3, 'y': 4\}",
        ),
        (lambda: ArraySource({}), r"at least one array; got \{\}"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_permutations_are_remembered_within_bounds():
    shuffle = Shuffle(keep_bytes=1000)
    first = shuffle((1,), 100)
    assert shuffle((1,), 100) is first
    for seed in range(2, 6):
        shuffle((seed,), 100)
    assert shuffle((1,), 100) is not first
    assert (shuffle((1,), 100) == first).all()
    assert (np.sort(Shuffle(keep_bytes=0)((1,), 100)) == np.arange(100)).all()
