"""Saving the whole state of training so that it can go on from there to the same bits (Orbax: atomic, multi-host)."""

import errno
import functools
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypedDict, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from latax._errors import FileError

KEPT = 2
T = TypeVar("T")


class Cursor(TypedDict):
    """What is saved beside the state: the place in the course, and what identifies the run."""

    segment: int
    step: int
    identity: dict[str, str]


class Checkpoints:
    """Numbered checkpoints in a folder; the `KEPT` newest stay. Saving goes on in the background.

    A context: entering it makes the folder if it is not there and removes what a killed run was saving, so the caller
    must hold the run; leaving it waits for what is being saved. After another error a failure to save is not told
    again. Raises `FileError` if the folder cannot be made. `latest` can be asked before.
    """

    def __init__(self, folder: Path):
        import orbax.checkpoint as ocp

        self.folder = folder.absolute()
        self._ocp = ocp

    def __enter__(self) -> "Checkpoints":
        _quieten_orbax()
        # A run that was killed while saving leaves a temporary folder behind; nobody else would remove it.
        options = self._ocp.CheckpointManagerOptions(max_to_keep=KEPT, create=True, cleanup_tmp_directories=True)
        self._manager = self._writing(lambda: self._ocp.CheckpointManager(self._made(), options=options))
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._writing(self._manager.close)
        else:
            with suppress(Exception):
                self._manager.close()

    # ---- writing

    def save(self, position: int, state: PyTree, cursor: Cursor) -> None:
        """Begins to save under the number `position`. Raises `FileError` if the disk does not take it.

        The arrays are copied before this returns; they may be given away at once.
        """
        args = self._ocp.args
        saved = args.Composite(state=args.StandardSave(_numbered(state)), cursor=args.JsonSave(dict(cursor)))
        self._writing(lambda: self._manager.save(position, args=saved))

    def wait(self) -> None:
        """Returns when everything is on disk."""
        self._writing(self._manager.wait_until_finished)

    def check_background(self) -> None:
        """Raises what has gone wrong in the background since the last call."""
        self._writing(self._poll)

    def _poll(self) -> None:
        self._manager.check_for_errors()

    def _made(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def _writing(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except Exception as error:
            # TensorStore reports a full disk in classes of its own; all of them quote the operating system.
            said = next((words for words in _DISK if words in str(error)), None)
            if said is None and not isinstance(error, OSError):
                raise
            raise self._unwritable(said or _reason(error)) from error

    def _unwritable(self, reason: str) -> FileError:
        newest = self._numbers()[-1:]
        kept = f"The checkpoint of step {newest[0]} is intact" if newest else "There is no checkpoint yet"
        return FileError(
            f"A checkpoint cannot be written to {self.folder} ({reason}). {kept}. "
            "Make room or mend the permissions, then resume the run."
        )

    # ---- reading

    def latest(self) -> int | None:
        """The number of the newest complete checkpoint."""
        return max(self._numbers(), default=None)

    def cursor(self, position: int) -> Cursor:
        """What was saved beside the state."""
        found = self._restore(position, "cursor", self._ocp.args.JsonRestore())
        if not isinstance(found, dict) or set(found) != set(Cursor.__annotations__):
            raise self._unreadable(position, "it has no valid cursor")
        return Cursor(**found)

    def check(self, cursor: Cursor, expected: dict[str, str]) -> None:
        """Refuses a checkpoint of another run."""
        differing = sorted(name for name in expected if cursor["identity"].get(name) != expected[name])
        if differing:
            raise FileError(
                f"The checkpoint in {self.folder} belongs to another run than the one to be resumed; they differ in: "
                f"{', '.join(differing)}. Resume with what the run began with, or fit into a new folder."
            )

    def restore(self, position: int, like: PyTree[jax.ShapeDtypeStruct]) -> PyTree:
        """The saved state, in the structure and on the devices of `like`."""
        found = self._restore(position, "state", self._ocp.args.StandardRestore(_numbered(like)))
        leaves, structure = jax.tree.flatten(like)
        return jax.tree.unflatten(structure, [found.get(_number(i), _empty(leaf)) for i, leaf in enumerate(leaves)])

    def _restore(self, position: int, item: str, how: Any) -> Any:
        try:
            return self._manager.restore(position, args=self._ocp.args.Composite(**{item: how}))[item]
        except Exception as error:  # a damaged file can raise nearly anything
            raise self._unreadable(position, _reason(error)) from error

    def _unreadable(self, position: int, reason: str) -> FileError:
        before = [number for number in self._numbers() if number < position]
        cure = f"to resume from step {before[-1]}" if before else "and resume to begin anew"
        return FileError(
            f"The checkpoint {self.folder / str(position)} is damaged ({reason}). Delete that folder {cure}."
        )

    def _numbers(self) -> list[int]:
        """The complete checkpoints; a folder gets its number when everything in it is written."""
        return sorted(int(path.name) for path in self.folder.glob("*") if path.name.isdigit())


#: What the operating system says when it does not take data, wherever it is quoted.
_DISK = tuple(
    os.strerror(number)
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
)


def _numbered(tree: PyTree) -> dict[str, Any]:
    """The leaves by their numbers, without arrays of no numbers at all, which Orbax refuses."""
    return {_number(index): leaf for index, leaf in enumerate(jax.tree.leaves(tree)) if leaf.size}


def _number(index: int) -> str:
    return f"{index:05d}"


def _empty(leaf: jax.ShapeDtypeStruct) -> Array | None:
    return None if leaf.size else jnp.zeros(leaf.shape, leaf.dtype, device=leaf.sharding)


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__


@functools.cache
def _quieten_orbax() -> None:
    """The user gets one message, ours: Orbax logs errors with their traces before it raises them, and when one part of
    a checkpoint fails TensorStore goes on to tell of the other parts to an event loop that Orbax has closed."""
    logging.getLogger("absl").addFilter(lambda record: "orbax" not in record.pathname)
    before = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if not isinstance(unraisable.exc_value, RuntimeError) or "Event loop is closed" not in str(
            unraisable.exc_value
        ):
            before(unraisable)

    sys.unraisablehook = hook
