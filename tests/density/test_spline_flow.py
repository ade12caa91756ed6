import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.density import spline_coupling_flow
from latax.density.mixing import check_mixing
from tests.density.randomised import randomised

SMALL = {"width_size": 3, "blocks": 0, "bins": 3}


@eqx.filter_jit
def depends(flow, x):
    """Which outputs depend on which inputs, by autodiff at a few points."""
    return jnp.any(jnp.abs(jax.vmap(jax.jacfwd(flow.transform))(x)) > 1e-10, axis=0)


def dependencies(size, layers, seed):
    with jax.enable_x64(True):
        flow = spline_coupling_flow(size, layers=layers, key=jax.random.key(seed), **SMALL)
        x = jax.random.normal(jax.random.key(seed), (3, size))
        return depends(randomised(flow, seed=seed + 100), x)


@pytest.mark.parametrize(("size", "layers"), [(2, 3), (3, 3), (4, 3), (5, 4)])
def test_every_output_depends_on_every_input_from_three_layers_on(size, layers):
    for seed in range(4):  # four deals of the features, one compiled program
        assert bool(jnp.all(dependencies(size, layers, seed)))


def test_two_layers_are_not_enough():
    assert not bool(jnp.all(dependencies(3, 2, 0)))


@pytest.mark.parametrize("mixing", ["permutation", "lu"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_new_flow_is_the_identity(mixing, size, x64):
    flow = spline_coupling_flow(size, layers=3, mixing=mixing, key=jax.random.key(0), **SMALL)
    x = jnp.linspace(-7, 7, size)
    y, log_det = flow.transform_and_log_det(x)
    np.testing.assert_allclose(y, x, atol=1e-13)
    assert abs(float(log_det)) < 1e-12


def test_features_are_dealt_at_random():
    orders = [
        tuple(np.asarray(spline_coupling_flow(8, layers=2, key=jax.random.key(s), **SMALL).bijections[0].order))
        for s in range(3)
    ]
    assert len(set(orders)) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "at least one feature"),
        ({"size": 2, "layers": 0}, "one layer"),
        ({"size": 2, "bins": 1}, "bins=1 leaves"),
        ({"size": 2, "interval": 0.0}, "interval=0.0 is not a positive number"),
    ],
)
def test_refuses_what_cannot_work(options, message):
    size = options.pop("size")
    with pytest.raises(ConfigError, match=message):
        spline_coupling_flow(size, key=jax.random.key(0), **options)


def test_refuses_an_unknown_mixing():
    with pytest.raises(ConfigError, match=r"mixing='svd' is not known. Use mixing='permutation'"):
        check_mixing("svd")
