import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.train.replicates import initialise
from tests.train.problem import Line


class Constant(eqx.Module):
    value: jax.Array
    other: object


def test_replicates_are_the_models_of_their_seeds():
    arrays, static = initialise(Line, 5, 3)
    for replicate in range(3):
        single = initialise(Line, 5 + replicate, 1)[0]
        assert np.array_equal(arrays.weight[replicate], single.weight[0])
    assert not np.array_equal(arrays.weight[0], arrays.weight[1])
    assert callable(eqx.combine(jax.tree.map(lambda a: a[0], arrays), static))


@pytest.mark.parametrize(
    "init",
    [
        lambda key: Constant(jnp.zeros(2), float(jr.uniform(key))),
        lambda key: Constant(jnp.zeros(int(10 * jr.uniform(key)) + 1), None),
    ],
)
def test_what_is_drawn_must_be_in_arrays(init):
    initialise(init, 0, 1)
    with pytest.raises(ConfigError, match=r"differ in more than the values of their JAX arrays.*replicates=1"):
        initialise(init, 0, 4)
