"""Leaving in good order: SIGTERM and Ctrl-C let the running call finish and the state be saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType


class Interruption(KeyboardInterrupt):
    """Training was asked to stop, and did, with its state saved where there is a run folder.

    `signal` is the number of the signal; `folder` the run that can be resumed, or None.
    """

    def __init__(self, received: int, position: int, total: int, folder: Path | None) -> None:
        self.signal, self.folder = received, folder
        kept = f"go on with `latax resume {folder}`" if folder is not None else "without a run folder nothing is kept"
        super().__init__(f"Stopped at step {position} of {total}; {kept}.")


@dataclass
class Signals:
    """The signal that was received, or 0."""

    received: int = 0


@contextmanager
def watch_signals() -> Iterator[Signals]:
    """Notes SIGTERM and SIGINT instead of dying of them; a second SIGINT interrupts at once. Main thread only.

    Python runs no handler while a program is being compiled or a call is under way, so both are finished first.
    """
    state = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return

    def note(number: int, frame: FrameType | None) -> None:
        # Schedulers send SIGTERM more than once; only a second Ctrl-C is impatience.
        if number == signal.SIGINT and state.received == signal.SIGINT:
            raise KeyboardInterrupt
        state.received = state.received or number

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield state
    finally:
        for number, handler in before.items():
            # None stands for a handler that was not set from Python and cannot be set again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
