"""`latax study`: the reproducible studies."""

from pathlib import Path
from typing import Annotated, Literal

import tyro


def study(
    name: Annotated[str, tyro.conf.Positional],
    budget: Literal["quick", "full"] = "quick",
    out: Path | None = None,
    seed: int = 0,
) -> None:
    """Runs a study: contestants on data, a table with intervals, figures, a report. `latax study list` names them.

    Args:
        name: The study, or `list`.
        budget: Minutes on two cores, or the sizes of the paper.
        out: A new folder for tables, figures and the report; by default runs/NAME-BUDGET, with a number if it is taken.
        seed: Seed of the first replicate.
    """
    from latax.studies import run_study, show_studies

    if name == "list":
        show_studies()
    else:
        run_study(name, budget, out, seed)
