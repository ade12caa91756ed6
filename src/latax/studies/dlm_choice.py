"""Can a setting of VAE-DLM have a quarter less error than the plain VAE from initial states of other kinds?

Settings are compared on kinds of initial states that are used for nothing else, one short fit each; the best is fitted
anew, with replicates, and held against the plain VAE on the kinds that the other studies test on. Robust forecasts cost
no training and are open to every model, so the plain VAE is shown with them, too: what they gain is not the geometry's.
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
    verdict,
)
from latax.studies.result import StudyResult

#: Effort for the test, and steps of the fits among which is chosen.
BUDGETS = {
    "quick": (Budget(training=300, test=500, nodes=201, times=21, every=1, steps=1_000, replicates=2), 300),
    "full": (Budget(training=5_000, test=500, nodes=201, times=201, every=10, steps=4_000, replicates=5), 1_000),
}
#: What is chosen among: the surface, the weight of the prior, and the number of latent coordinates.
CHOICES: dict[str, tuple[Any, ...]] = {
    "surface": ("sphere", "flat-torus"),
    "kl_weight": (2e-4, 5e-3),
    "latent_size": (3, 6),
}


@dataclass(frozen=True)
class Choice:
    """The best setting, whether its forecasts are robust, and how all of them did."""

    options: Mapping[str, Any]
    robust: bool
    table: Table


def dlm_choice(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """A setting of VAE-DLM that is chosen on some kinds of initial states and tested on others, for two equations."""
    effort, short = BUDGETS[budget]
    tables: list[Table] = []
    sections, words = [], []
    for case in (burgers_case(), allen_cahn_case()):
        found = of_case(case, CHOICES, effort, short, seed, console, folder)
        tables += found.tables
        sections.append(found)
        words.append(f"{case.title}: {found.text}")
    return StudyResult(
        title="A setting of VAE-DLM for other initial states",
        summary=f"{effort.training:,} trajectories. Settings were chosen after {short:,} steps on "
        f"{', '.join(VALIDATION_SHIFTS)}; the one chosen had {effort.steps:,} steps and {effort.replicates} "
        f"replicates. {' '.join(words)}",
        tables=tables,
        sections=sections,
    )


def of_case(
    case: Case,
    choices: Mapping[str, tuple[Any, ...]],
    effort: Budget,
    short: int,
    seed: int,
    console: Console,
    folder: Path,
) -> Section:
    """The choice for one equation, and its test."""
    training = case.training(effort, seed)
    times = np.asarray(training.times)[:: effort.every]
    at = len(times) // 2
    trials = case.trials(effort, seed + 1, VALIDATION_SHIFTS)
    settings = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
    options = case.options(replace(effort, steps=short, replicates=1), seed)
    models: dict[str, Any] = {_named(setting): VAEDLM(**(options | setting)) for setting in settings}
    short_contest = Contest(case.title, training, {})
    fitted = hold(short_contest, {PLAIN: ForecastVAE(**options), **models}, console, folder / "choice")
    usual = errors_of_fitted(fitted, trials, times)
    robust = errors_of_fitted(fitted, trials, times, robust={name: name for name in models})
    chosen = choose(dict(zip(models, settings, strict=True)), usual, robust, at)
    options = case.options(effort, seed)
    final = {OURS: VAEDLM(**(options | dict(chosen.options))), PLAIN: ForecastVAE(**options)}
    results = hold(Contest(f"{case.title} chosen", training, {}), final, console, folder)
    trials = case.trials(effort, seed, SHIFTS)
    found = errors_of_fitted(results, trials, times) | errors_of_fitted(results, trials, times, robust=ROBUST)
    ours = ROBUST[OURS] if chosen.robust else OURS
    tables = [chosen.table, *(error_table(found, times, at, statistic) for statistic in STATISTICS)]
    tables += [gains(found, ours, other, at) for other in (PLAIN, ROBUST[PLAIN])]
    named = [replace(table, title=f"{case.title}: {table.title}") for table in tables]
    return Section(case.title, verdict(found, ours, PLAIN, at), tables=named)


def choose(settings: Mapping[str, Mapping[str, Any]], usual: Found, robust: Found, at: int) -> Choice:
    """The setting whose mean errors are lowest beside those of the plain VAE, in the geometric mean over all kinds."""
    kinds = list(usual[PLAIN])
    rows, best = [], None
    for name, options in settings.items():
        for found, is_robust in ((usual, False), (robust, True)):
            means, plain = ([np.mean(of[kind][:, :, at]) for kind in kinds] for of in (found[name], usual[PLAIN]))
            share = float(np.exp(np.mean(np.log(np.divide(means, plain)))))
            rows.append([name, "robust" if is_robust else "usual", *(float(mean) for mean in means), share])
            if best is None or share < best[0]:
                best = (share, options, is_robust)
    assert best is not None
    caption = "Mean relative L1 errors, and their geometric mean as a share of the plain VAE's. Single fits."
    return Choice(best[1], best[2], Table("settings", ["setting", "forecasts", *kinds, "share"], rows, caption))


def _named(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in setting.items())
