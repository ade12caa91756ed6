"""Where the numbers of a run go: a `Tracker` is told every report, and told to forget what a resume will repeat."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from latax._errors import FileError


@runtime_checkable
class Tracker(Protocol):
    """Receives one record for each report of the training loop."""

    def log(self, record: Mapping[str, Any]) -> None:
        """One report: `position` (optimiser steps since the start of the run), phase, step, terms and metric."""
        ...

    def rewind(self, position: int) -> None:
        """Forgets every record after `position`; called before a resumed run repeats them."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class MemoryTracker:
    """Keeps the records in a list."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def log(self, record: Mapping[str, Any]) -> None:
        """Appends the record."""
        self.records.append(dict(record))

    def rewind(self, position: int) -> None:
        """Drops later records."""
        self.records = [record for record in self.records if record["position"] <= position]

    def close(self) -> None:
        """Nothing to do."""


class JSONLTracker:
    """One JSON object a line, written at once, so that a killed run loses nothing that it reported.

    The lines hold no clock times: a run that was killed and resumed leaves the same file as one that was not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self, record: Mapping[str, Any]) -> None:
        """Appends a line. Raises `FileError` if the disk does not take it."""
        with self._writing(), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, allow_nan=False) + "\n")

    def rewind(self, position: int) -> None:
        """Drops later lines, and a last line that was cut off by a kill."""
        records = [record for record in read_metrics(self.path) if record["position"] <= position]
        text = "".join(json.dumps(record) + "\n" for record in records)
        temporary = self.path.with_suffix(".tmp")
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self.path)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FileError(
                f"The metrics cannot be written to {self.path} ({error}). "
                "Make room or mend the permissions, then resume the run."
            ) from error

    def close(self) -> None:
        """Nothing to do: every line is already on disk."""


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a `metrics.jsonl`; none if it is not there. An incomplete last line is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number < len(lines):
                raise FileError(
                    f"{path} is damaged at line {number} ({error}). Restore it, or take that line out."
                ) from error
    return records
