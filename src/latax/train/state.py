"""Everything that training changes, and how it is made and chosen from."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, PyTree

from latax.train.hosts import on_host
from latax.train.layout import Layout, put
from latax.train.program import Call, Carry, PhaseProgram


class State(NamedTuple):
    """The state of training in one stage of the recipe; every leaf has a leading replicate axis.

    `model` and `best` hold the arrays of the model (`best` is empty where no metric chooses); `optimizers`, `sums` and
    `summed` have one entry for each phase of the stage: the optimiser's state, every term summed since the last report,
    and over how many steps; `failed_at` is the first step whose loss, gradient or update was not finite, or -1.
    """

    model: PyTree[Array]
    best: PyTree[Array]
    best_metric: Float[Array, " replicate"]
    optimizers: dict[str, PyTree[Array]]
    sums: dict[str, dict[str, Array]]
    summed: dict[str, Int[Array, " replicate"]]
    failed_at: Int[Array, " replicate"]


def fresh(
    programs: Sequence[PhaseProgram], terms: Sequence[Sequence[str]], layout: Layout, model: PyTree, keeps_best: bool
) -> State:
    """The state at the beginning of a stage with these phases, each with these terms. `model` becomes part of it."""
    full = lambda value, dtype: put(np.full(layout.replicates, value, dtype), layout.state)
    zeros = lambda: full(0, jnp.result_type(float))
    names = [program.phase.name for program in programs]
    return State(
        model=model,
        best=jax.jit(_copied, out_shardings=layout.state)(model) if keeps_best else (),
        best_metric=full(np.inf, jnp.result_type(float)),
        optimizers={n: p.init_optimizer(p.split(model)[0]) for n, p in zip(names, programs, strict=True)},
        sums={n: {term: zeros() for term in some} for n, some in zip(names, terms, strict=True)},
        summed={name: full(0, np.int32) for name in names},
        failed_at=full(-1, np.int32),
    )


def _copied(tree: PyTree) -> PyTree:
    return jax.tree.map(jnp.copy, tree)


def advance(program: PhaseProgram, state: State, data: PyTree, call: Call, keys: Key[Array, " replicate"]) -> State:
    """The state after the steps of `call`. The buffers of `state` are given away."""
    name = program.phase.name
    params, frozen = program.split(state.model)
    carry = Carry(params, state.optimizers[name], state.sums[name], state.summed[name], state.failed_at)
    carry = program.run(carry, frozen, data, call.plan, keys, np.int32(call.start), np.int32(call.count))
    return state._replace(
        model=eqx.combine(carry.params, frozen),
        optimizers=state.optimizers | {name: carry.optimizer},
        sums=state.sums | {name: carry.sums},
        summed=state.summed | {name: carry.summed},
        failed_at=carry.failed_at,
    )


def take_averages(state: State, name: str, layout: Layout) -> tuple[State, dict[str, np.ndarray]]:
    """Every term of a phase averaged since the last report, and the state in which counting begins anew."""
    sums, summed = on_host((state.sums[name], state.summed[name]))
    averages = {term: value / summed.astype(value.dtype) for term, value in sums.items()}
    zeros = jax.tree.map(lambda leaf: put(np.zeros_like(leaf), layout.state), (sums, summed))
    return state._replace(sums=state.sums | {name: zeros[0]}, summed=state.summed | {name: zeros[1]}), averages


def better(
    model: PyTree[Array], best: PyTree[Array], best_metric: Float[Array, " r"], metric: Float[Array, " r"]
) -> tuple[PyTree[Array], Float[Array, " r"]]:
    """The better one of two sets of weights, and its metric, for each replicate."""
    wins = metric < best_metric
    choose = lambda new, old: jnp.where(jnp.expand_dims(wins, tuple(range(1, new.ndim))), new, old)
    return jax.tree.map(choose, model, best), jnp.where(wins, metric, best_metric)
