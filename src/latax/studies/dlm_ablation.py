"""VAE-DLM without each of its parts, and with others in their place, on Burgers' equation."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from latax.estimators import VAEDLM
from latax.evaluate import error_reduction
from latax.evaluate.stats import Statistic
from latax.report.content import Section
from latax.report.tables import Table
from latax.studies.contest import Contest, hold
from latax.studies.dlm_burgers import burgers_case
from latax.studies.forecasts import (
    HOPELESS,
    OURS,
    STATISTICS,
    TOGETHER,
    WITHIN,
    Budget,
    Case,
    Found,
    error_table,
    errors_in_pairs,
    errors_of_fitted,
    gains_by_time,
    manifold_table,
    untrained_kinds,
)
from latax.studies.result import StudyResult

BUDGETS = {
    "quick": Budget(training=300, test=500, nodes=201, times=21, every=1, steps=500, replicates=2),
    "full": Budget(training=5_000, test=500, nodes=201, times=201, every=10, steps=1_000, replicates=5),
}
NOTHING = "neither flow nor penalty"
#: What is changed of `VAEDLM` as it is by default.
CHANGES: dict[str, dict[str, Any]] = {
    OURS: {},
    "without flow": {"flow_weight": 0.0},
    "without penalty": {"penalty_weight": 0.0},
    NOTHING: {"flow_weight": 0.0, "penalty_weight": 0.0},
    "geometry moves the data": {"detached": False},
    "errors weighted by volume": {"volume_weight": "sqrt-det"},
    "log-volume in the bound": {"volume_weight": "log-det"},
    "Λ = 0": {"operator": "none"},
    "Λ free": {"operator": "free"},
    "literal flow": {"flow": "literal"},
    "static metric": {"flow": "static"},
    "Σ of an ellipsoid": {"surface": "ellipsoid"},
    "Σ of a flat torus": {"surface": "flat-torus"},
    "open chart": {"chart": "open"},
    "metric by a network": {"metric": "network"},
    "flow at uniform times": {"collocation": "uniform"},
}


def dlm_ablation(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """VAE-DLM on Burgers' equation without its flow, penalty and operator, and with other metrics and charts."""
    return ablation_study(burgers_case(), CHANGES, BUDGETS[budget], seed, console, folder)


def ablation_study(
    case: Case, changes: dict[str, dict[str, Any]], budget: Budget, seed: int, console: Console, folder: Path
) -> StudyResult:
    """Fits VAE-DLM with each of the changes. `OURS` and `NOTHING` have to be among them."""
    training, trials = case.training(budget, seed), case.trials(budget, seed)
    times = np.asarray(training.times)[:: budget.every]
    models = {name: VAEDLM(**case.options(budget, seed), **change) for name, change in changes.items()}
    results = hold(Contest(case.title, training, {}), models, console, folder)
    found, middle = errors_of_fitted(results, trials, times), len(times) // 2
    tables = [error_table(found, times, middle, statistic) for statistic in STATISTICS]
    gained = [each_part(found, middle, statistic) for statistic in STATISTICS]
    by_time = gains_by_time(found, OURS, NOTHING, times)
    shapes = manifold_table(results, trials)
    return StudyResult(
        title=f"VAE-DLM without its parts, after short fits: {case.title}",
        summary=f"{budget.training:,} trajectories, {budget.steps:,} steps, {budget.replicates} replicates; "
        f"{budget.test:,} fresh initial states of each kind. Each row changes one setting of the first, and "
        f"'{NOTHING}' two: the same networks and chart, without any geometry. Fits are a quarter as long as those of "
        "the other studies, with some three times their errors: what changes these need not change those of long ones.",
        tables=[*tables, *gained, by_time, shapes],
        sections=[
            Section("Errors of forecasts", tables=tables),
            Section("What each part changes", tables=[*gained, by_time]),
            Section("The manifold", tables=[shapes]),
        ],
    )


def each_part(found: Found, at: int, statistic: Statistic) -> Table:
    """By how much the errors of the whole model are lower than with each of the changes."""
    kinds, rows = list(found[OURS]), []
    reached = [kind for kind in kinds if kind != "none" and np.mean(found[OURS][kind][:, :, at]) < HOPELESS]
    for name in found:
        if name != OURS:
            pairs = errors_in_pairs(found, OURS, name, at)
            cells = [error_reduction([pair], statistic=statistic) for pair in pairs.values()]
            all_kinds, near = untrained_kinds(pairs), [pairs[kind] for kind in reached]
            together = [error_reduction(some, statistic=statistic) if some else None for some in (all_kinds, near)]
            rows.append([name, *cells, *together])
    return Table(
        f"{OURS}: {statistic} error lower than with each change by (%)",
        ["change", *kinds, TOGETHER, WITHIN],
        rows,
        "With 95 % intervals for other replicates and other trajectories; below zero, the change lowers the errors. Of "
        "so many intervals one in twenty excludes zero by chance. The last column is of kinds on which the mean error "
        f"of {OURS} is below {HOPELESS:g}.",
    )
