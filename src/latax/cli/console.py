"""What the commands print: tables and verdicts on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from latax.data import Samples
from latax.evaluate import Diagnosis, confidence_interval
from latax.evaluate.stats import Interval

_COLOURS = {"good": "green", "unknown": "cyan", "warning": "yellow", "bad": "red"}


def show_run(out: Path, estimator: Any, samples: Samples, report: bool) -> None:
    """After a fit: the metrics, the verdict, and where everything is."""
    from latax.estimators.run_folder import RunFolder
    from latax.report.run import metrics_table, report_run
    from latax.report.tables import show

    folder, console = RunFolder(out), Console()
    show(metrics_table(estimator), console)
    if report:
        show_diagnosis(report_run(folder.report_path, estimator, samples).diagnosis)
        console.print(f"report: {folder.report_path}", markup=False, soft_wrap=True)
    console.print(f"model:  {folder.model_path}", markup=False, soft_wrap=True)


def show_diagnosis(diagnosis: Diagnosis) -> None:
    """The verdict in words, then every check."""
    console = Console()
    console.print(diagnosis.summary(), style=f"bold {_COLOURS[diagnosis.verdict]}", markup=False)
    for finding in diagnosis.worst_first():
        console.print(f"  {finding}", style=_COLOURS[finding.verdict], markup=False, highlight=False)


#: Rows of a table on the terminal.
SHOWN = 20


def show_parameters(estimates: dict[str, Any], labels: tuple[str, ...], level: float) -> None:
    """The parameters of the first samples, one column for each, with their intervals."""
    from latax.report.tables import Table, show

    count = len(next(iter(estimates.values())).value) if estimates else 0
    rows = [
        [labels[i] if labels else str(i), *(Interval(*(float(v[i]) for v in e), level, 1) for e in estimates.values())]
        for i in range(min(count, SHOWN))
    ]
    title = f"Parameters with {100 * level:.3g} % intervals"
    show(Table(title, ["sample", *estimates], rows, _more(count)), Console())


def show_shares(shares: Mapping[str, np.ndarray], labels: tuple[str, ...]) -> None:
    """The shares of the first samples that are explained, one column for each kind, and the medians of all."""
    from latax.report.tables import Table, show

    count = len(next(iter(shares.values())))
    rows = [[labels[i] if labels else str(i), *(v[i] for v in shares.values())] for i in range(min(count, SHOWN))]
    known = {name: values[~np.isnan(values)] for name, values in shares.items()}
    medians = ", ".join(f"{name} {np.median(values):.3g}" for name, values in known.items() if len(values))
    said = [medians and f"Medians of all: {medians}.", _more(count)]
    title = "Shares of variance: of the reconstruction by the physics alone, of the data by the model"
    show(Table(title, ["sample", *shares], rows, " ".join(filter(None, said))), Console())


def _more(count: int) -> str:
    return f"The first {SHOWN} of {count}; --out FILE writes all." if count > SHOWN else ""


def show_scores(columns: dict[str, np.ndarray]) -> None:
    """The mean, its interval, and the range of every column of scores."""
    from latax.report.tables import Table, show

    rows = []
    for name, values in columns.items():
        if not name.startswith("u"):
            low, high = (float(v) for v in (np.nanmin(values), np.nanmax(values)))
            rows.append([name.replace("_", " "), confidence_interval(values), low, high])
    titles = ["score", "mean [95 % interval]", "smallest", "largest"]
    show(Table(f"{len(next(iter(columns.values())))} samples", titles, rows), Console())
