import jax.numpy as jnp
import numpy as np
import pytest

from latax.train.chunks import in_chunks


@pytest.mark.parametrize("rows", [1, 5, 6, 7, 12, 13])
def test_in_chunks_is_the_function_itself(rows):
    data = {"a": jnp.arange(rows * 2.0).reshape(rows, 2), "b": jnp.arange(rows * 1.0)}
    seen = []

    def function(rows):
        seen.append(rows["b"].shape[0])
        return rows["a"].sum(axis=1) + rows["b"], rows["a"] ** 2

    found = in_chunks(function, data, 6)
    assert max(seen) <= 6
    assert len(seen) == 1
    for one, other in zip(found, function(data), strict=True):
        assert np.array_equal(one, other)
