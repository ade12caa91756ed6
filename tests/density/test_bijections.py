"""What every bijection of ours promises: one line in `CONSTRUCTORS` and it is checked for all of it."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.density import LUMixing, Permutation, SplineCoupling, spline_coupling_flow
from tests.density.randomised import randomised

SMALL = {"width_size": 4, "blocks": 1, "bins": 3}
THIRD_ORDER = (1, 2, 0)

CONSTRUCTORS = {
    "permutation of order three": lambda key: Permutation(jnp.array(THIRD_ORDER)),
    "LU": lambda key: LUMixing(3),
    "coupling": lambda key: SplineCoupling(3, key=key, **SMALL),
    "coupling of four features": lambda key: SplineCoupling(4, key=key, **SMALL),
    "coupling with context": lambda key: SplineCoupling(2, context_size=2, key=key, **SMALL),
    "coupling of one feature": lambda key: SplineCoupling(1, key=key, **SMALL),
    "coupling of one feature with context": lambda key: SplineCoupling(1, context_size=2, key=key, **SMALL),
    "flow of one feature": lambda key: spline_coupling_flow(1, layers=2, key=key, **SMALL),
    "flow": lambda key: spline_coupling_flow(3, layers=2, key=key, **SMALL),
    "flow with LU and context": lambda key: spline_coupling_flow(
        4, layers=2, mixing="lu", context_size=2, key=key, **SMALL
    ),
}
BATCH = 5


@functools.cache
def case(name: str):
    """The bijection with random parameters in float64, a batch, and everything that is computed from them, once."""
    with jax.enable_x64(True):
        bijection = randomised(CONSTRUCTORS[name](jax.random.key(1)), seed=2)
        x = 2 * jax.random.normal(jax.random.key(3), (BATCH, *bijection.shape))
        context = None if bijection.cond_shape is None else jax.random.normal(jax.random.key(4), (BATCH, 2))

        @eqx.filter_jit
        def compute(bijection, x, context):
            y, log_det = jax.vmap(bijection.transform_and_log_det)(x, context)
            alone = jax.vmap(bijection.transform)(x[:1], None if context is None else context[:1])
            back, back_log_det = jax.vmap(bijection.inverse_and_log_det)(y, context)
            forward = jax.vmap(jax.jacfwd(bijection.transform))(x, context)
            backward = jax.vmap(jax.jacfwd(bijection.inverse))(y, context)
            return y, log_det, back, back_log_det, forward, backward, alone

        return bijection, x, context, compute(bijection, x, context)


every = pytest.mark.parametrize("name", CONSTRUCTORS)
# A flow is FlowJAX's chain of these; operation by operation it takes long to compile.
every_layer = pytest.mark.parametrize("name", [name for name in CONSTRUCTORS if "flow" not in name])


@every
def test_inverse_undoes_transform(name):
    _, x, _, (y, _, back, *_) = case(name)
    np.testing.assert_allclose(back, x, atol=1e-9)
    assert float(abs(np.asarray(y) - np.asarray(x)).max()) > 1e-3


@every
def test_batch_of_one_is_the_first_of_the_batch(name):
    _, _, _, (y, *_, alone) = case(name)
    np.testing.assert_allclose(alone, y[:1], atol=1e-12)


@every
def test_log_determinants_are_those_of_autodiff(name):
    _, _, _, (_, log_det, _, back_log_det, forward, backward, _) = case(name)
    np.testing.assert_allclose(log_det, np.linalg.slogdet(np.asarray(forward))[1], atol=1e-9)
    np.testing.assert_allclose(back_log_det, np.linalg.slogdet(np.asarray(backward))[1], atol=1e-8)
    np.testing.assert_allclose(back_log_det, -np.asarray(log_det), atol=1e-8)


@every
def test_gradients_reach_every_parameter_both_ways(name, x64):
    bijection, x, context, _ = case(name)
    trainable, rest = eqx.partition(bijection, eqx.is_inexact_array)

    @jax.jit
    def gradients(trainable):
        def total(trainable, method):
            y, log_det = jax.vmap(getattr(eqx.combine(trainable, rest), method))(x, context)
            return jnp.sum(jnp.sin(y)) + jnp.sum(log_det)

        return [jax.grad(total)(trainable, m) for m in ("transform_and_log_det", "inverse_and_log_det")]

    for direction in gradients(trainable):
        for path, gradient in jax.tree_util.tree_leaves_with_path(direction):
            name_of_parameter = jax.tree_util.keystr(path)
            assert bool(jnp.all(jnp.isfinite(gradient))), name_of_parameter
            assert bool(jnp.any(gradient != 0)), name_of_parameter


@every_layer
def test_map_is_loop_and_compiled_is_eager(name, x64):
    bijection, x, context, (y, log_det, *_) = case(name)
    one, one_log_det = bijection.transform_and_log_det(x[1], None if context is None else context[1])
    np.testing.assert_allclose(one, y[1], atol=1e-12)
    np.testing.assert_allclose(one_log_det, log_det[1], atol=1e-12)


@every_layer
def test_context_matters_exactly_if_declared(name, x64):
    bijection, x, context, (y, *_) = case(name)
    if context is None:
        np.testing.assert_allclose(bijection.transform(x[0], jnp.ones(2)), y[0], atol=1e-12)
    else:
        assert float(jnp.abs(bijection.transform(x[0], context[0] + 1) - y[0]).max()) > 1e-4
        with pytest.raises(ValueError, match="Expected condition"):
            bijection.transform(x[0])


def test_the_transposed_permutation_fails_the_round_trip():
    # The defect of the reference implementation; invisible for permutations that are their own inverse.
    x = jnp.arange(3.0)
    permutation = Permutation(jnp.array(THIRD_ORDER))
    transposed = eqx.tree_at(lambda p: p.inverse_order, permutation, permutation.order)
    assert bool(jnp.all(permutation.inverse(permutation.transform(x)) == x))
    assert not bool(jnp.all(transposed.inverse(permutation.transform(x)) == x))


def test_replicates_with_different_permutations_share_one_program():
    keys = jax.random.split(jax.random.key(0), 4)
    tiny = {"layers": 1, "width_size": 1, "blocks": 0, "bins": 2}
    flows = eqx.filter_jit(eqx.filter_vmap(lambda key: spline_coupling_flow(3, key=key, **tiny)))(keys)
    orders = np.asarray(flows.bijections[0].bijection.bijections[0].order)
    assert orders.shape == (4, 1, 3)
    assert len(np.unique(orders, axis=0)) > 1
