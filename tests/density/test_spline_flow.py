import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.density import spline_coupling_flow
from latax.density.coupling import moved_size
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


@pytest.mark.parametrize(("size", "layers"), [(2, 3), (3, 3), (4, 3), (5, 4), (7, 4)])
def test_every_output_depends_on_every_input_from_few_layers_on(size, layers):
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


def moved_features(flow, size):
    """The features that each layer moves, by their places in the input."""
    places, moved = np.arange(size), []
    scan, undo = flow.bijections
    for order in np.asarray(scan.bijection.bijections[0].order):
        places = places[order]
        moved.append(set(places[size - moved_size(size) :].tolist()))
    assert places[np.asarray(undo.order)].tolist() == list(range(size))
    return moved


@pytest.mark.parametrize(("size", "layers", "turns"), [(3, 5, 3), (4, 4, 2), (5, 6, 3), (8, 3, 2)])
def test_a_round_moves_every_feature(size, layers, turns):
    for seed in range(5):
        moved = moved_features(spline_coupling_flow(size, layers=layers, key=jax.random.key(seed), **SMALL), size)
        assert len(moved) == layers
        for start in range(0, layers - turns + 1, turns if layers % turns == 0 else layers):
            assert set.union(*moved[start : start + turns]) == set(range(size))


def test_features_are_dealt_at_random():
    deals = [moved_features(spline_coupling_flow(8, layers=4, key=jax.random.key(s), **SMALL), 8) for s in range(6)]
    assert len({tuple(sorted(deal[0])) for deal in deals}) > 3
    assert any(deal[0] not in (deal[2], set(range(8)) - deal[2]) for deal in deals)


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
