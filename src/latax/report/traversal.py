"""The report of potential flows, and the files of one traversal."""

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latax import __version__
from latax._errors import FileError
from latax.estimators.citation import bibtex
from latax.estimators.potential_flow import PotentialFlow
from latax.estimators.traversal import Traversal
from latax.estimators.traversal_assessment import STEPS, TraversalAssessment
from latax.evaluate import confidence_interval
from latax.report import figures
from latax.report.content import ReportContent, Section
from latax.report.page import write_report
from latax.report.run import metrics_table, training_figures
from latax.report.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image

#: How long each picture of an animation is shown, in milliseconds, and to how many pixels at least small images are
#: enlarged.
_SHOWN, _LARGE = 120, 64


def report_traversals(path: str | Path, estimator: PotentialFlow) -> TraversalAssessment:
    """Writes the report of fitted potential flows; returns what it found."""
    found = estimator.assess()
    write_report(path, _content(estimator, found, Path(path).parent))
    return found


def paths_table(found: TraversalAssessment) -> Table:
    """A row for each path: means over starts, with their intervals."""
    rows = []
    for k in range(len(found.displacement)):
        means = [
            confidence_interval(values[k]) for values in (found.displacement, found.change, found.drift, found.energy)
        ]
        rows.append([str(k), *means, float(found.round_trip[k].max())])
    columns = ["potential", "displacement / √n", "rms change of the data", "drift", "energy", "worst round trip"]
    caption = (
        "Displacement: straight from start to end. Drift: of the distance from the mean. Energy: the integral of the "
        "squared speed. Means over 64 draws of the decoder."
    )
    return Table("Paths", columns, rows, caption)


def _content(estimator: PotentialFlow, found: TraversalAssessment, run: Path) -> ReportContent:
    shape, given = estimator.data_shape_, estimator.decoder
    decoder = str(given) if isinstance(given, str | os.PathLike) else f"a {type(given).__name__}"
    paths = {f"potential {k}": path.reshape(STEPS, -1).astype(np.float64) for k, path in enumerate(found.example)}
    sheet = figures.paths_figure(
        paths,
        np.linspace(0, 1, STEPS),
        shape,
        title="Paths from one point",
        caption="Every row begins at the same point; each should change something of its own.",
    )
    return ReportContent(
        title=f"PotentialFlow of {decoder}",
        facts={
            "model": "PotentialFlow",
            "decoder": decoder,
            "latent coordinates": str(estimator.space_.size),
            "potentials": str(estimator.potentials),
            "date": date.today().isoformat(),
            "latax": __version__,
        },
        diagnosis=found.diagnosis,
        sections=[
            Section(
                "Numbers",
                text=f"On fresh draws. The classifier tells {100 * found.accuracy:.3g} % of pairs; guessing would tell "
                f"{100 * found.chance:.3g} %. That paths are distinct does not make them factors of the data.",
                tables=[metrics_table(estimator), paths_table(found)],
            ),
            Section("What was learnt", figures=[*training_figures(estimator), sheet]),
        ],
        config=estimator._params(),
        commands=[f"latax traverse {run} --k 0 --out paths", f'# in Python\nmodel = latax.load("{run}")'],
        bibtex=bibtex(estimator.name),
    )


def write_traversal(out: str | os.PathLike[str], found: Traversal, *, title: str) -> list[Path]:
    """Writes `traversal.npz` (data, latent, times) to a new folder, with `contact-sheet.png` and `animation.gif` where
    the data are images. Returns the files. Raises `FileError` where the folder exists or cannot be written."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True)
        numbers = folder / "traversal.npz"
        np.savez_compressed(numbers, **found._asdict())
        shape = found.data.shape[2:]
        if not figures.is_image(shape):
            return [numbers]
        return [numbers, *_write_images(folder, found, shape, title)]
    except FileExistsError as error:
        raise FileError(f"{folder} is already there; nothing in it was touched. Give another folder as out.") from error
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{folder} cannot be written: {reason}. Free some space, or choose another place.") from error


def _write_images(folder: Path, found: Traversal, shape: tuple[int, ...], title: str) -> list[Path]:
    count, steps = found.data.shape[:2]
    flat = found.data.reshape(count, steps, -1).astype(np.float64)
    within = figures.value_range(flat.reshape(count * steps, -1))
    sheet, animation = folder / "contact-sheet.png", folder / "animation.gif"
    larger = max(1, -(-_LARGE // min(figures.image_size(shape))))
    _image(figures.picture_grid(flat.reshape(count * steps, -1), shape, steps, within=within), larger).save(sheet)
    # There and back, so that the film can go on without a jump.
    order = [*range(steps), *range(steps - 2, 0, -1)]
    first, *others = (_image(figures.picture_grid(flat[:, t], shape, count, within=within), larger) for t in order)
    first.save(animation, save_all=True, append_images=others, duration=_SHOWN, loop=0, comment=title.encode())
    return [sheet, animation]


def _image(pixels: np.ndarray, larger: int) -> "Image":
    from PIL import Image

    image = Image.fromarray(pixels)
    return image.resize((image.width * larger, image.height * larger), Image.Resampling.NEAREST)
