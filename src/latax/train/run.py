"""The training loop on the host: it walks the course and does between two calls all that is not arithmetic.

That is: progress, reports, choice of the best weights, checkpoints, signals, divergence. While the device makes the
steps of one call the host plans those of the next.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PyTree

from latax._errors import DivergenceError, FileError
from latax.train import divergence, evidence, identity
from latax.train.checkpoint import Checkpoints, Cursor
from latax.train.course import Segment
from latax.train.hosts import agreed, is_first, on_host
from latax.train.interrupt import Interruption, Signals, watch_signals
from latax.train.lock import hold
from latax.train.progress import AbstractMeter, Pace
from latax.train.state import State, advance, take_averages
from latax.train.tracker import Tracker
from latax.train.trainer import Trainer

#: Aimed length of one compiled call: short enough for a live bar and a quick reaction to Ctrl-C.
CALL_SECONDS = 0.5
#: Work that a kill may cost.
CHECKPOINT_SECONDS = 30.0


@dataclass
class Run:
    """One call of `fit`. `folder` is the run's, if it has one."""

    trainer: Trainer
    folder: Path | None
    tracker: Tracker
    meter: AbstractMeter
    _checkpoints: Checkpoints | None = None
    _signals: Signals = field(default_factory=Signals)
    _pace: Pace = field(default_factory=Pace)
    _saved_at: float = float("-inf")
    #: Steps for the next call of each phase; every host has the same.
    _lengths: dict[str, int] = field(default_factory=dict)
    #: The part of the identity that stays the same.
    _of_run: dict[str, str] = field(default_factory=dict)
    #: What has run before in this process, and so is compiled.
    _warm: set[str] = field(default_factory=set)

    def __call__(self, resume: bool) -> tuple[State, int]:
        """Trains to the end. Returns the last state, and the steps made in this call."""
        course = self.trainer.course
        with ExitStack() as leaving:
            leaving.callback(self.tracker.close)
            if self.folder is not None:
                leaving.enter_context(hold(self.folder))
                checkpoints = Checkpoints(self.folder / "checkpoints")
                self._refuse_taken(checkpoints, resume)
                self._of_run = identity.of_run(self.trainer)
                self._checkpoints = leaving.enter_context(checkpoints)
            index, step, state = self._start()
            first = course.position(index, step)
            self.meter.start(course.total, first)
            leaving.callback(self.meter.stop)
            self._signals = leaving.enter_context(watch_signals())
            while index < len(course.segments):
                index, step, state = self._next(index, self._segment(index, step, state))
            if self._checkpoints is not None:
                self._checkpoints.wait()
        return state, course.total - first

    def _refuse_taken(self, checkpoints: Checkpoints, resume: bool) -> None:
        latest = checkpoints.latest()
        if latest is not None and not resume:
            raise FileError(
                f"{self.folder} already holds a run, up to step {latest}; nothing in it was touched. "
                "Go on with it by resume=True, or give another folder."
            )

    def _start(self) -> tuple[int, int, State]:
        """(segment, step, state) to start from: a checkpoint's, or the beginning."""
        course = self.trainer.course
        latest = None if self._checkpoints is None else self._checkpoints.latest()
        if latest is None:
            self.tracker.rewind(-1)
            return 0, 0, self.trainer.first_state()
        assert self._checkpoints is not None
        cursor = self._checkpoints.cursor(latest)
        stage = course.segments[min(cursor["segment"], len(course.segments) - 1)].stage
        like = self.trainer.state_like(stage)
        self._checkpoints.check(cursor, self._identity(like))
        state = self._checkpoints.restore(latest, like)
        self.tracker.rewind(latest)
        return cursor["segment"], cursor["step"], state

    def _next(self, index: int, state: State) -> tuple[int, int, State]:
        """(segment, step, state) after the end of segment `index`."""
        course = self.trainer.course
        stage_ends, step = course.ends_stage(index), 0
        stage = course.segments[index].stage
        index += 1
        if index < len(course.segments):
            step = course.segments[index].start
            if stage_ends:
                model = self.trainer.kept_model(stage, state)
                del state  # its other buffers make room for the new one's
                state = self.trainer.fresh_state(stage + 1, model)
        self._between_calls(index, step, state, save=stage_ends)
        return index, step, state

    # ---- one segment

    def _segment(self, index: int, step: int, state: State) -> State:
        trainer, segment = self.trainer, self.trainer.course.segments[index]
        name = segment.phase.name
        state, data = trainer.enter(segment, step, state)
        self._pace.skip()
        call = trainer.call(segment, step, self._lengths.setdefault(name, 1))
        while call is not None:
            began = time.perf_counter()
            state = advance(trainer.programs[name], state, data, call, trainer.keys[name])
            step = call.start + call.count
            following = trainer.call(segment, step, self._lengths[name])
            failed = on_host(state.failed_at)
            if (failed >= 0).any():
                raise self._diverged(segment, state, data, failed)
            self._measure(name, call.count, time.perf_counter() - began)
            self.meter.advance(trainer.course.position(index, step), name, self._pace.speed)
            if step == segment.next_stop(step - 1) and (step < segment.stop or segment.reports):
                state = self._report(index, step, state)
            if step < segment.stop:
                self._between_calls(index, step, state)
            call = following
        return state

    def _measure(self, name: str, count: int, seconds: float) -> None:
        """Speed and length of calls; the first call of a phase compiles and tells nothing."""
        if name not in self._warm:
            self._warm.add(name)
            self._pace.skip()
            return
        self._pace.add(count)
        aim, before = CALL_SECONDS * count / max(seconds, 1e-9), max(count, self._lengths[name])
        self._lengths[name] = int(np.clip(aim, 1, 4 * before))

    def _report(self, index: int, step: int, state: State) -> State:
        """Averages of the terms since the last report, the metric, and the best weights so far."""
        segment = self.trainer.course.segments[index]
        name, position = segment.phase.name, self.trainer.course.position(index, step)
        state, averages = take_averages(state, name, self.trainer.layout)
        record: dict[str, Any] = {"position": position, "phase": name, "step": step}
        record["terms"] = {term: value.tolist() for term, value in averages.items()}
        shown = {term: float(np.median(value)) for term, value in averages.items()}
        if self._chooses(segment, step):
            state, metric = self._choose(segment, step, state)
            record["validation"] = metric.tolist()
            shown["validation"] = float(np.median(metric))
        self.tracker.log(record)
        self.meter.report(position, name, shown)
        return state

    def _chooses(self, segment: Segment, step: int) -> bool:
        alone = len(self.trainer.course.stages[segment.stage]) == 1
        return self.trainer.has_metric(segment.stage) and (alone or (segment.chooses and step == segment.stop))

    def _choose(self, segment: Segment, step: int, state: State) -> tuple[State, np.ndarray]:
        metric = self.trainer.validate(segment.stage, state.model)
        found = on_host(metric)
        if not np.isfinite(found).all():
            raise divergence.of_metric(self.trainer, segment, step, state, found)
        best, best_metric = self.trainer.choose(state.model, state.best, state.best_metric, metric)
        if f"metric {segment.stage}" not in self._warm:
            self._warm.add(f"metric {segment.stage}")
            self._pace.skip()
        return state._replace(best=best, best_metric=best_metric), found

    # ---- what can happen between two calls

    def _between_calls(self, index: int, step: int, state: State, save: bool = False) -> None:
        """A checkpoint if one is due or `save` wants it, and the end if somebody has asked us to leave."""
        due = time.perf_counter() - self._saved_at >= CHECKPOINT_SECONDS
        said = agreed(self._signals.received, int(due), *self._lengths.values())
        stop = max(signals for signals, *_ in said)
        _, due, *lengths = said[0]
        self._lengths = dict(zip(self._lengths, lengths, strict=True))
        position = self.trainer.course.position(index, step)
        if self._checkpoints is not None:
            self._checkpoints.check_background()
            if save or stop or due:
                cursor = Cursor(segment=index, step=step, identity=self._identity(state))
                self._checkpoints.save(position, state, cursor)
                self._saved_at = time.perf_counter()
            if stop:
                self._checkpoints.wait()
        if stop:
            raise Interruption(stop, position, self.trainer.course.total, self.folder)

    def _identity(self, state: State) -> dict[str, str]:
        return self._of_run | identity.of_state(state)

    def _diverged(self, segment: Segment, state: State, data: PyTree, failed: np.ndarray) -> DivergenceError:
        found, arrays = divergence.examine(self.trainer, segment, state, data, failed)
        if self.folder is None or not is_first():
            return divergence.error(found, "")
        folder = self.folder / "divergence"
        try:
            evidence.keep(folder, found, arrays)
        except OSError as error:
            return divergence.error(found, f"The failing step could not be kept ({error}). ")
        return divergence.error(found, f"The failing step is kept in {folder}. ")
