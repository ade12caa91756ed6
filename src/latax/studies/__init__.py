"""Reproducible studies: data, contestants and measures that end in a table with intervals and a report."""

from latax.studies.catalogue import STUDIES, run_study, show_studies

__all__ = ["STUDIES", "run_study", "show_studies"]
