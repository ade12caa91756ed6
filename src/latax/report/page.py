"""One self-contained HTML page of a report: pictures and styles inside, no scripts, no network.

Every text is escaped by Jinja2. Only the pictures and the style sheet, which latax makes itself, go in as they are.
"""

import base64
import json
import math
import os
import re
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from latax import __version__
from latax._errors import FileError
from latax.evaluate.stats import format_number
from latax.report.content import Figure, ReportContent

_THEMED = {"#1b1e23": "--ink", "#6b7281": "--muted", "#dfe3e8": "--grid"}
"""The figures' own ink, muted and grid colours (`latax.report.style`), and the page's variables that replace them."""


def render_page(content: ReportContent) -> str:
    """The HTML of a report."""
    import jinja2

    room = files("latax.report")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    numbers = iter(range(1, 10_000))
    environment.filters["number"] = lambda value: "–" if math.isnan(value) else format_number(value)
    environment.filters["inline"] = lambda figure: _inline(figure, f"f{next(numbers)}-")
    template = environment.from_string(room.joinpath("page.html.jinja").read_text("utf-8"))
    return template.render(
        content=content,
        config=_config_text(content.config),
        css=Markup(room.joinpath("page.css").read_text("utf-8")),
        version=__version__,
    ).lstrip()


def write_report(path: str | Path, content: ReportContent) -> Path:
    """Writes the page to `path`, as a whole or not at all, and returns its path.

    Raises `FileError` where it cannot be written; a page that was there before is then untouched.
    """
    target = Path(path)
    page = render_page(content)
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise FileError(_cannot(target, error)) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        # mkstemp makes files that only their owner may read; a report is meant to be shown.
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise FileError(_cannot(target, error)) from error
    return target


def _cannot(target: Path, error: OSError) -> str:
    return (
        f"The report cannot be written to {target}: {error.strerror or error}. "
        "Give a path in an existing folder that you may write to, on a disk with space left."
    )


def _config_text(config: Mapping[str, object]) -> str:
    return json.dumps(config, indent=2, default=str, ensure_ascii=False) if config else ""


def _inline(figure: Figure, prefix: str) -> Markup:
    label = Markup.escape(figure.title)
    if figure.is_png:
        data = base64.b64encode(figure.image).decode("ascii")
        return Markup(f'<img alt="{label}" src="data:image/png;base64,{data}">')
    svg = figure.image.decode("utf-8")
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Ids are unique in a file, but a page holds many files.
    svg = re.sub(r'(\bid="|url\(#|href="#)', lambda found: found.group(0) + prefix, svg)
    for colour, variable in _THEMED.items():
        svg = svg.replace(colour, f"var({variable})")
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))
