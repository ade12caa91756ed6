"""The studies of forecasts over a latent manifold: from initial states as in training, and from others."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from rich.console import Console

from latax.data import Samples
from latax.data.initial_fields import cosine_coefficients, cosine_powers
from latax.data.shifts import SHIFTS, shifted
from latax.estimators import VAEDLM, ForecastVAE
from latax.estimators.forecast_assessment import looked_at
from latax.evaluate import Interval, confidence_interval, error_reduction, paired_difference
from latax.evaluate.forecasts import FamilyForecast, NearestStart, PODRegression, relative_l1
from latax.evaluate.stats import Statistic
from latax.report import figures
from latax.report.content import Figure, Section
from latax.report.tables import Table
from latax.studies.contest import Contest, Results, hold
from latax.studies.result import StudyResult

OURS, EXTENDED, PLAIN = "VAE-DLM", "extended VAE", "VAE"
#: The same fits, from the nearest states that they know how to make.
ROBUST = {OURS: f"{OURS}, robust", PLAIN: f"{PLAIN}, robust"}
NEAREST, KNOWING, POD = "nearest training state", "family known, robust fit", "POD regression"
#: Whom the pictures show, beside which others are in the tables. Who knows the family is off any scale.
SHOWN = (OURS, EXTENDED, PLAIN, ROBUST[OURS], ROBUST[PLAIN], NEAREST, POD)
TOGETHER = "all but none, geometric mean"
#: Errors above this say that hardly anything of a state was forecast: no setting changes much about them.
HOPELESS = 0.5
WITHIN = f"those below {HOPELESS:g}, geometric mean"
STATISTICS: tuple[Statistic, ...] = ("median", "mean")
#: Nodes of the fields that the solver of who knows the family starts from, and modes of the regression.
_FINE, _MODES = 256, 32
#: Test trajectories, and moments, that the manifold is looked at.
_POINTS, _MOMENTS = 64, 9
#: The share of the reference metric below which a direction of a manifold counts as too short, for all models alike.
_LEAST = 0.5

#: Relative L1 errors of each replicate, test trajectory and time.
Errors = Float[np.ndarray, "_ N T"]
#: Those of two contestants at one time: (replicates, trajectories) each.
Pair = tuple[np.ndarray, np.ndarray]
#: Errors by contestant and by shift.
Found = Mapping[str, Mapping[str, Errors]]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Trajectories to train and to test on, nodes and times of the training set, steps, and replicates.

    Errors are taken at every `every`-th of the times.
    """

    training: int
    test: int
    nodes: int
    times: int
    every: int
    steps: int
    replicates: int


class Trial(NamedTuple):
    """Initial states as models are shown them, and the solutions from the true ones."""

    initial: Float[np.ndarray, "N S"]
    truth: Float[np.ndarray, "N T S"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An equation of which trajectories are made.

    - `make`: `n, seed` and the options of the sets in `latax.data` -> samples.
    - `solve`: fields on equally spaced nodes of [0, 1), times, places -> (N, T, S), for who knows the equation.
    - `common`: arguments of all models.
    """

    title: str
    make: Callable[..., Samples]
    solve: Callable[..., np.ndarray]
    common: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def training(self, budget: Budget, seed: int) -> Samples:
        """Trajectories from the family that all models learn."""
        return self.make(budget.training, seed, nodes=budget.nodes, times=budget.times)

    def trials(self, budget: Budget, seed: int, kinds: Iterable[str] = SHIFTS) -> dict[str, Trial]:
        """Fresh initial states of every kind; those of the family are the same ones, but for what is done to them."""
        times = 1 + (budget.times - 1) // budget.every
        trials = {}
        for name in kinds:
            initial, solutions = shifted(self.make, name, budget.test, seed + 1, nodes=budget.nodes, times=times)
            trials[name] = Trial(initial, np.asarray(solutions.X).reshape(budget.test, times, budget.nodes))
        return trials

    def contestants(self, budget: Budget, seed: int) -> dict[str, Any]:
        """VAE-DLM, its networks without the geometry, the plain VAE, and VAE-DLM as released."""
        common = self.options(budget, seed)
        # One of the released: its network for the metric, looked at all times, costs as much as three of ours.
        alone: dict[str, Any] = {**common, "replicates": 1}
        return {
            OURS: VAEDLM(**common),
            EXTENDED: ForecastVAE(architecture="extended", **common),
            PLAIN: ForecastVAE(**common),
            "VAE-DLM, as released": VAEDLM(reference=True, **alone),
        }

    def options(self, budget: Budget, seed: int) -> dict[str, Any]:
        """The arguments of all models."""
        return {"steps": budget.steps, "replicates": budget.replicates, "seed": seed, **self.common}

    def untrained(self, training: Samples, budget: Budget) -> dict[str, Any]:
        """Forecasts without networks, at the times of the trials."""
        known = np.asarray(training.X).reshape(len(training), *training.sample_shape)[:, :: budget.every]
        times, x = np.asarray(training.times)[:: budget.every], np.linspace(0, 1, budget.nodes)

        def solve(coefficients: np.ndarray) -> np.ndarray:
            return self.solve(cosine_powers(coefficients, np.arange(_FINE) / _FINE), times, x)

        return {
            NEAREST: NearestStart(known),
            "family known, least squares": FamilyForecast(lambda starts: cosine_coefficients(starts, x), solve),
            KNOWING: FamilyForecast(lambda starts: cosine_coefficients(starts, x, robust=True), solve),
            POD: PODRegression(known, _MODES),
        }


def forecast_study(case: Case, budget: Budget, seed: int, console: Console, folder: Path) -> StudyResult:
    """Fits VAE-DLM and its contestants, and measures all of them on fresh initial states of every kind."""
    training, trials = case.training(budget, seed), case.trials(budget, seed)
    times = np.asarray(training.times)[:: budget.every]
    results = hold(Contest(case.title, training, {}), case.contestants(budget, seed), console, folder)
    fitted = errors_of_fitted(results, trials, times)
    robust = errors_of_fitted(results, trials, times, robust=ROBUST)
    untrained = {
        name: {kind: relative_l1(one.predict(trial.initial), trial.truth)[None] for kind, trial in trials.items()}
        for name, one in case.untrained(training, budget).items()
    }
    found = fitted | robust | untrained
    middle = len(times) // 2
    tables = [error_table(found, times, middle, statistic) for statistic in STATISTICS]
    pairs = [(OURS, EXTENDED), (OURS, PLAIN), (ROBUST[OURS], PLAIN), (ROBUST[OURS], ROBUST[PLAIN]), (OURS, NEAREST)]
    gained = [gains(found, first, second, middle) for first, second in pairs]
    by_time = [gains_by_time(found, first, second, times) for first, second in pairs]
    shapes, shown = manifold_table(results, trials), [errors_by_time(found, kind, times) for kind in trials]
    return StudyResult(
        title=f"Forecasts over a dynamical latent manifold: {case.title}",
        summary=f"{budget.training:,} trajectories, {budget.steps:,} steps, {budget.replicates} replicates; "
        f"{budget.test:,} fresh initial states of each kind. {verdict(found, OURS, PLAIN, middle)}",
        tables=[*tables, *gained, *by_time, shapes],
        sections=[
            Section("Errors of forecasts", tables=tables, figures=[error_figure(tables[-1])]),
            Section("What the geometry changes", tables=gained),
            Section("Errors by time", tables=by_time, figures=shown),
            Section("The manifold", tables=[shapes]),
        ],
    )


def errors_of_fitted(
    results: Results,
    trials: Mapping[str, Trial],
    times: Float[np.ndarray, " T"],
    *,
    robust: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Errors]]:
    """The errors of every replicate of what was fitted; with `robust` of the robust forecasts of those named there, by
    what it calls these."""
    names = {name: name for name in results.fitted} if robust is None else robust
    found = {}
    for name, shown in names.items():
        fitted = results.fitted[name]
        replicates = [fitted.replicate(r) for r in range(fitted.n_replicates_)]
        forecast = lambda one, trial: one.predict(trial.initial, times, robust=robust is not None)
        found[shown] = {
            kind: np.stack([relative_l1(forecast(one, trial), trial.truth) for one in replicates])
            for kind, trial in trials.items()
        }
    return found


def error_table(found: Found, times: Float[np.ndarray, " T"], at: int, statistic: Statistic) -> Table:
    """A row for each contestant, a column for each kind of initial states: one statistic over test trajectories."""
    kinds = list(next(iter(found.values())))
    cells = lambda by_kind: [_summary(by_kind[kind][:, :, at], statistic) for kind in kinds]
    return Table(
        f"{statistic.capitalize()} relative L1 error at t = {times[at]:g}",
        ["model", *kinds],
        [[name, *cells(by_kind)] for name, by_kind in found.items()],
        f"The {statistic} over test trajectories. With replicates: its median over them and their interval; without: "
        f"its interval over trajectories. {'; '.join(f'{kind}: {SHIFTS[kind].description}' for kind in kinds)}.",
    )


def error_figure(table: Table) -> Figure:
    """The rows of such a table that pictures show."""
    rows = [row for row in table.rows if row[0] in SHOWN]
    cells = lambda i: [cell if isinstance(cell := row[i], Interval) else None for row in rows]
    by_kind = {kind: cells(i) for i, kind in enumerate(table.columns[1:], 1)}
    return figures.comparison_figure([str(row[0]) for row in rows], by_kind)


def errors_in_pairs(found: Found, first: str, second: str, at: int) -> dict[str, Pair]:
    """The errors of two contestants at one time, for each kind of initial states; who has no replicates is the same for
    all of the other's."""
    both = lambda kind: np.broadcast_arrays(found[first][kind][:, :, at], found[second][kind][:, :, at])
    return {kind: (a, b) for kind in found[first] for a, b in [both(kind)]}


def untrained_kinds(pairs: Mapping[str, Pair]) -> list[Pair]:
    """Those from kinds of initial states that were not trained on."""
    return [pair for kind, pair in pairs.items() if kind != "none"]


def within_reach(pairs: Iterable[Pair]) -> list[Pair]:
    """Those of them on which the mean error of the second contestant is not hopeless."""
    return [pair for pair in pairs if np.mean(pair[1]) < HOPELESS]


def gains(found: Found, first: str, second: str, at: int) -> Table:
    """By how much the errors of the first contestant are lower than those of the second, for each kind, and in the
    geometric mean over all that were not trained on."""
    rows: list[list[Any]] = []
    pairs = errors_in_pairs(found, first, second, at)
    for kind, (a, b) in pairs.items():
        pair = np.mean(a, axis=0), np.mean(b, axis=0)
        rows.append(
            [
                kind,
                error_reduction([(a, b)], statistic="mean"),
                error_reduction([(a, b)], statistic="median"),
                paired_difference(*pair, statistic="mean"),
                paired_difference(*pair, statistic="median"),
                float(np.mean(pair[0] < pair[1])),
            ]
        )
    others = untrained_kinds(pairs)
    for name, some in ((TOGETHER, others), (WITHIN, within_reach(others))):
        if some:
            rows.append([name, *(error_reduction(some, statistic=s) for s in ("mean", "median")), None, None, None])
    return Table(
        f"{first} against {second}",
        ["initial states", "mean lower by (%)", "median lower by (%)", "mean difference", "median difference", "share"],
        rows,
        "By how many per cent the mean and the median error of test trajectories are lower, with 95 % intervals for "
        "other replicates and other trajectories; below zero they are higher. Then the difference of the "
        "errors, averaged over replicates, trajectory by trajectory, with intervals over trajectories, and the share "
        "of trajectories on which the first has the lower error. The last row leaves out kinds on which the mean error "
        f"of {second} is {HOPELESS:g} or more: there is little to be lowered by any setting.",
    )


def gains_by_time(found: Found, first: str, second: str, times: Float[np.ndarray, " T"], moments: int = 6) -> Table:
    """By how much the errors of the first contestant are lower than those of the second at several times."""
    rows: list[list[Any]] = []
    for at in np.unique(np.linspace(0, len(times) - 1, moments).astype(int)).tolist():
        pairs = errors_in_pairs(found, first, second, at)
        others = untrained_kinds(pairs)
        by = [error_reduction([pairs["none"]], statistic=statistic) for statistic in STATISTICS]
        rows.append([f"{times[at]:g}", *by, *(error_reduction(others, statistic=s) for s in STATISTICS)])
    columns = [f"{kinds}, {statistic}" for kinds in ("none", TOGETHER) for statistic in STATISTICS]
    return Table(
        f"{first} against {second}, by time",
        ["t", *columns],
        rows,
        "By how many per cent the errors are lower, with 95 % intervals for other replicates and other trajectories; "
        "below zero they are higher.",
    )


def verdict(found: Found, first: str, second: str, at: int) -> str:
    """In words: from how many kinds of initial states that were not trained on the mean error is lower, or higher, and
    by how much from all of them together. Intervals of single kinds allow for their number (Bonferroni)."""
    pairs = untrained_kinds(errors_in_pairs(found, first, second, at))
    by = [error_reduction([pair], level=1 - 0.05 / len(pairs)) for pair in pairs]
    lower = sum(one.low is not None and one.low > 0 for one in by)
    higher = sum(one.high is not None and one.high < 0 for one in by)
    together, reached = error_reduction(pairs), within_reach(pairs)
    near = ""
    if 0 < len(reached) < len(pairs):
        near = f", and over the {len(reached)} with errors below {HOPELESS:g} by {error_reduction(reached).short()} %"
    return (
        f"Of {len(pairs)} kinds of initial states that were not trained on, the mean error of {first} is lower than "
        f"that of {second} on {lower}, higher on {higher}, and not to be told apart on {len(pairs) - lower - higher}; "
        f"in the geometric mean over these kinds it is lower by {together.short()} %{near}."
    )


def errors_by_time(found: Found, kind: str, times: Float[np.ndarray, " T"]) -> Figure:
    """Errors against time, replicates averaged, from initial states of one kind."""
    shown = {name: np.mean(found[name][kind], axis=0) for name in SHOWN if name in found}
    caption = "Medians and quartiles over test trajectories, each forecast from its first state alone."
    figure = figures.forecast_error_figure(times, shown)
    return dataclasses.replace(figure, title=f"Initial states: {SHIFTS[kind].description}", caption=caption)


def manifold_table(results: Results, trials: Mapping[str, Trial]) -> Table:
    """What has become of the latent manifolds of the models that have one with a geometry."""
    starts, moments = trials["none"].initial[:_POINTS], np.linspace(0, 1, _MOMENTS)
    rows = []
    for name, fitted in results.fitted.items():
        if not isinstance(fitted, VAEDLM):
            continue
        looks = [looked_at(fitted.replicate(r), starts, moments, _LEAST) for r in range(fitted.n_replicates_)]
        middles = lambda look: [np.median(v) for v in (look.log_volume, look.condition, look.residual, look.mismatch)]
        numbers = [[*middles(look), np.mean(look.violation)] for look in looks]
        rows.append([name, *(confidence_interval(column, statistic="median") for column in zip(*numbers, strict=True))])
    return Table(
        "The latent manifold",
        ["model", "log-volume", "condition number", "residual / terms of the flow", "metric mismatch", "too short"],
        rows,
        "Medians over fresh initial states as in training and over times, the last the mean share of directions below "
        f"{_LEAST:g} of the reference metric; the mismatch is that of a metric network from the manifold's own metric. "
        "Medians of replicates with their intervals.",
    )


def _summary(errors: Float[np.ndarray, "R N"], statistic: Statistic) -> Interval:
    if len(errors) == 1:
        return confidence_interval(errors[0], statistic=statistic)
    over = np.mean if statistic == "mean" else np.median
    return confidence_interval(over(errors, axis=1), statistic="median")
