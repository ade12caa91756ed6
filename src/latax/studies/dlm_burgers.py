"""VAE-DLM on Burgers' equation, the published case, with data that solve it."""

from pathlib import Path

from rich.console import Console

from latax.data import burgers
from latax.studies.forecasts import Budget, Case, forecast_study
from latax.studies.result import StudyResult

#: The full set is the published one, of 5,000 trajectories on 201 nodes and times; the test states are fresh.
BUDGETS = {
    "quick": Budget(training=300, test=500, nodes=201, times=41, every=2, steps=1_500, replicates=2),
    "full": Budget(training=5_000, test=500, nodes=201, times=201, every=10, steps=4_000, replicates=5),
}


def dlm_burgers(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """VAE-DLM on Burgers' equation: against VAEs, look-up, POD and who knows the family, as trained and otherwise."""
    return forecast_study(burgers_case(), BUDGETS[budget], seed, console, folder)


def burgers_case() -> Case:
    """The published viscosity and initial states."""
    return Case(title="Burgers' equation", make=burgers.make, solve=burgers.solve)
