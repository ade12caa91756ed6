"""Variation predictability: can a classifier tell from two data points along which path they differ?

Zhu, Xu and Tao, "Learning Disentangled Representations with Latent Variation Predictability", ECCV 2020, with what the
published protocol lacks: the weights are chosen on a validation split and not on the test set, and there are several
seeds. It sees whether paths are distinct. Rotated factors are as distinct as the factors themselves, so report
`factor_purity` beside it.
"""

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from latax._errors import ConfigError, DataError
from latax.evaluate.stats import Interval, confidence_interval
from latax.nn import MLP, ImageFeatures

#: Times that the weights are looked at on the validation split.
_LOOKS = 10
_BATCH = 32


class VariationPredictability(NamedTuple):
    """`accuracy` (seeds,): the share of test pairs whose path is told rightly; `chance`: that of guessing; `interval`:
    the mean accuracy over the seeds, with its confidence interval."""

    accuracy: Float[np.ndarray, " S"]
    chance: float
    interval: Interval


def variation_predictability(
    difference: Float[np.ndarray, "N *data"],
    path: Int[np.ndarray, " N"],
    *,
    count: int,
    train_fraction: float = 0.1,
    seeds: int = 5,
    steps: int = 400,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> VariationPredictability:
    """The VP score of pairs of data points.

    **Arguments:**

    - `difference`: second less first of each pair. Images (height, width[, channels]) from 8 by 8 pixels on go through
        convolutions, everything else through a network with two hidden layers.
    - `path`: which of the `count` paths leads from the first to the second.
    - `train_fraction`: share of the pairs to train on, few on purpose; as many again choose the best weights, and the
        rest is for the test.
    - `seeds`: repetitions with splits, weights and batches of their own. `steps`: of Adam, with batches of 32.

    Raises `ConfigError` for fractions above 0.4, and `DataError` for too few pairs, numbers of paths that are not
    there, or values that are not finite.
    """
    rows, train_rows = len(difference), round(train_fraction * len(difference))
    if not 0 < train_fraction <= 0.4 or seeds < 1 or steps < _LOOKS:
        raise ConfigError(
            f"train_fraction={train_fraction}, seeds={seeds}, steps={steps}: expected a fraction above 0 and at most "
            f"0.4 (as much again is for validation), at least one seed and {_LOOKS} steps."
        )
    if train_rows < count or len(path) != rows:
        raise DataError(
            f"There are {rows} pairs with {len(path)} numbers of paths, {train_rows} of them to train on; expected as "
            f"many numbers as pairs, and at least one training pair for each of the {count} paths."
        )
    if path.min() < 0 or path.max() >= count or not np.isfinite(difference).all():
        raise DataError(
            f"The numbers of the paths go from {path.min()} to {path.max()}; expected 0 to {count - 1}, and "
            "differences that are all finite."
        )
    shape = difference.shape[1:]
    flat = difference.reshape(rows, -1)
    x = jnp.asarray(flat / (np.sqrt(np.mean(flat**2)) or 1.0), jnp.float32)
    y = jnp.asarray(path, jnp.int32)
    splits = (train_rows, 2 * train_rows)
    keys = jr.split(jr.key(seed), seeds)
    accuracy = np.asarray(_all_seeds(x, y, keys, shape, count, splits, steps, learning_rate), np.float64)
    return VariationPredictability(accuracy, 1 / count, confidence_interval(accuracy))


@eqx.filter_jit
def _all_seeds(
    x: Float[Array, "N d"], y: Int[Array, " N"], keys: Key[Array, " seeds"], *options: Any
) -> Float[Array, " seeds"]:
    return jax.vmap(lambda key: _one_seed(x, y, key, *options))(keys)


def _one_seed(
    x: Float[Array, "N d"],
    y: Int[Array, " N"],
    key: PRNGKeyArray,
    shape: tuple[int, ...],
    count: int,
    splits: tuple[int, int],
    steps: int,
    learning_rate: float,
) -> Float[Array, ""]:
    """The accuracy on test pairs of the weights that are best on validation pairs."""
    order_key, net_key, batch_key = jr.split(key, 3)
    train, validation, test = jnp.split(jr.permutation(order_key, len(x)), splits)
    arrays, static = eqx.partition(_network(shape, count, net_key), eqx.is_inexact_array)
    optimizer = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    def loss(arrays, rows):
        logits = jax.vmap(eqx.combine(arrays, static))(x[rows])
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, y[rows]))

    def accuracy(arrays, rows):
        found = jnp.argmax(jax.vmap(eqx.combine(arrays, static))(x[rows]), axis=1)
        return jnp.mean((found == y[rows]).astype(x.dtype))

    def step(carry, key):
        arrays, state = carry
        rows = jr.choice(key, train, (_BATCH,))
        updates, state = optimizer.update(jax.grad(loss)(arrays, rows), state)
        return (optax.apply_updates(arrays, updates), state), None

    def look(carry, keys):
        arrays, state, best, best_accuracy = carry
        (arrays, state), _ = jax.lax.scan(step, (arrays, state), keys)
        found = accuracy(arrays, validation)
        better = found > best_accuracy
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), arrays, best)
        return (arrays, state, best, jnp.maximum(found, best_accuracy)), None

    keys = jr.split(batch_key, steps // _LOOKS * _LOOKS).reshape(_LOOKS, -1)
    start = (arrays, optimizer.init(arrays), arrays, -jnp.ones((), x.dtype))
    (_, _, best, _), _ = jax.lax.scan(look, start, keys)
    return accuracy(best, test)


def _network(shape: tuple[int, ...], count: int, key: PRNGKeyArray) -> MLP | ImageFeatures:
    if len(shape) in (2, 3) and min(shape[:2]) >= 8:
        image = (shape[0], shape[1], shape[2] if len(shape) == 3 else 1)
        return ImageFeatures(image, count, (8, 16), key=key)
    return MLP(math.prod(shape), count, (64, 64), key=key)
