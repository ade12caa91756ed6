"""Models as files: a folder with `model.safetensors` (the numbers), `config.json` (the rest) and a model card.

No pickle: loading a model runs no code that comes with it. A model is written beside its place and then moved there, so
that an older one stays whole until the new one is. Between the two renames of that move the older one has another name:
a process that is killed just there leaves it so, the next `save` puts it back, and loading tells where it is.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from latax._errors import FileError
from latax.estimators.run_folder import SCHEMA, read_json, versions, write_json

TENSORS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"


def write_model(path: Path, arrays: PyTree, extra: dict[str, np.ndarray], config: dict[str, Any], card: str) -> None:
    """Writes a model folder, replacing an older model of ours but nothing else."""
    if path.exists() and any(path.iterdir() if path.is_dir() else [path]) and not (path / TENSORS).exists():
        raise FileError(
            f"{path} is already there and is not a latax model; nothing in it was touched. Give another path."
        )
    tensors = _named(arrays) | {f"@{name}": np.ascontiguousarray(value) for name, value in extra.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _put_back(path)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as beside:
            made = Path(beside) / "model"
            made.mkdir()
            _save_tensors(tensors, made / TENSORS)
            write_json(made / CONFIG, {"schema": SCHEMA, "versions": versions(), **config})
            (made / CARD).write_text(card, encoding="utf-8")
            _replace(path, made, Path(beside) / "older")
    except OSError as error:
        raise FileError(f"The model cannot be written to {path}: {error}. Make room or give another path.") from error


def _before(path: Path) -> Path:
    """Where the older model is while a new one takes its place."""
    return path.with_name(f".{path.name}.before")


def _replace(path: Path, made: Path, away: Path) -> None:
    """Moves the folder `made` to `path`, and one that was there to `away`; if the first fails it stays at `path`."""
    before = _before(path)
    if path.exists():
        path.rename(before)
    try:
        made.rename(path)
    except BaseException:
        _put_back(path)
        raise
    if before.exists():
        before.rename(away)


def _put_back(path: Path) -> None:
    """Ends what a save that was cut short has begun: an older model comes back, unless the new one is in place."""
    before = _before(path)
    if before.exists() and (path / TENSORS).exists():
        shutil.rmtree(before)
    elif before.exists():
        before.rename(path)


def _save_tensors(tensors: dict[str, np.ndarray], path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(tensors, path)
    except SafetensorError as error:  # what it makes of a full disk
        raise OSError(str(error)) from error


def read_config(path: Path) -> dict[str, Any]:
    """The configuration of a saved model. Raises `FileError` if there is none, or it is damaged or too new."""
    if not path.exists():
        kept = f"but {_before(path)} is one whose replacement was cut short; move it to {path}"
        raise FileError(f"There is no model {path}{', ' + kept if _before(path).exists() else '. Check the path'}.")
    if not (path / CONFIG).exists() or not (path / TENSORS).exists():
        raise FileError(
            f"{path} is not a latax model: it needs {TENSORS} and {CONFIG}. Give a folder that `save` made."
        )
    return read_json(path / CONFIG, "model")


def read_arrays(path: Path, like: PyTree) -> tuple[PyTree, dict[str, np.ndarray]]:
    """The arrays of a saved model in the structure of `like` (only shapes and types of its leaves are used)."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path / TENSORS)
    except (SafetensorError, OSError) as error:
        raise FileError(
            f"{path / TENSORS} is damaged or truncated ({error}). Restore it from a copy, or fit again."
        ) from error
    extra = {name[1:]: value for name, value in tensors.items() if name.startswith("@")}
    leaves = jax.tree_util.tree_leaves_with_path(like)
    names = [jax.tree_util.keystr(key) for key, _ in leaves]
    for name, (_, leaf) in zip(names, leaves, strict=True):
        found = tensors.get(name)
        if found is None or found.shape != leaf.shape or found.dtype != leaf.dtype:
            have = "is missing" if found is None else f"has {found.dtype}{list(found.shape)}"
            raise FileError(
                f"{path / TENSORS} does not belong to its config.json: {name} {have}, expected "
                f"{leaf.dtype}{list(leaf.shape)}. Restore both files from the same copy."
            )
    arrays = jax.tree.unflatten(jax.tree.structure(like), [jax.numpy.asarray(tensors[name]) for name in names])
    return arrays, extra


def _named(arrays: PyTree) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(arrays)
    return {jax.tree_util.keystr(key): np.ascontiguousarray(leaf) for key, leaf in leaves}
