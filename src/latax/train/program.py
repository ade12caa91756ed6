"""The compiled part of training: many steps of one phase in one call.

The number of steps of a call is an argument, not a constant, so one compilation serves calls of every length and the
same step always runs through the same machine code: that is what makes a resumed run equal to the bit.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from latax.train.chunks import in_chunks
from latax.train.layout import Layout
from latax.train.phase import Model, Phase
from latax.train.source import AbstractSource, MakeBatch

#: Rows that are prepared, or validated, at once, unless a batch has more.
ROWS_AT_ONCE = 256
#: Prepared data may take as much memory as the data themselves, or this much.
PREPARED_BYTES = 2**28


@dataclass(frozen=True)
class Call:
    """The steps `start .. start + count - 1` of a phase, planned but not made yet. The plan may be longer."""

    start: int
    count: int
    plan: PyTree[Array]


class Carry(NamedTuple):
    """What a step changes, for one replicate or, with a leading axis, for all.

    `params` are the trained arrays; `sums` every term summed over the `summed` steps since the last report;
    `failed_at` the first step whose loss, gradient or update was not finite, or -1.
    """

    params: PyTree[Array]
    optimizer: PyTree[Array]
    sums: dict[str, Array]
    summed: Array
    failed_at: Array


class PhaseProgram:
    """Compiled functions of one phase. They take arrays with a leading replicate axis, `data` excepted.

    **Arguments:**

    - `phase`, `layout`: see there.
    - `make_batch`, `shared`: the source's; see there. The program must not hold the data: it may outlive them.
    - `static`: the parts of the model that are no arrays.
    - `template`: the model's arrays for one replicate (shapes only are used).
    - `prepares_once`: whether `prepare` is applied once to the resident data, so that `data` has a replicate axis too.
    """

    def __init__(
        self,
        phase: Phase,
        layout: Layout,
        make_batch: MakeBatch,
        static: Model,
        template: PyTree,
        *,
        shared: bool,
        prepares_once: bool,
    ):
        self.phase, self.layout, self._make_batch = phase, layout, make_batch
        self._rows_at_once = max(ROWS_AT_ONCE, phase.batch_size)
        self.prepares_once = prepares_once
        self._static = static
        self._spec = phase.filter_spec(eqx.combine(template, static))
        # A compiled function inside of others, so that `term_names` and the loop share one trace of the objective.
        self.terms = jax.jit(self._terms)
        data, plan = (0 if prepares_once else None), (None if shared else 0)
        self.init_optimizer = self._compiled(phase.optimizer.init, (0,))
        self.prepare = self._compiled(self._prepare_all, (0, None))
        self.begin = self._compiled(self._begin, (0, data, plan, 0))
        self.run = self._compiled(self._run, (0, 0, data, plan, 0, None, None), donate=(0,))
        self.evaluate = self._compiled(self._mean_metric, (0, None))
        self.evaluate_rows = self._compiled(self._metric, (0, None))

    def _compiled(self, function: Callable, in_axes: Sequence[int | None], donate: tuple[int, ...] = ()) -> Any:
        mapped = self.layout.over_replicates(function, in_axes)
        return jax.jit(mapped, out_shardings=self.layout.state, donate_argnums=donate)

    # ---- parts of the model

    def split(self, model: PyTree) -> tuple[PyTree, PyTree]:
        """The arrays that the phase trains, and the others."""
        return eqx.partition(model, self._spec)

    def term_names(self, model: PyTree, source: AbstractSource) -> list[str]:
        """The names of the objective's terms, without computing anything. `model` is one replicate's."""
        plan = source.plan_like(self.phase.batch_size)

        def first_batch(model: PyTree, data: PyTree, plan: PyTree, key: Key[Array, ""]) -> PyTree:
            data = self._prepare_all(model, data) if self.prepares_once else data
            return self.batch(model, data, plan, key, jnp.int32(0))

        key = jr.key(0)
        batch = jax.eval_shape(first_batch, model, source.resident(), plan, key)
        terms = jax.eval_shape(self.terms, model, batch, key)
        self.phase.check_terms(terms)
        return sorted(terms)

    # ---- for one replicate

    def batch(self, model: PyTree, data: PyTree, plan: PyTree, key: Key[Array, ""], step: Int[Array, ""]) -> PyTree:
        """The batch of a step, from its plan, as the objective sees it."""
        batch = self._make_batch(data, plan, self.phase.batch_size, step_keys(key, step)[0])
        batch = self.layout.spread_batch(batch)
        return batch if self.phase.prepare is None or self.prepares_once else self._prepare(model, batch)

    def gradient(
        self, params: PyTree, frozen: PyTree, batch: PyTree, key: Key[Array, ""], step: Int[Array, ""]
    ) -> tuple[tuple[Float[Array, ""], dict[str, Array]], PyTree]:
        """((total, terms), gradient of the total) at one step; `key` is the objective's."""

        def loss(params: PyTree) -> tuple[Array, dict[str, Array]]:
            terms = self.terms(eqx.combine(params, frozen), batch, key)
            return self.phase.total(terms, step), terms

        return jax.value_and_grad(loss, has_aux=True)(params)

    def _terms(self, model: PyTree, batch: PyTree, key: Key[Array, ""]) -> dict[str, Array]:
        return self.phase.objective(eqx.combine(model, self._static), batch, key)

    def describe(self, model: PyTree, batch: PyTree) -> dict[str, Array]:
        """What the phase says about each sample of a batch; nothing where it says nothing."""
        return {} if self.phase.describe is None else dict(self.phase.describe(eqx.combine(model, self._static), batch))

    def _prepare(self, model: PyTree, batch: PyTree) -> PyTree:
        assert self.phase.prepare is not None
        return lax.stop_gradient(self.phase.prepare(eqx.combine(model, self._static), batch))

    def _prepare_all(self, model: PyTree, data: PyTree) -> PyTree:
        return in_chunks(lambda rows: self._prepare(model, rows), data, self._rows_at_once)

    def _begin(self, model: PyTree, data: PyTree, plan: PyTree, key: Key[Array, ""]) -> PyTree:
        assert self.phase.begin is not None
        batch = self.batch(model, data, _at(plan, jnp.int32(0)), key, jnp.int32(0))
        return eqx.filter(self.phase.begin(eqx.combine(model, self._static), batch), eqx.is_array)

    def _metric(self, model: PyTree, data: PyTree) -> Float[Array, " rows"]:
        metric = self.phase.metric
        assert metric is not None
        return in_chunks(lambda rows: metric(eqx.combine(model, self._static), rows), data, self._rows_at_once)

    def _mean_metric(self, model: PyTree, data: PyTree) -> Float[Array, ""]:
        return jnp.mean(self._metric(model, data)).astype(float)

    def _run(
        self,
        carry: Carry,
        frozen: PyTree,
        data: PyTree,
        plan: PyTree,
        key: Key[Array, ""],
        start: Int[Array, ""],
        count: Int[Array, ""],
    ) -> Carry:
        """`count` steps from `start` on; `plan` may be longer than `count`."""

        def body(index: Array, carry: Carry) -> Carry:
            return self._step(carry, frozen, data, _at(plan, index), key, start + index)

        return lax.fori_loop(0, count, body, carry)

    def _step(
        self, carry: Carry, frozen: PyTree, data: PyTree, plan: PyTree, key: Key[Array, ""], step: Int[Array, ""]
    ) -> Carry:
        params, optimizer, sums, summed, failed_at = carry
        batch = self.batch(eqx.combine(params, frozen), data, plan, key, step)
        (total, terms), gradient = self.gradient(params, frozen, batch, step_keys(key, step)[1], step)
        updates, new_optimizer = self.phase.optimizer.update(gradient, optimizer, params)
        finite = all_finite(total, gradient, updates)
        ok = finite & (failed_at < 0)
        # After the first value that is not finite the state stands still, so that the step can be taken apart.
        keep = lambda new, old: jax.tree.map(lambda n, o: jnp.where(ok, n, o), new, old)
        return Carry(
            keep(optax.apply_updates(params, updates), params),
            keep(new_optimizer, optimizer),
            {name: sums[name] + jnp.where(ok, terms[name].astype(float), 0.0) for name in sums},
            summed + ok.astype(summed.dtype),
            jnp.where((failed_at < 0) & ~finite, step, failed_at),
        )


def prepares_once(
    phase: Phase, stretch: int, source: AbstractSource, model: PyTree, static: Model, replicates: int
) -> bool:
    """Whether a phase that trains `stretch` steps at a time does well to prepare all data before, not every batch.

    It does if it will see more rows than there are, and if the prepared data of all replicates have a place.
    `model` holds the arrays of one replicate.
    """
    prepare = phase.prepare
    if prepare is None or not source.holds_samples:
        return False
    data = source.resident()
    if stretch * phase.batch_size < jax.tree.leaves(data)[0].shape[0]:
        return False
    prepared = jax.eval_shape(lambda m, d: prepare(eqx.combine(m, static), d), model, data)
    return replicates * _bytes(prepared) <= max(PREPARED_BYTES, _bytes(data))


def _bytes(tree: PyTree) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def _at(plan: PyTree, index: Int[Array, ""]) -> PyTree:
    return jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, index, keepdims=False), plan)


def all_finite(total: Float[Array, ""], *trees: PyTree) -> Bool[Array, ""]:
    """Whether a step is sound. Squared norms stand for their trees; one that overflows is no sound step either.

    They cost nothing where the optimiser clips by the norm, which is the same number.
    """
    squares = [jnp.sum(jnp.square(leaf)) for tree in trees for leaf in jax.tree.leaves(tree)]
    return functools.reduce(jnp.logical_and, map(jnp.isfinite, squares), jnp.isfinite(total))


def step_keys(key: Key[Array, ""], step: Int[Array, ""]) -> Key[Array, "2"]:
    """Two keys for one step: for the batch and for the objective."""
    return jr.split(jr.fold_in(key, step))
