"""The course of training: a recipe laid out as a line of optimiser steps, with the places of reports and choices."""

from collections.abc import Sequence
from typing import NamedTuple

from latax._errors import ConfigError
from latax.train.phase import Alternate, Phase, Recipe


class Segment(NamedTuple):
    """A run of steps `start <= step < stop` of one phase.

    `stage` numbers the entry of the recipe, `number` the phase within the recipe (from one), and `position` counts the
    steps of the whole run before the segment. The phase reports every `every` steps, and at the segment's end if
    `reports`; the best weights are chosen at each report if the phase is alone in its stage, else where `chooses`.
    """

    stage: int
    number: int
    phase: Phase
    start: int
    stop: int
    position: int
    every: int
    reports: bool
    chooses: bool

    def next_stop(self, step: int) -> int:
        """The step after `step` at which there may be a report."""
        return min(self.stop, (step // self.every + 1) * self.every)


class Course:
    """All segments of a recipe in the order of training.

    **Arguments:**

    - `recipe`: the phases. Raises `ConfigError` if there is none, or if two have one name.
    - `reports`: reports for each phase; of many rounds of an `Alternate` only so many report.
    """

    def __init__(self, recipe: Recipe, reports: int):
        self.stages = [list(entry.phases) if isinstance(entry, Alternate) else [entry] for entry in recipe]
        self.phases = [phase for stage in self.stages for phase in stage]
        _check_names([phase.name for phase in self.phases])
        self.rounds = [entry.rounds if isinstance(entry, Alternate) else 1 for entry in recipe]
        self.segments: list[Segment] = []
        self.total = 0
        for stage, rounds in enumerate(self.rounds):
            self._lay_out(stage, rounds, reports)

    def _lay_out(self, stage: int, rounds: int, reports: int) -> None:
        phases, thinning = self.stages[stage], -(-rounds // reports)
        for turn in range(1, rounds + 1):
            reporting = turn % thinning == 0 or turn == rounds
            for phase in phases:
                start, stop = (phase.steps * done // rounds for done in (turn - 1, turn))
                self.segments.append(
                    Segment(
                        stage=stage,
                        number=1 + self.phases.index(phase),
                        phase=phase,
                        start=start,
                        stop=stop,
                        position=self.total,
                        every=-(-phase.steps // reports),
                        reports=reporting,
                        chooses=reporting and phase is phases[-1],
                    )
                )
                self.total += stop - start

    def position(self, index: int, step: int) -> int:
        """Optimiser steps made since the beginning of the run, at `step` of segment `index`."""
        if index == len(self.segments):
            return self.total
        return self.segments[index].position + step - self.segments[index].start

    def ends_stage(self, index: int) -> bool:
        """Whether segment `index` is the last one of its stage."""
        return index + 1 == len(self.segments) or self.segments[index + 1].stage > self.segments[index].stage

    def describe(self) -> str:
        """Everything that decides which batch comes when, and where weights are chosen; two runs agree in it or are
        different runs."""
        kind = lambda phase: (phase.name, phase.batch_size, phase.metric is not None)
        return repr([(s.stage, s.number, *kind(s.phase), s.stop, s.every, s.reports) for s in self.segments])


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise ConfigError("The recipe is empty; it needs at least one Phase.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"Phase names must be unique within a recipe; {twice} come more than once.")
