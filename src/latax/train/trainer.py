"""What stays the same during a run: the course, the devices, the compiled programs, the data and the keys."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PyTree

from latax._errors import ConfigError
from latax.train.course import Course, Segment
from latax.train.layout import Layout, put
from latax.train.phase import Recipe
from latax.train.program import Call, PhaseProgram, prepares_once
from latax.train.programs import program_for
from latax.train.replicates import Init, initialise, replicate_keys
from latax.train.source import AbstractSource
from latax.train.state import State, better, fresh

#: Most bytes of plan on the device for one call (two are there at once), and most steps of a call.
PLAN_BYTES, CALL_STEPS = 2**25, 1024


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The arguments of `fit` that decide the result."""

    init: Init
    recipe: Recipe
    source: AbstractSource
    validation: PyTree[Array] | None
    seed: int
    replicates: int
    reports: int
    devices: Sequence[Any] | None

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("replicates", 1), ("reports", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}={getattr(self, name)} must be a whole number of at least {least}.")
        if self.validation is not None and any(len(leaf) == 0 for leaf in jax.tree.leaves(self.validation)):
            raise ConfigError("The validation data have no rows. Give some, or validation=None.")


class Trainer:
    """Makes and advances states; knows nothing of files, clocks and terminals."""

    def __init__(self, settings: Settings):
        self.settings, self.source, self.replicates = settings, settings.source, settings.replicates
        self.course = Course(settings.recipe, settings.reports)
        self.layout = Layout(self.replicates, [p.batch_size for p in self.course.phases], settings.devices)
        self._arrays, self.static = initialise(settings.init, settings.seed, self.replicates)
        self._template = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), self._arrays)
        self.programs = self._make_programs()
        self.keys: Mapping[str, Key[Array, " replicate"]] = {
            phase.name: put(replicate_keys(settings.seed, self.replicates, number), self.layout.state)
            for number, phase in enumerate(self.course.phases, start=1)
        }
        self.resident = put(self.source.resident(), self.layout.shared)
        self.validation = None if settings.validation is None else put(settings.validation, self.layout.shared)
        self.choose = jax.jit(better, out_shardings=self.layout.state, donate_argnums=(1, 2))

    def _make_programs(self) -> dict[str, PhaseProgram]:
        zeros = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), self._template)
        programs = {}
        for stage, rounds in zip(self.course.stages, self.course.rounds, strict=True):
            for phase in stage:
                once = prepares_once(phase, phase.steps // rounds, self.source, zeros, self.static, self.replicates)
                options = (phase, self.source, self.layout, self.static, zeros)
                programs[phase.name] = program_for(*options, prepares_once=once)
        return programs

    # ---- states

    def first_state(self) -> State:
        """The state at the beginning of the run."""
        return self.fresh_state(0, put(self._arrays, self.layout.state))

    def fresh_state(self, stage: int, model: PyTree[Array]) -> State:
        """The state at the beginning of a stage; `model` becomes part of it."""
        programs = [self.programs[phase.name] for phase in self.course.stages[stage]]
        terms = [program.term_names(self._template, self.source) for program in programs]
        return fresh(programs, terms, self.layout, model, keeps_best=self.has_metric(stage))

    def state_like(self, stage: int) -> State:
        """Shapes, types and places of the state in a stage; nothing is computed."""
        like = jax.eval_shape(lambda arrays: self.fresh_state(stage, arrays), self._arrays)
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=self.layout.state), like)

    def kept_model(self, stage: int, state: State) -> PyTree[Array]:
        """What a finished stage hands on: its best weights if a metric chose them, else its last."""
        return state.best if self.has_metric(stage) else state.model

    def has_metric(self, stage: int) -> bool:
        """Whether the stage chooses its best weights."""
        return self.validation is not None and any(phase.metric is not None for phase in self.course.stages[stage])

    def validate(self, stage: int, model: PyTree[Array]) -> Array:
        """The stage's metric over the validation data, for each replicate."""
        programs = [self.programs[phase.name] for phase in self.course.stages[stage] if phase.metric is not None]
        metrics = [program.evaluate(model, self.validation) for program in programs]
        return functools.reduce(jnp.add, metrics)

    # ---- segments

    def enter(self, segment: Segment, step: int, state: State) -> tuple[State, PyTree[Array]]:
        """The state and the data as the segment begins or goes on with them."""
        name = segment.phase.name
        program, data = self.programs[name], self.resident
        if program.prepares_once:
            data = program.prepare(state.model, data)
        if step == 0 and segment.phase.begin is not None:
            plan = self._placed(self._plan(segment, 0, 1))
            state = state._replace(model=program.begin(state.model, data, plan, self.keys[name]))
        return state, data

    def call(self, segment: Segment, start: int, length: int) -> Call | None:
        """The next call of at most `length` steps, ending at the latest where a report may be due."""
        if start == segment.stop:
            return None
        limit = self._most_steps(segment)
        count = min(length, limit, segment.next_stop(start) - start)
        axis = 0 if self.source.shared else 1
        plan = jax.tree.map(lambda a: _filled_up(a, limit, axis), self._plan(segment, start, count))
        return Call(start, count, self._placed(plan))

    def seed_of(self, segment: Segment, replicate: int) -> tuple[int, int]:
        """The seed of a replicate's plans."""
        return self.settings.seed + (0 if self.source.shared else replicate), segment.number

    def _plan(self, segment: Segment, start: int, count: int) -> PyTree[np.ndarray]:
        """The plan of `count` steps, for all replicates."""
        seeds = [self.seed_of(segment, r) for r in range(1 if self.source.shared else self.replicates)]
        plans = [self.source.plan(seed, start, count, segment.phase.batch_size) for seed in seeds]
        return plans[0] if self.source.shared else jax.tree.map(lambda *leaves: np.stack(leaves), *plans)

    def _placed(self, plan: PyTree[np.ndarray]) -> PyTree[Array]:
        return put(plan, self.layout.plan(self.source.shared))

    def _most_steps(self, segment: Segment) -> int:
        leaves = jax.tree.leaves(self.source.plan_like(segment.phase.batch_size))
        size = sum(leaf.size * leaf.dtype.itemsize for leaf in leaves) * (1 if self.source.shared else self.replicates)
        return max(1, min(CALL_STEPS, PLAN_BYTES // max(1, size)))


def _filled_up(leaf: np.ndarray, length: int, axis: int) -> np.ndarray:
    """The leaf with its step axis filled up to `length`, so that calls of all lengths share one compilation."""
    full = np.zeros((*leaf.shape[:axis], length, *leaf.shape[axis + 1 :]), leaf.dtype)
    full[(slice(None),) * axis + (slice(leaf.shape[axis]),)] = leaf
    return full
