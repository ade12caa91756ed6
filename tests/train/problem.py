"""A problem that compiles in no time: a line through noisy points, with everything the loop can be asked for."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

from latax.train import ArraySource, Phase, SamplerSource, StreamSource

ROWS = 64


class Line(eqx.Module):
    """y = weight . x + bias"""

    weight: jax.Array
    bias: jax.Array

    def __init__(self, key):
        self.weight = jr.normal(key, (3,))
        self.bias = jnp.zeros(())

    def __call__(self, x):
        return jnp.dot(self.weight, x) + self.bias


def data(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -2.0, 0.5], np.float32) + 0.3 + 0.1 * rng.normal(size=rows)).astype(np.float32)
    return {"x": jnp.asarray(x), "y": jnp.asarray(y)}


def source(rows=ROWS):
    return ArraySource(data(rows))


class Rows:
    """Rows that are read by slices."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = np.asarray(values), values.shape, values.dtype

    def __getitem__(self, index):
        return self.values[index]


def stream(rows=ROWS):
    """Two windows, of eight blocks each."""
    return StreamSource({name: Rows(a) for name, a in data(rows).items()}, block=4, window_bytes=512)


class Sampler(eqx.Module):
    """Rows drawn from arrays that it holds."""

    rows: dict[str, jax.Array]

    def __call__(self, key, batch_size):
        chosen = jr.randint(key, (batch_size,), 0, ROWS)
        return {name: a[chosen] for name, a in self.rows.items()}


def sampler(rows=ROWS):
    return SamplerSource(Sampler(data(rows)))


def squared_error(model, batch):
    return (jax.vmap(model)(batch["x"]) - batch["y"]) ** 2


def objective(model, batch, key):
    """The error under noise drawn from the key, so that a wrong key shows."""
    noise = 0.01 * jr.normal(key, batch["y"].shape)
    return {"error": jnp.mean(squared_error(model, batch | {"y": batch["y"] + noise}))}


def starting_at_the_mean(model, batch):
    return eqx.tree_at(lambda m: m.bias, model, jnp.mean(batch["y"]))


def phase(name="all", steps=12, **options):
    options = {"objective": objective, "batch_size": 16, "optimizer": optax.adam(0.05)} | options
    return Phase(name=name, steps=steps, **options)


def arrays(model):
    """All arrays of a model, as one NumPy vector."""
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_array))])
