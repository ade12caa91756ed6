"""Saving the whole state of training so that it can go on from there to the same bits (Orbax: atomic, multi-host)."""

import errno
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from latax._errors import FileError

KEPT = 2


class Checkpoints:
    """Numbered checkpoints in a folder; the `KEPT` newest stay. Saving goes on in the background.

    **Arguments:**

    - `folder`: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        import orbax.checkpoint as ocp

        self.folder = folder.absolute()
        self._ocp = ocp
        options = ocp.CheckpointManagerOptions(max_to_keep=KEPT, create=True)
        self._manager = ocp.CheckpointManager(self.folder, options=options)

    def save(self, position: int, state: PyTree, cursor: dict[str, Any]) -> None:
        """Saves under the number `position` (replacing nothing). Raises `FileError` if the disk does not take it."""
        args = self._ocp.args
        leaves = {f"{index:05d}": leaf for index, leaf in enumerate(jax.tree.leaves(state))}
        saved = args.Composite(state=args.StandardSave(leaves), cursor=args.JsonSave(cursor))
        self._guard(lambda: self._manager.save(position, args=saved))

    def wait(self) -> None:
        """Returns when everything is on disk."""
        self._guard(self._manager.wait_until_finished)

    def latest(self) -> int | None:
        """The number of the newest complete checkpoint."""
        return self._manager.latest_step()

    def cursor(self, position: int) -> dict[str, Any]:
        """What was saved beside the state."""
        args = self._ocp.args
        return self._restore(position, cursor=args.JsonRestore())["cursor"]

    def restore(self, position: int, like: PyTree) -> PyTree:
        """The saved state, in the structure and on the devices of `like`."""
        args = self._ocp.args
        leaves, structure = jax.tree.flatten(like)
        target = {
            f"{index:05d}": jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)
            for index, leaf in enumerate(leaves)
        }
        restored = self._restore(position, state=args.StandardRestore(target))["state"]
        return jax.tree.unflatten(structure, [restored[name] for name in sorted(restored)])

    def close(self) -> None:
        """Waits for what is being saved and lets go of the folder."""
        self._guard(self._manager.close)

    def _restore(self, position: int, **items: Any) -> dict[str, Any]:
        try:
            return dict(self._manager.restore(position, args=self._ocp.args.Composite(**items)).items())
        except (ValueError, KeyError, FileNotFoundError, OSError) as error:
            raise FileError(
                f"The checkpoint {self.folder / str(position)} cannot be read ({_first_line(error)}). It is damaged or was "
                "written with other settings. Delete that folder to resume from the one before it, or fit into a new folder."
            ) from error

    def _guard(self, action: Any) -> None:
        try:
            action()
        except OSError as error:
            raise self._unwritable(error) from error
        except Exception as error:  # TensorStore reports a full disk in several classes of its own
            if not _says_full(error):
                raise
            raise self._unwritable(error) from error

    def _unwritable(self, error: Exception) -> FileError:
        newest = sorted((int(p.name) for p in self.folder.iterdir() if p.name.isdigit()), reverse=True)
        kept = f"The checkpoint of step {newest[0]} is intact" if newest else "There is no checkpoint yet"
        return FileError(
            f"A checkpoint cannot be written to {self.folder} ({_first_line(error)}). {kept}. "
            "Make room or mend the permissions, then run `latax resume` on the run folder."
        )


def _says_full(error: Exception) -> bool:
    text = str(error)
    return any(sign in text for sign in ("No space left", "RESOURCE_EXHAUSTED", "Disk quota", f"errno {errno.ENOSPC}"))


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__


def fingerprint(state: PyTree) -> list[str]:
    """Shapes and types of all arrays, to tell whether a checkpoint belongs to a model."""
    return [f"{np.dtype(leaf.dtype).name}{list(leaf.shape)}" for leaf in jax.tree.leaves(state)]
