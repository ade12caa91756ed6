"""Every study by its name, and running one."""

import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from latax._errors import ConfigError
from latax._wording import look_up
from latax.estimators.params import require_seed
from latax.estimators.run_folder import RunFolder, versions
from latax.report.content import ReportContent
from latax.report.page import write_report
from latax.report.tables import Table, show, to_csv, to_markdown
from latax.studies.bending_gamma import bending_gamma
from latax.studies.bending_manifolds import bending_manifolds
from latax.studies.demo import demo
from latax.studies.dlm_ablation import dlm_ablation
from latax.studies.dlm_allen_cahn import dlm_allen_cahn
from latax.studies.dlm_burgers import dlm_burgers
from latax.studies.dlm_choice import dlm_choice
from latax.studies.mflow_polynomial import mflow_polynomial
from latax.studies.physics_advection import physics_advection
from latax.studies.physics_galaxy import physics_galaxy
from latax.studies.physics_pendulum import physics_pendulum
from latax.studies.potential_blobs import potential_blobs
from latax.studies.potential_digits import potential_digits
from latax.studies.potential_pde import potential_pde
from latax.studies.potential_regulariser import potential_regulariser
from latax.studies.potential_sprites import potential_sprites
from latax.studies.result import StudyResult

T = TypeVar("T")

STUDIES: dict[str, Callable[[str, int, Console, Path], StudyResult]] = {
    "demo": demo,
    "bending-manifolds": bending_manifolds,
    "bending-gamma": bending_gamma,
    "mflow-polynomial": mflow_polynomial,
    "physics-pendulum": physics_pendulum,
    "physics-advection": physics_advection,
    "physics-galaxy": physics_galaxy,
    "potential-blobs": potential_blobs,
    "potential-sprites": potential_sprites,
    "potential-digits": potential_digits,
    "potential-regulariser": potential_regulariser,
    "potential-pde": potential_pde,
    "dlm-burgers": dlm_burgers,
    "dlm-allen-cahn": dlm_allen_cahn,
    "dlm-ablation": dlm_ablation,
    "dlm-choice": dlm_choice,
}


def show_studies() -> None:
    """Lists the studies on the terminal."""
    rows = [[name, (study.__doc__ or "").splitlines()[0]] for name, study in STUDIES.items()]
    show(Table("Studies", ["name", "what it compares"], rows), Console())


def run_study(name: str, budget: str, out: Path | None, seed: int) -> StudyResult:
    """Runs a study and writes tables, figures and report to a new folder; goes on with it in an old one."""
    study = look_up(STUDIES, name, "study")
    if budget not in ("quick", "full"):
        raise ConfigError(f"budget={budget!r} is not known; give 'quick' or 'full'.")
    require_seed(seed)
    folder = RunFolder(_free(Path("runs") / f"{name}-{budget}") if out is None else out)
    about = {"study": name, "budget": budget, "seed": seed}
    begun = folder.config() if folder.config_path.exists() else {}
    if any(begun.get(key) != value for key, value in about.items()):
        folder.create(about)
    console = Console()
    began = time.perf_counter()
    result = study(budget, seed, console, folder.path)
    seconds = time.perf_counter() - began
    for stem, table in _numbered("table", result.tables):
        (folder.path / f"{stem}.csv").write_text(to_csv(table), encoding="utf-8")
        (folder.path / f"{stem}.md").write_text(to_markdown(table), encoding="utf-8")
        show(table, console)
    for stem, figure in _numbered("figure", [figure for section in result.sections for figure in section.figures]):
        (folder.path / f"{stem}.{'png' if figure.is_png else 'svg'}").write_bytes(figure.image)
    facts = {"study": name, "budget": budget, "seed": str(seed), "date": date.today().isoformat()}
    facts |= {"time": f"{seconds:.0f} s", **versions()}
    content = ReportContent(title=result.title, facts=facts, summary=result.summary, sections=result.sections)
    write_report(folder.report_path, content)
    console.print(f"report: {folder.report_path}", markup=False, soft_wrap=True)
    return result


def _numbered(kind: str, those: Sequence[T]) -> list[tuple[str, T]]:
    """Each with the name of its file: the kind, and its number if there are several."""
    return [(kind if len(those) == 1 else f"{kind}-{number}", one) for number, one in enumerate(those, 1)]


def _free(path: Path) -> Path:
    """`path`, or `path-2`, `path-3`, ... if it is taken."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
