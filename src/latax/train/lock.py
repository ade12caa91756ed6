"""A run folder belongs to one process at a time: two that write the same run would spoil it for both.

The operating system frees the lock with its process, however that ends. Where a file system knows no locks there is
none.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from latax._errors import FileError
from latax.train.hosts import agreed, is_first

#: The file in a run folder that is locked; it goes when the run ends, and a killed run leaves it behind unlocked.
LOCK = ".lock"
_UNKNOWN = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
#: The folders that this process holds, each with the thread that does.
_holders: dict[Path, int] = {}


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Makes `folder` if it is not there and keeps other processes out of it; of several hosts the first one does.

    A thread that holds it already holds it on. Raises `FileError` if somebody else does, or if it cannot be made.
    """
    place, me = folder.resolve(), threading.get_ident()
    if _holders.get(place) == me:
        yield
        return
    lock = _of_all_hosts(folder)
    _holders[place] = me
    try:
        yield
    finally:
        del _holders[place]
        if lock is not None:
            with suppress(OSError):
                (folder / LOCK).unlink()
            os.close(lock)


def _of_all_hosts(folder: Path) -> int | None:
    lock = error = None
    if is_first():
        try:
            lock = _locked(folder)
        except FileError as refused:
            error = refused
    if agreed(int(error is not None))[0][0]:
        raise error or FileError(f"The first process cannot have the run folder {folder}. Do what its message says.")
    return lock


def _locked(folder: Path) -> int | None:
    """The descriptor of the locked file; None where there are no locks."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Who held it may have taken the file away since it was opened.
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(lock), os.stat(folder / LOCK)):
                        return lock
            except OSError:
                os.close(lock)
                raise
            os.close(lock)
    except BlockingIOError as error:
        raise FileError(
            f"Another process is working on the run {folder}; nothing in it was touched. "
            f"Wait for its end, or stop it and go on by `latax resume {folder}`; or give another folder."
        ) from error
    except OSError as error:
        if error.errno in _UNKNOWN:
            return None
        raise FileError(
            f"The run folder {folder} cannot be made or written to: {error}. "
            "Make room, mend the permissions, or give another folder."
        ) from error
