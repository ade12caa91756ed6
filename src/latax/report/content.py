"""What a report consists of: plain data, without a layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from latax._errors import ConfigError
from latax.evaluate.diagnose import Diagnosis
from latax.report.tables import Table


@dataclass(frozen=True)
class Figure:
    """A picture (the bytes of an SVG or PNG file) with a sentence that says what to look for.

    `wide` pictures take the whole width of the page. Raises `ConfigError` for bytes of another kind.
    """

    title: str
    image: bytes
    caption: str
    wide: bool = False

    def __post_init__(self) -> None:
        if not (self.is_png or b"<svg" in self.image[:2000]):
            raise ConfigError(
                f"The image of figure {self.title!r} is neither SVG nor PNG (it begins with {self.image[:12]!r}). "
                "Give the bytes of such a file, for instance from latax.report.style.render."
            )

    @property
    def is_png(self) -> bool:
        """Whether the picture is a PNG; otherwise it is an SVG."""
        return self.image.startswith(b"\x89PNG\r\n\x1a\n")


@dataclass(frozen=True)
class Section:
    """A part of a report: a paragraph, a verdict of its own if it is about one model of several, tables and figures."""

    title: str
    text: str = ""
    diagnosis: Diagnosis | None = None
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()


@dataclass(frozen=True)
class ReportContent:
    """Everything that a page shows, from the top down.

    `facts` are short answers for the header (model, data file, date, versions, seeds, budget). `summary` is the result
    in words and stands beside the `diagnosis`; a study, which compares models, may have only the summary. `config` is
    written as it is. A command that begins with # is shown as a comment on the next one.
    """

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    diagnosis: Diagnosis | None = None
    sections: Sequence[Section] = ()
    config: Mapping[str, object] = field(default_factory=dict)
    commands: Sequence[str] = ()
    bibtex: str = ""
