"""Showing how training goes: a live bar on a terminal, a line for each report elsewhere, or nothing."""

import abc
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO


class Pace:
    """Steps per second of steady work: what is skipped (compilation) does not count, and the past fades.

    **Arguments:**

    - `half_life`: seconds of work after which a call has half its weight.
    - `clock`: seconds since some time.
    """

    def __init__(self, half_life: float = 20.0, clock: Callable[[], float] = time.perf_counter) -> None:
        self._half_life, self._clock = half_life, clock
        self._steps = self._seconds = 0.0
        self._since = clock()

    def skip(self) -> None:
        """What was done since the last call of `skip` or `add` was no steady work."""
        self._since = self._clock()

    def add(self, steps: int) -> None:
        """`steps` were made since the last call of `skip` or `add`."""
        seconds = self._clock() - self._since
        fading = 0.5 ** (seconds / self._half_life)
        self._steps, self._seconds = fading * self._steps + steps, fading * self._seconds + seconds
        self.skip()

    @property
    def speed(self) -> float:
        """Steps per second; zero as long as nothing is known."""
        return self._steps / self._seconds if self._seconds > 0 else 0.0


class AbstractMeter(abc.ABC):
    """Told by the training loop what happens; shows it or not."""

    @abc.abstractmethod
    def start(self, total: int, position: int) -> None:
        """Training begins at step `position` of `total`."""

    @abc.abstractmethod
    def advance(self, position: int, phase: str, speed: float) -> None:
        """Steps were made; `speed` in steps per second, zero as long as it is not known."""

    @abc.abstractmethod
    def report(self, position: int, phase: str, values: Mapping[str, float]) -> None:
        """New averages of the terms and the metric."""

    @abc.abstractmethod
    def note(self, text: str) -> None:
        """Something that the user should know."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Training is over, one way or the other."""


class SilentMeter(AbstractMeter):
    """Shows nothing."""

    def start(self, total: int, position: int) -> None:
        """Shows nothing."""

    def advance(self, position: int, phase: str, speed: float) -> None:
        """Shows nothing."""

    def report(self, position: int, phase: str, values: Mapping[str, float]) -> None:
        """Shows nothing."""

    def note(self, text: str) -> None:
        """Shows nothing."""

    def stop(self) -> None:
        """Shows nothing."""


class LineMeter(AbstractMeter):
    """One line for each report, for logs and pipes; at most one line in `interval` seconds."""

    def __init__(self, file: TextIO | None = None, interval: float = 2.0) -> None:
        self.file = sys.stderr if file is None else file
        self.interval = interval
        self._total, self._speed, self._last = 0, 0.0, -interval

    def start(self, total: int, position: int) -> None:
        """Remembers the length of the run."""
        self._total = total
        if position:
            self.note(f"resuming at step {position} of {total}")

    def advance(self, position: int, phase: str, speed: float) -> None:
        """Remembers the speed."""
        self._speed = speed

    def report(self, position: int, phase: str, values: Mapping[str, float]) -> None:
        """Prints a line, unless the last one is too recent."""
        now = time.monotonic()
        if now - self._last < self.interval and position < self._total:
            return
        self._last = now
        speed = _speed(self._speed, self._total - position)
        self.note(f"{phase} {position}/{self._total} {_format(values)}{speed and f' {speed}'}")

    def note(self, text: str) -> None:
        """Prints the text."""
        print(text, file=self.file, flush=True)

    def stop(self) -> None:
        """Nothing to clear away."""


class RichMeter(AbstractMeter):
    """A live bar with the phase, the terms, the speed and the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        columns = ("{task.fields[phase]}", BarColumn(), TaskProgressColumn(), "{task.fields[speed]}")
        texts = [TextColumn(c) if isinstance(c, str) else c for c in columns]
        self._progress = Progress(*texts, TextColumn("[dim]{task.fields[terms]}"), console=Console(stderr=True))
        self._task: Any = None
        self._total = 0

    def start(self, total: int, position: int) -> None:
        """Opens the bar."""
        self._total = total
        fields: dict[str, Any] = {"phase": "compiling", "speed": "", "terms": ""}
        self._task = self._progress.add_task("", total=total, completed=position, **fields)
        self._progress.start()

    def advance(self, position: int, phase: str, speed: float) -> None:
        """Moves the bar."""
        text = _speed(speed, self._total - position)
        self._progress.update(self._task, completed=position, phase=phase, speed=text)

    def report(self, position: int, phase: str, values: Mapping[str, float]) -> None:
        """Shows the new averages."""
        self._progress.update(self._task, phase=phase, terms=_format(values))

    def note(self, text: str) -> None:
        """Prints the text above the bar."""
        self._progress.console.print(text, markup=False)

    def stop(self) -> None:
        """Closes the bar."""
        self._progress.stop()


def default_meter(show: bool = True) -> AbstractMeter:
    """A bar on a terminal, lines elsewhere, nothing if not `show`."""
    if not show:
        return SilentMeter()
    return RichMeter() if sys.stderr.isatty() else LineMeter()


def _format(values: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:.4g}" for name, value in values.items())


def _speed(speed: float, steps: int) -> str:
    """The speed, and the time that `steps` steps take at it; nothing if it is not known."""
    if speed == 0:
        return ""
    minutes, seconds = divmod(int(steps / speed + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    return f"{speed:{'.0f' if speed >= 10 else '.2g'}} steps/s, {left} left"
