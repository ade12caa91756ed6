"""What a study ends with."""

from collections.abc import Sequence
from dataclasses import dataclass

from latax.report.content import Section
from latax.report.tables import Table


@dataclass(frozen=True)
class StudyResult:
    """Tables for the terminal and for files, and sections for the report."""

    title: str
    summary: str
    tables: Sequence[Table]
    sections: Sequence[Section]
