"""VAE-DLM on the Allen-Cahn equation, whose solutions part into two phases."""

from pathlib import Path

from rich.console import Console

from latax.data import allen_cahn
from latax.studies.forecasts import Budget, Case, forecast_study
from latax.studies.result import StudyResult

BUDGETS = {
    "quick": Budget(training=300, test=500, nodes=201, times=41, every=2, steps=1_500, replicates=2),
    "full": Budget(training=5_000, test=500, nodes=201, times=201, every=10, steps=4_000, replicates=5),
}


def dlm_allen_cahn(budget: str, seed: int, console: Console, folder: Path) -> StudyResult:
    """VAE-DLM on the Allen-Cahn equation: against VAEs, look-up, POD and who knows the family, as trained and not."""
    return forecast_study(allen_cahn_case(), BUDGETS[budget], seed, console, folder)


def allen_cahn_case() -> Case:
    """The same initial states as for Burgers' equation."""
    return Case(title="Allen-Cahn equation", make=allen_cahn.make, solve=allen_cahn.solve_at)
