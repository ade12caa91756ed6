"""What lies on the device during training: the data, twice at the most, and a few copies of the weights."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax.train import ArraySource, SilentMeter, StreamSource, fit
from latax.train.trainer import CALL_STEPS
from tests.train.problem import phase

ROWS, WIDTH, BATCH = 200_000, 8, 2000


class Wide(eqx.Module):
    encoder: jax.Array
    weight: jax.Array

    def __init__(self, key):
        self.encoder = jr.normal(key, (WIDTH, WIDTH))
        self.weight = jnp.zeros((WIDTH, 200))


def objective(model, batch, key):
    return {"size": jnp.mean((batch["x"] @ model.weight) ** 2)}


def metric(model, batch):
    return jnp.mean((batch["x"] @ model.weight) ** 2, axis=1)


def encoded(model, batch):
    return {"x": batch["x"] @ model.encoder}


class Weighing(SilentMeter):
    """The most bytes that were on the device after a call; buffers that several arrays share count once."""

    most = 0

    def advance(self, position, phase, speed):
        buffers = {
            a.unsafe_buffer_pointer(): a.nbytes for a in jax.live_arrays() if jnp.issubdtype(a.dtype, jnp.number)
        }
        self.most = max(self.most, sum(buffers.values()))


def weigh(source, **options):
    before = Weighing()
    before.advance(0, "", 0.0)
    meter = Weighing()
    trained = {"objective": objective, "metric": metric, "trainable": lambda m: m.weight, "batch_size": BATCH}
    recipe = [phase("raw", 3, **trained), phase("prepared", ROWS // BATCH, prepare=encoded, **trained)]
    validation = {"x": jnp.zeros((100, WIDTH))}
    fit(Wide, recipe, source, validation=validation, meter=meter, **options)
    return meter.most - before.most


WEIGHTS = 4 * WIDTH * (200 + WIDTH)
PLANS = 2 * CALL_STEPS * BATCH * 4


@pytest.mark.parametrize("replicates", [1, 3])
def test_twice_the_data_and_some_weights(replicates, monkeypatch):
    monkeypatch.setattr("latax.train.program.PREPARED_BYTES", 0)
    monkeypatch.setattr("latax.train.run.CALL_SECONDS", 0.2)
    source = ArraySource({"x": jnp.asarray(np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float32))})
    size = 4 * ROWS * WIDTH
    found = weigh(source, replicates=replicates)
    # The source's own array was there before: what is added is one prepared copy, the best weights, two moments.
    assert found <= size + replicates * (6 * WEIGHTS + PLANS) + 100_000
    if replicates == 1:
        assert found > size  # prepared at once: the bound is not empty


def test_a_stream_keeps_nothing_on_the_device(monkeypatch):
    monkeypatch.setattr("latax.train.trainer.PLAN_BYTES", 2**20)
    x = np.zeros((ROWS, WIDTH), np.float32)
    found = weigh(StreamSource({"x": x}))
    assert found <= 2 * 2**20 + 6 * WEIGHTS + 100_000
