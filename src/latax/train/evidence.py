"""The reproducer that a diverged run leaves: all that is needed to repeat the failing step."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import PyTree

from latax._errors import FileError
from latax.train.divergence import Divergence, Evidence
from latax.train.phase import Model, Phase


def keep(folder: Path, found: Divergence, evidence: Evidence) -> None:
    """Writes `step.json`, `batch.npz` and `model.npz`. Raises `OSError` if the disk does not take them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "step.json").write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
    np.savez(folder / "batch.npz", **_named(evidence.batch))
    np.savez(folder / "model.npz", **_named(evidence.model))


def replay(folder: Path, model: Model, phase: Phase) -> dict[str, float]:
    """The terms of the step that is kept in `folder`, computed again.

    `model` is any model of the same structure, `phase` the one that failed. The batch is given to the objective as a
    dictionary of arrays. Raises `FileError` if `folder` holds no reproducer of such a model.
    """
    try:
        about = json.loads((folder / "step.json").read_text(encoding="utf-8"))
        with np.load(folder / "batch.npz") as file:
            batch = {name: jnp.asarray(file[name]) for name in file}
        with np.load(folder / "model.npz") as file:
            kept = dict(file)
        arrays, static = eqx.partition(model, eqx.is_array)
        leaves = [jnp.asarray(kept[name]) for name in _named(arrays)]
        key = jr.wrap_key_data(jnp.asarray(about["key"], jnp.uint32))
    except (OSError, ValueError, KeyError) as error:
        raise FileError(
            f"{folder} holds no reproducer of this model ({type(error).__name__}: {error}). Give the folder "
            "`divergence` of a run that diverged, and a model made as in that run."
        ) from error
    restored = eqx.combine(jax.tree.unflatten(jax.tree.structure(arrays), leaves), static)
    terms = jax.jit(lambda batch, key: phase.objective(restored, batch, key))(batch, key)
    return {name: float(value) for name, value in terms.items()}


def _named(tree: PyTree) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf) for path, leaf in leaves}
