"""Can a setting of VAE-DLM have a quarter less error than the plain VAE from initial states of other kinds?

Settings are compared on kinds of initial states that are used for nothing else, one short fit each. What all models
have is chosen for the plain VAE; what is VAE-DLM's alone, its geometry, is chosen for that, with the rest as for the
plain VAE. Both are then fitted anew, with replicates, and compared on the kinds that the other studies test on: the
forecasts as usual, and those that are robust, which cost no training and are open to both. Robust ones against usual
ones tell what robustness does, and not what the geometry does.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from latax.data.shifts import SHIFTS, VALIDATION_SHIFTS
from latax.estimators import VAEDLM, ForecastVAE
from latax.report.content import Section
from latax.report.tables import Table
from latax.studies.contest import Contest, hold
from latax.studies.dlm_allen_cahn import allen_cahn_case
from latax.studies.dlm_burgers import burgers_case
from latax.studies.forecasts import (
    OURS,
    PLAIN,
    ROBUST,
    STATISTICS,
    Budget,
    Case,
    Found,
    error_table,
    errors_of_fitted,
    gains,
    gains_by_time,
    verdict,
)
from latax.studies.result import StudyResult

#: Effort for the test, and steps of the fits among which is chosen.
BUDGETS = {
    "quick": (Budget(training=300, test=500, nodes=201, times=21, every=1, steps=1_000, replicates=2), 300),
    "full": (Budget(training=5_000, test=500, nodes=201, times=201, every=10, steps=2_500, replicates=5), 1_000),
}
#: What is chosen for the plain VAE: the weight of the prior, and the number of latent coordinates.
COMMON: dict[str, tuple[Any, ...]] = {"kl_weight": (2e-4, 5e-3), "latent_size": (3, 6)}
#: What is chosen for VAE-DLM: the surface, the weight of the flow, and whether the geometry moves the data.
GEOMETRY: dict[str, tuple[Any, ...]] = {
    "surface": ("sphere", "flat-torus"),
    "flow_weight": (1.0, 10.0),
    "detached": (True, False),
}


@dataclass(frozen=True)
class Choice:
    """The best setting, and how all of them did."""

    options: dict[str, Any]
    table: Table


def dlm_choice(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """A setting of VAE-DLM that is chosen on some kinds of initial states and tested on others, for two equations."""
    effort, short = BUDGETS[budget]
    tables: list[Table] = []
    sections, words = [], []
    for case in (burgers_case(), allen_cahn_case()):
        found = of_case(case, COMMON, GEOMETRY, effort, short, seed, console, folder)
        tables += found.tables
        sections.append(found)
        words.append(f"{case.title}: {found.text}")
    return StudyResult(
        title="A setting of VAE-DLM for other initial states",
        summary=f"{effort.training:,} trajectories. Settings were chosen after {short:,} steps on "
        f"{', '.join(VALIDATION_SHIFTS)}; the ones chosen had {effort.steps:,} steps and {effort.replicates} "
        f"replicates. {' '.join(words)}",
        tables=tables,
        sections=sections,
    )


def of_case(
    case: Case,
    common: Mapping[str, tuple[Any, ...]],
    geometry: Mapping[str, tuple[Any, ...]],
    effort: Budget,
    short: int,
    seed: int,
    console: Console,
    folder: Path,
) -> Section:
    """The choices for one equation, and their test."""
    training = case.training(effort, seed)
    times = np.asarray(training.times)[:: effort.every]
    at = len(times) // 2
    trials = case.trials(effort, seed + 1, VALIDATION_SHIFTS)
    options = case.options(replace(effort, steps=short, replicates=1), seed)

    def chosen(make: Any, choices: Mapping[str, tuple[Any, ...]], fixed: dict[str, Any], title: str) -> Choice:
        settings = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
        models = {f"{title}: {_named(setting)}": make(**(options | fixed | setting)) for setting in settings}
        results = hold(Contest(case.title, training, {}), models, console, folder / "choice")
        found = errors_of_fitted(results, trials, times)
        return choose(dict(zip(models, settings, strict=True)), found, at, title)

    shared = chosen(ForecastVAE, common, {}, PLAIN)
    own = chosen(VAEDLM, geometry, shared.options, OURS)
    options = case.options(effort, seed) | shared.options
    final = {OURS: VAEDLM(**(options | own.options)), PLAIN: ForecastVAE(**options)}
    results = hold(Contest(f"{case.title} chosen", training, {}), final, console, folder)
    trials = case.trials(effort, seed, SHIFTS)
    found = errors_of_fitted(results, trials, times) | errors_of_fitted(results, trials, times, robust=ROBUST)
    tables = [shared.table, own.table, *(error_table(found, times, at, statistic) for statistic in STATISTICS)]
    pairs = [(OURS, PLAIN), (ROBUST[OURS], ROBUST[PLAIN]), (ROBUST[OURS], PLAIN)]
    tables += [gains(found, first, second, at) for first, second in pairs]
    tables += [gains_by_time(found, first, second, times) for first, second in pairs]
    named = [replace(table, title=f"{case.title}: {table.title}") for table in tables]
    return Section(case.title, " ".join(verdict(found, first, second, at) for first, second in pairs), tables=named)


def choose(settings: Mapping[str, dict[str, Any]], found: Found, at: int, title: str) -> Choice:
    """The setting whose mean errors are lowest, in the geometric mean over all kinds."""
    kinds = list(next(iter(found.values())))
    means = {name: [float(np.mean(found[name][kind][:, :, at])) for kind in kinds] for name in settings}
    overall = {name: float(np.exp(np.mean(np.log(of)))) for name, of in means.items()}
    best = min(overall, key=lambda name: overall[name])
    rows = [[name, *means[name], overall[name]] for name in settings]
    caption = "Mean relative L1 errors, and their geometric mean. Single fits."
    return Choice(settings[best], Table(f"settings of {title}", ["setting", *kinds, "geometric mean"], rows, caption))


def _named(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in setting.items())
