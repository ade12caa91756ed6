"""The compiled part of training: many steps of one phase in one call.

The number of steps of a call is an argument, not a constant, so one compilation serves calls of every length and the
same step always runs through the same machine code: that is what makes a resumed run equal to the bit.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jax import lax
from jaxtyping import Array, Float, Int, Key, PyTree

from latax.train.layout import Layout, over_replicates
from latax.train.phase import Model, Phase
from latax.train.source import AbstractSource


class State(NamedTuple):
    """Everything that training changes; every leaf has a leading replicate axis.

    `model` and `best` hold the arrays of the model; `optimizers` one state for each phase of the stage; `sums` the sum
    of every term since the last report; `failed_at` the first step whose loss or gradient was not finite, or -1.
    """

    model: PyTree[Array]
    best: PyTree[Array]
    best_metric: Float[Array, " replicate"]
    optimizers: dict[str, PyTree[Array]]
    sums: dict[str, Float[Array, " replicate"]]
    failed_at: Int[Array, " replicate"]


class PhaseProgram:
    """Compiled functions of one phase: `run` some steps, `evaluate` the metric, `prepare` the data.

    **Arguments:**

    - `phase`, `source`, `layout`: see there.
    - `static`: the parts of the model that are no arrays.
    - `template`: the model's arrays for one replicate (shapes only are used).
    """

    def __init__(self, phase: Phase, source: AbstractSource, layout: Layout, static: Model, template: PyTree):
        self.phase, self.source, self.layout, self.static = phase, source, layout, static
        self._spec = phase.filter_spec(eqx.combine(template, static))
        self.terms: list[str] = []
        self.run = jax.jit(self._run, donate_argnums=0)
        self.evaluate = jax.jit(self._evaluate)
        self.select = jax.jit(_select, donate_argnums=(1, 2))

    def split(self, model: PyTree) -> tuple[PyTree, PyTree]:
        """The arrays that the phase trains, and the others."""
        return eqx.partition(model, self._spec)

    def init_optimizer(self, model: PyTree) -> PyTree[Array]:
        """Fresh optimiser states, one for each replicate."""
        params, _ = self.split(model)
        return jax.jit(over_replicates(self.phase.optimizer.init, self.layout.replicates, (0,)))(params)

    def terms_of(self, model: PyTree, batch: PyTree, key: Key[Array, ""]) -> dict[str, Array]:
        """The objective's terms for one replicate's arrays."""
        return self.phase.objective(eqx.combine(model, self.static), batch, key)

    def find_terms(self, model: PyTree, resident: PyTree, plan: PyTree) -> None:
        """Learns the names of the objective's terms, without computing anything. `resident` is not prepared yet."""
        one = lambda tree: jax.tree.map(lambda a: a[0], tree)

        def terms(model: PyTree, resident: PyTree, plan: PyTree) -> dict[str, Array]:
            batch = self.source.batch(resident, one(plan), jr.key(0))
            batch = batch if self.phase.prepare is None else self._prepare(model, batch)
            terms = self.terms_of(model, batch, jr.key(0))
            self.phase.total(terms, jnp.zeros((), int))
            return terms

        plan = plan if self.source.shared else one(plan)
        self.terms = sorted(jax.eval_shape(terms, one(model), resident, plan))

    @property
    def resident_axis(self) -> int | None:
        """0 if the resident data differ between replicates (they went through `prepare`), else None."""
        return 0 if self._prepares_once else None

    @property
    def _prepares_once(self) -> bool:
        return self.phase.prepare is not None and not self.source.shared

    def prepare(self, model: PyTree, resident: PyTree, chunk: int = 4096) -> PyTree:
        """The resident data as the phase sees them: mapped once through the frozen model, where it asks for that."""
        if not self._prepares_once:
            return resident
        mapped = lambda m, r: in_chunks(lambda b: self._prepare(m, b), r, chunk)
        return jax.jit(over_replicates(mapped, self.layout.replicates, (0, None)))(model, resident)

    def _prepare(self, model: PyTree, batch: PyTree) -> PyTree:
        assert self.phase.prepare is not None
        return lax.stop_gradient(self.phase.prepare(eqx.combine(model, self.static), batch))

    def _prepared(self, model: PyTree, batch: PyTree) -> PyTree:
        """A batch as the objective sees it, where `prepare` could not be done once for all."""
        if self.phase.prepare is None or self._prepares_once:
            return batch
        return self._prepare(model, batch)

    def _run(
        self, state: State, resident: PyTree, plan: PyTree, keys: Key[Array, " replicate"], start: Any, count: Any
    ) -> State:
        """`count` steps from `start` on; `plan` may be longer than `count`."""
        replicates, name = self.layout.replicates, self.phase.name
        plan_axis = None if self.source.shared else 0
        batches = over_replicates(self._batch, replicates, (0, self.resident_axis, plan_axis, 0, None, None))
        steps = over_replicates(self._step, replicates, (0, 0, 0, 0, 0, 0, 0, None))
        params, frozen = self.split(state.model)

        def body(index: Array, carry: tuple) -> tuple:
            params, optimizer, sums, failed_at = carry
            batch = self.layout.constrain_batch(batches(frozen, resident, plan, keys, index, start + index))
            carry = steps(params, frozen, optimizer, sums, failed_at, batch, keys, start + index)
            return self.layout.constrain_state(carry)

        carry = (params, state.optimizers[name], state.sums, state.failed_at)
        params, optimizer, sums, failed_at = lax.fori_loop(0, count, body, carry)
        return state._replace(
            model=eqx.combine(params, frozen),
            optimizers={**state.optimizers, name: optimizer},
            sums=sums,
            failed_at=failed_at,
        )

    def _batch(self, frozen: PyTree, resident: PyTree, plan: PyTree, key: Array, index: Array, step: Array) -> PyTree:
        planned = jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, index, keepdims=False), plan)
        return self.source.batch(resident, planned, _step_keys(key, step)[0])

    def _step(
        self,
        params: PyTree,
        frozen: PyTree,
        optimizer: PyTree,
        sums: dict[str, Array],
        failed_at: Array,
        batch: PyTree,
        key: Array,
        step: Array,
    ) -> tuple:
        def loss(params: PyTree) -> tuple[Array, dict[str, Array]]:
            model = eqx.combine(params, frozen)
            terms = self.terms_of(model, self._prepared(model, batch), _step_keys(key, step)[1])
            return self.phase.total(terms, step), terms

        (total, terms), gradient = jax.value_and_grad(loss, has_aux=True)(params)
        updates, new_optimizer = self.phase.optimizer.update(gradient, optimizer, params)
        finite = jnp.isfinite(total) & jnp.isfinite(optax.global_norm(gradient))
        ok = finite & (failed_at < 0)
        # After the first value that is not finite the state stands still, so that the step can be taken apart.
        keep = lambda new, old: jax.tree.map(lambda n, o: jnp.where(ok, n, o), new, old)
        sums = sums | {name: sums[name] + jnp.where(ok, value, 0) for name, value in terms.items()}
        failed_at = jnp.where((failed_at < 0) & ~finite, step, failed_at)
        return keep(optax.apply_updates(params, updates), params), keep(new_optimizer, optimizer), sums, failed_at

    def _evaluate(self, model: PyTree, data: PyTree[Array]) -> Float[Array, " replicate"]:
        """The phase's metric averaged over all rows of `data`."""
        metric = self.phase.metric
        assert metric is not None
        mean = lambda m, d: jnp.mean(in_chunks(lambda b: metric(eqx.combine(m, self.static), b), d, 1024))
        return over_replicates(mean, self.layout.replicates, (0, None))(model, data)


def _step_keys(key: Array, step: Array) -> Array:
    """Two keys for one step: for the batch and for the objective."""
    return jr.split(jr.fold_in(key, step))


def _select(model: PyTree, best: PyTree, best_metric: Array, metric: Array) -> tuple[PyTree, Array]:
    """The better of two sets of weights, for each replicate."""
    better = metric < best_metric
    choose = lambda new, old: jnp.where(jnp.expand_dims(better, tuple(range(1, new.ndim))), new, old)
    return jax.tree.map(choose, model, best), jnp.where(better, metric, best_metric)


def in_chunks(function: Any, data: PyTree[Array], chunk: int) -> PyTree[Array]:
    """`function`, which maps rows to rows, over all rows of `data` in pieces, to bound its memory."""
    rows = jax.tree.leaves(data)[0].shape[0]
    if rows <= chunk:
        return function(data)
    whole = rows // chunk * chunk
    body = jax.tree.map(lambda a: a[:whole].reshape(-1, chunk, *a.shape[1:]), data)
    result = jax.tree.map(lambda a: a.reshape(whole, *a.shape[2:]), lax.map(function, body))
    if whole == rows:
        return result
    rest = function(jax.tree.map(lambda a: a[whole:], data))
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), result, rest)
