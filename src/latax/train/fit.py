"""The one training loop: every model of the library is trained by `fit`.

It walks the segments of a recipe. Within one it plans and runs calls of many steps, and between calls it does all that
happens on the host: progress, reports, choice of the best weights, checkpoints, signals, divergence. Randomness is a
function of (seed, phase, step), so a run that was stopped anywhere goes on to the same bits.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key, PyTree

from latax._errors import DivergenceError, FileError
from latax.train import divergence
from latax.train.checkpoint import Checkpoints, fingerprint
from latax.train.interrupt import Interruption, watch_signals
from latax.train.layout import Layout
from latax.train.phase import Model, Recipe, Segment, segments, stages
from latax.train.program import PhaseProgram, State
from latax.train.progress import AbstractMeter, SilentMeter
from latax.train.source import AbstractSource
from latax.train.tracker import MemoryTracker, Tracker

#: Aimed length of one compiled call: short enough for a live bar and a quick reaction to Ctrl-C.
CALL_SECONDS = 0.5
#: Work that a kill may cost.
CHECKPOINT_SECONDS = 30.0
#: Most bytes of plan on the device at once, and most steps of a call.
PLAN_BYTES, CALL_STEPS = 2**26, 1024


class Fitted(NamedTuple):
    """What training gives back.

    - `model`: the best models, every array with a leading replicate axis.
    - `metric`: the best value of the last stage's metric for each replicate; infinite without a metric.
    - `seconds`: time spent in this call, and steps made in it.
    """

    model: Model
    metric: np.ndarray
    seconds: float
    steps: int


def initialise(init: Callable[[Key[Array, ""]], Model], seed: int, replicates: int) -> tuple[PyTree[Array], Model]:
    """(arrays with a leading replicate axis, everything else). Replicate r is the model of seed + r."""
    keys = jr.split(jr.key(0), 0) if replicates == 0 else _keys(seed, replicates)
    model = eqx.filter_jit(eqx.filter_vmap(lambda key: init(jr.fold_in(key, 0))))(keys)
    return eqx.partition(model, eqx.is_array)


def _keys(seed: int, replicates: int) -> Key[Array, " replicate"]:
    return jnp.stack([jr.key(seed + r) for r in range(replicates)])


def fit(
    init: Callable[[Key[Array, ""]], Model],
    recipe: Recipe,
    source: AbstractSource,
    *,
    validation: PyTree[Array] | None = None,
    seed: int = 0,
    replicates: int = 1,
    reports: int = 50,
    folder: Path | None = None,
    resume: bool = False,
    tracker: Tracker | None = None,
    meter: AbstractMeter | None = None,
    devices: Sequence[jax.Device] | None = None,
) -> Fitted:
    """Trains `replicates` models at once.

    **Arguments:**

    - `init`: `key -> model`.
    - `recipe`: the phases.
    - `source`: where batches come from.
    - `validation`: held-out data for the phases' metrics, in the form of a batch.
    - `seed`: replicate r is trained as a single run with `seed + r` would be.
    - `reports`: reports and validations for each phase.
    - `folder`: a run folder; checkpoints go to `folder / "checkpoints"`.
    - `resume`: go on from the newest checkpoint in `folder`, if there is one.
    - `tracker`, `meter`: where numbers and progress go.
    - `devices`: all visible ones by default.

    **Raises** `DivergenceError` at the first value that is not finite, `Interruption` after SIGTERM or Ctrl-C (both
    when the state is safely on disk), `FileError` if a checkpoint cannot be written or does not fit.
    """
    run = _Run(init, recipe, source, validation, seed, replicates, reports, folder, tracker, meter, devices)
    return run(resume)


class _Run:
    """The state of one call of `fit` on the host."""

    def __init__(
        self,
        init: Callable,
        recipe: Recipe,
        source: AbstractSource,
        validation: PyTree | None,
        seed: int,
        replicates: int,
        reports: int,
        folder: Path | None,
        tracker: Tracker | None,
        meter: AbstractMeter | None,
        devices: Sequence[jax.Device] | None,
    ) -> None:
        self.stages, self.segments = stages(recipe), list(segments(recipe))
        sizes = [phase.batch_size for stage in self.stages for phase in stage]
        self.layout = Layout(replicates, sizes, devices)
        self.source, self.seed, self.replicates, self.folder = source, seed, replicates, folder
        self.reports, self.total = reports, sum(s.stop - s.start for s in self.segments)
        self.tracker = MemoryTracker() if tracker is None else tracker
        self.meter = SilentMeter() if meter is None else meter
        arrays, self.static = initialise(init, seed, replicates)
        self.model = self.layout.put_state(arrays)
        template = jax.tree.map(lambda a: a[0], arrays)
        self.programs = {
            phase.name: PhaseProgram(phase, source, self.layout, self.static, template)
            for stage in self.stages
            for phase in stage
        }
        self.resident = self.layout.put_shared(source.resident())
        self.validation = None if validation is None else self.layout.put_shared(validation)
        self.base_keys = _keys(seed, replicates)
        self.names = [phase.name for stage in self.stages for phase in stage]
        self.checkpoints = None if folder is None else Checkpoints(folder / "checkpoints")
        self.saved_at = float("-inf")

    def __call__(self, resume: bool) -> Fitted:
        began = time.perf_counter()
        index, step, state = self._begin(resume)
        del self.model  # its buffers are given away with the state
        first = self._position(index, step)
        self.meter.start(self.total, first)
        try:
            with watch_signals() as self.signals:
                while index < len(self.segments):
                    state = self._segment(index, step, state)
                    index, step = index + 1, 0
                    if index < len(self.segments):
                        step = self.segments[index].start
                        state = self._next_stage(index, state)
                    self._save(index, step, state, last=True)
        finally:
            self.meter.stop()
            self.tracker.close()
            if self.checkpoints is not None:
                self.checkpoints.close()
        model = state.best if self._has_metric(self.segments[-1].stage) else state.model
        metric = np.asarray(state.best_metric)
        return Fitted(eqx.combine(model, self.static), metric, time.perf_counter() - began, self.total - first)

    # ---- where we are

    def _position(self, index: int, step: int) -> int:
        """Optimiser steps made since the beginning of the run."""
        done = sum(s.stop - s.start for s in self.segments[:index])
        return done + (step - self.segments[index].start if index < len(self.segments) else 0)

    def _begin(self, resume: bool) -> tuple[int, int, State]:
        """(segment, step, state) to start from: a checkpoint's, or the beginning."""
        latest = None if self.checkpoints is None or not resume else self.checkpoints.latest()
        if latest is None:
            self.tracker.rewind(-1)
            return 0, 0, self._fresh_state(0, self.model)
        assert self.checkpoints is not None
        cursor = self.checkpoints.cursor(latest)
        index, step = cursor["segment"], cursor["step"]
        like = self._fresh_state(min(index, len(self.segments) - 1), self.model)
        if cursor["arrays"] != fingerprint(like):
            raise FileError(
                f"The checkpoint in {self.checkpoints.folder} is of another model or recipe than the one to be resumed. "
                "Resume with the settings in the run's config.json, or fit into a new folder."
            )
        state = self.checkpoints.restore(latest, like)
        self.tracker.rewind(latest)
        return index, step, state

    def _fresh_state(self, index: int, model: PyTree) -> State:
        """The state at the beginning of the stage of segment `index`."""
        phases = self.stages[self.segments[index].stage]
        zeros = lambda dtype: self.layout.put_state(np.zeros(self.replicates, dtype))
        programs = [self.programs[phase.name] for phase in phases]
        for program in programs:
            program.find_terms(model, self.resident, self._plan(program, 0, 1))
        optimizers = {p.phase.name: self.layout.put_state(p.init_optimizer(model)) for p in programs}
        return State(
            model=model,
            best=jax.tree.map(jnp.copy, model),
            best_metric=self.layout.put_state(np.full(self.replicates, np.inf, np.float32)),
            optimizers=optimizers,
            sums={name: zeros(np.float32) for p in programs for name in p.terms},
            failed_at=zeros(np.int32) - 1,
        )

    def _next_stage(self, index: int, state: State) -> State:
        """Between stages the best weights become the weights."""
        if self.segments[index].stage == self.segments[index - 1].stage:
            return state
        model = state.best if self._has_metric(self.segments[index - 1].stage) else state.model
        return self._fresh_state(index, model)

    def _has_metric(self, stage: int) -> bool:
        return self.validation is not None and any(phase.metric is not None for phase in self.stages[stage])

    # ---- one segment

    def _phase_keys(self, name: str) -> Key[Array, " replicate"]:
        return jax.vmap(lambda key: jr.fold_in(key, 1 + self.names.index(name)))(self.base_keys)

    def _plan(self, program: PhaseProgram, start: int, count: int) -> PyTree:
        """The plan of `count` steps for all replicates."""
        number, size = 1 + self.names.index(program.phase.name), program.phase.batch_size
        if self.source.shared:
            return self.source.plan((self.seed, number), start, count, size)
        plans = [self.source.plan((self.seed + r, number), start, count, size) for r in range(self.replicates)]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *plans)

    def _segment(self, index: int, step: int, state: State) -> State:
        segment = self.segments[index]
        program = self.programs[segment.phase.name]
        resident = program.prepare(state.model, self.resident)
        keys = self.layout.put_state(self._phase_keys(segment.phase.name))
        limit = max(1, min(CALL_STEPS, PLAN_BYTES // max(1, program.source.plan_bytes(segment.phase.batch_size))))
        every = max(1, -(-segment.phase.steps // self.reports))
        length = 1
        while step < segment.stop:
            report_at = min(segment.stop, (step // every + 1) * every)
            count = min(length, limit, report_at - step)
            plan = _padded(self._plan(program, step, count), limit, 0 if self.source.shared else 1)
            placed = self.layout.put_plan(plan, self.source.shared)
            clock = time.perf_counter()
            state = program.run(state, resident, placed, keys, np.int32(step), np.int32(count))
            failed = np.asarray(state.failed_at)
            seconds = max(time.perf_counter() - clock, 1e-9)
            if (failed >= 0).any():
                self._diverged(program, state, resident, plan, step, keys)
            step += count
            length = int(np.clip(CALL_SECONDS * count / seconds, 1, 4 * count))
            self.meter.advance(self._position(index, step), segment.phase.name, count / seconds)
            if step == report_at:
                state = self._report(index, step, every, state)
            if step < segment.stop:
                self._save(index, step, state)
        return state

    def _report(self, index: int, step: int, every: int, state: State) -> State:
        """Averages of the terms since the last report, the metric, and the best weights so far."""
        segment = self.segments[index]
        window = step - max(segment.start, (step - 1) // every * every)
        names = self.programs[segment.phase.name].terms
        terms = {name: np.asarray(state.sums[name]) / window for name in names}
        record: dict[str, Any] = {
            "position": self._position(index, step),
            "phase": segment.phase.name,
            "step": step,
            "terms": {k: v.tolist() for k, v in terms.items()},
        }
        shown = {k: float(np.median(v)) for k, v in terms.items()}
        if self._has_metric(segment.stage) and (
            len(self.stages[segment.stage]) == 1 or self._round_ends(segment, step)
        ):
            state, metric = self._validate(segment, state)
            record["validation"] = metric.tolist()
            shown["validation"] = float(np.median(metric))
        self.tracker.log(record)
        self.meter.report(record["position"], segment.phase.name, shown)
        return state._replace(sums=jax.tree.map(jnp.zeros_like, state.sums))

    def _round_ends(self, segment: Segment, step: int) -> bool:
        return segment.closes and step == segment.stop

    def _validate(self, segment: Segment, state: State) -> tuple[State, np.ndarray]:
        programs = [self.programs[p.name] for p in self.stages[segment.stage] if p.metric is not None]
        metric = sum(program.evaluate(state.model, self.validation) for program in programs)
        best, best_metric = programs[0].select(state.model, state.best, state.best_metric, metric)
        return state._replace(best=best, best_metric=best_metric), np.asarray(metric)

    # ---- what can happen between two calls

    def _save(self, index: int, step: int, state: State, last: bool = False) -> None:
        """A checkpoint if one is due, if a phase ended, or if somebody wants us to leave."""
        stop = self.signals.received
        if self.checkpoints is not None and (last or stop or time.perf_counter() - self.saved_at >= CHECKPOINT_SECONDS):
            cursor = {"segment": index, "step": step, "arrays": fingerprint(state)}
            self.checkpoints.save(self._position(index, step), state, cursor)
            self.saved_at = time.perf_counter()
        if stop:
            if self.checkpoints is not None:
                self.checkpoints.wait()
            raise Interruption(stop, self._position(index, step), self.total, self.folder)

    def _diverged(
        self, program: PhaseProgram, state: State, resident: PyTree, plan: PyTree, offset: int, keys: Array
    ) -> None:
        replicate = int(np.argmax(np.asarray(state.failed_at) >= 0))
        found = divergence.examine(program, state, resident, plan, offset, keys, replicate)
        kept = None
        if self.folder is not None:
            kept = divergence.reproducer(self.folder / "divergence", found, state.model, keys[replicate])
        raise divergence.error(found, kept)


def _padded(plan: PyTree, length: int, axis: int) -> PyTree:
    """The plan with its step axis filled up to `length`, so that calls of all lengths share one compilation."""

    def pad(leaf: np.ndarray) -> np.ndarray:
        missing = [(0, length - leaf.shape[axis]) if a == axis else (0, 0) for a in range(leaf.ndim)]
        return np.pad(leaf, missing)

    return jax.tree.map(pad, plan)


__all__ = ["DivergenceError", "Fitted", "fit", "initialise"]
