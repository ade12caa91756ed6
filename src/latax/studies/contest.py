"""Contestants on one data set: fit each, measure every replicate on test data, and put the results into a table."""

import functools
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from latax.data import Samples
from latax.estimators.run_folder import write_json
from latax.evaluate import Interval, confidence_interval
from latax.report.tables import Table

#: A number for one replicate of a fitted estimator, or None where the model has no such number.
Measure = Callable[[Any], float | None]


@dataclass(frozen=True)
class Contest:
    """What every contestant is fitted on and measured by; smaller is better unless a name says otherwise."""

    title: str
    training: Samples
    measures: Mapping[str, Measure]
    caption: str = ""


@dataclass(frozen=True)
class Results:
    """Fitted contestants, their measures {contestant: {measure: (replicates,) or None}}, and seconds of training."""

    contest: Contest
    fitted: dict[str, Any] = field(default_factory=dict)
    values: dict[str, dict[str, np.ndarray | None]] = field(default_factory=dict)
    seconds: dict[str, float | None] = field(default_factory=dict)

    def interval(self, name: str, measure: str) -> Interval | None:
        """The median over replicates with its interval; the value alone for a single one."""
        values = self.values[name][measure]
        return None if values is None else confidence_interval(values, statistic="median")

    def table(self, title: str | None = None) -> Table:
        """One row for each contestant; the contest's title unless another is given."""
        columns = ["model", *self.contest.measures, "replicates", "training (s)"]
        rows = []
        for name, fitted in self.fitted.items():
            cells = [self.interval(name, measure) for measure in self.contest.measures]
            rows.append([name, *cells, fitted.n_replicates_, self.seconds[name]])
        return Table(title or self.contest.title, columns, rows, self.contest.caption)


def hold(contest: Contest, contestants: Mapping[str, Any], console: Console, folder: Path) -> Results:
    """Fits and measures every contestant, each in a run folder of its own below `folder`.

    A contestant whose run is there is resumed, so a study that was stopped goes on where it was.
    """
    results = Results(contest)
    for name, estimator in contestants.items():
        console.print(f"{contest.title}: {name}", style="bold", markup=False)
        out = folder / slug(f"{contest.title} {name}")
        fit = functools.partial(estimator.fit_samples, contest.training)
        results.fitted[name], results.seconds[name] = fit_or_resume(fit, out)
        replicates = [results.fitted[name].replicate(r) for r in range(results.fitted[name].n_replicates_)]
        results.values[name] = {m: _measured(replicates, measure) for m, measure in contest.measures.items()}
    return results


def slug(title: str) -> str:
    """A title as the name of a folder."""
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def fit_or_resume(fit: Callable[..., Any], out: Path) -> tuple[Any, float | None]:
    """The estimator that `fit(out=..., resume=...)` gives, from the run in `out` where there is one, and the seconds it
    took; None where it was stopped in between."""
    done, begun = out / "seconds.json", (out / "config.json").exists()
    began = time.perf_counter()
    fitted = fit(out=out, resume=begun)
    if not begun:
        write_json(done, {"seconds": time.perf_counter() - began})
    return fitted, json.loads(done.read_text())["seconds"] if done.exists() else None


def _measured(replicates: Sequence[Any], measure: Measure) -> np.ndarray | None:
    values: Sequence[float | None] = [measure(replicate) for replicate in replicates]
    return None if any(value is None for value in values) else np.array(values)
