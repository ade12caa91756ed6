"""What to say and keep when training meets the first value that is not finite.

The training loop stands still at the failing step, so it can be taken apart: which term, which samples, which leaves.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, PyTree

from latax._errors import DivergenceError
from latax.train.program import PhaseProgram, State, _step_keys


class Divergence(NamedTuple):
    """The step that failed: where, which terms, which samples of the batch, and the batch itself."""

    phase: str
    step: int
    replicate: int
    terms: dict[str, float]
    bad_terms: list[str]
    bad_gradients: list[str]
    samples: list[int]
    rows: list[int] | None
    batch: dict[str, np.ndarray]


def examine(
    program: PhaseProgram, state: State, resident: PyTree, plan: PyTree, offset: int, keys: Array, replicate: int
) -> Divergence:
    """Repeats the failing step of one replicate, whole and sample by sample.

    `plan` is the plan of the call in which the step failed and `offset` the number of its first step.
    """
    step = int(state.failed_at[replicate])
    pick = lambda tree: jax.tree.map(lambda a: a[replicate], tree)
    model, key = pick(state.model), keys[replicate]
    plan = plan if program.source.shared else pick(plan)
    resident = resident if program.resident_axis is None else pick(resident)
    planned = jax.tree.map(lambda a: a[step - offset], plan)
    batch_key, objective_key = _step_keys(key, jnp.asarray(step))
    batch = program.source.batch(resident, planned, batch_key)
    params, frozen = program.split(model)

    def terms_of(params: PyTree, batch: PyTree) -> dict[str, Array]:
        model = eqx.combine(params, frozen)
        return program.terms_of(model, program._prepared(model, batch), objective_key)

    terms, gradient = jax.jit(
        lambda p, b: (
            terms_of(p, b),
            jax.grad(lambda q: program.phase.total(terms_of(q, b), jnp.asarray(step)))(p),
        )
    )(params, batch)
    single = jax.jit(lambda b: program.phase.total(terms_of(params, b), jnp.asarray(step)))
    size = jax.tree.leaves(batch)[0].shape[0]
    samples = [i for i in range(size) if not np.isfinite(single(jax.tree.map(lambda a: a[i : i + 1], batch)))]
    paths = jax.tree_util.tree_leaves_with_path(gradient)
    return Divergence(
        phase=program.phase.name,
        step=step,
        replicate=replicate,
        terms={name: float(value) for name, value in terms.items()},
        bad_terms=sorted(name for name, value in terms.items() if not np.isfinite(value)),
        bad_gradients=[jax.tree_util.keystr(path) for path, leaf in paths if not np.isfinite(np.asarray(leaf)).all()],
        samples=samples,
        rows=np.asarray(planned).tolist() if isinstance(planned, jax.Array | np.ndarray) else None,
        batch={f"batch{jax.tree_util.keystr(path)}": np.asarray(leaf) for path, leaf in _leaves(batch)},
    )


def _leaves(tree: PyTree) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_leaves_with_path(tree)


def reproducer(folder: Path, divergence: Divergence, model: PyTree, key: Array) -> Path:
    """Writes all that is needed to repeat the failing step: `step.json`, `batch.npz`, `model.npz`."""
    folder.mkdir(parents=True, exist_ok=True)
    about = divergence._asdict()
    about.pop("batch")
    about["key"] = np.asarray(jr.key_data(key)).tolist()
    (folder / "step.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    np.savez(folder / "batch.npz", **divergence.batch)
    arrays = {jax.tree_util.keystr(path): np.asarray(leaf[divergence.replicate]) for path, leaf in _leaves(model)}
    np.savez(folder / "model.npz", **arrays)
    return folder


def error(divergence: Divergence, folder: Path | None) -> DivergenceError:
    """The one message that the user reads."""
    d = divergence
    if d.bad_terms:
        what = "the loss term " + " and ".join(f"{name!r} is {d.terms[name]}" for name in d.bad_terms)
    else:
        shown = ", ".join(d.bad_gradients[:3]) + (
            f" and {len(d.bad_gradients) - 3} more" if len(d.bad_gradients) > 3 else ""
        )
        what = f"every loss term is finite but the gradient of {shown or 'the total'} is not"
    where = [d.rows[i] for i in d.samples] if d.rows is not None else d.samples
    kind = "training rows" if d.rows is not None else "places in the batch"
    many = f" (and {len(where) - 8} more)" if len(where) > 8 else ""
    who = f"caused by {kind} {where[:8]}{many}" if where else "not caused by any sample alone"
    kept = f" The failing step is kept in {folder}." if folder is not None else ""
    return DivergenceError(
        f"Training diverged in phase {d.phase!r} at step {d.step}, replicate {d.replicate}: {what}, {who}.{kept} "
        "Look at those samples for outliers; else lower the learning rate or the weight of that term."
    )
