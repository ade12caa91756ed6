"""What to say and keep when training meets the first value that is not finite.

The training loop stands still at the failing step, so it can be taken apart: which term, which samples, which leaves.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax import lax
from jaxtyping import Array, Key, PyTree

from latax._errors import DivergenceError
from latax.train.course import Segment
from latax.train.hosts import on_host
from latax.train.program import PhaseProgram, all_finite, step_keys
from latax.train.replicates import replicate_keys
from latax.train.state import State
from latax.train.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """A step that failed.

    `replicate` is the one that failed first; `samples` are the places in its batch that fail alone, and `rows` their
    numbers in the source, where it has rows; `first` is what the phase says about the first of them; `key` is the data
    of the objective's key.
    """

    phase: str
    step: int
    replicate: int
    terms: dict[str, float]
    bad_gradients: list[str]
    batch_size: int
    samples: list[int]
    rows: list[int] | None
    first: dict[str, float]
    key: list[int]


class Evidence(NamedTuple):
    """The arrays of the failing step: the weights before it, and the batch as the objective sees it."""

    model: PyTree[np.ndarray]
    batch: PyTree[np.ndarray]


def examine(
    trainer: Trainer, segment: Segment, state: State, data: PyTree, failed_at: np.ndarray
) -> tuple[Divergence, Evidence]:
    """Repeats the failing step of the replicate that failed first, whole and sample by sample."""
    program, phase = trainer.programs[segment.phase.name], segment.phase
    step = int(failed_at[failed_at >= 0].min())
    replicate = int(np.flatnonzero(failed_at == step)[0])
    model = on_host(jax.tree.map(lambda a: a[replicate], state.model))
    data = jax.tree.map(lambda a: a[replicate], data) if program.prepares_once else data
    seed = trainer.seed_of(segment, replicate)
    planned = jax.tree.map(lambda a: a[0], trainer.source.plan(seed, step, 1, phase.batch_size))
    key = replicate_keys(trainer.settings.seed + replicate, 1, segment.number)[0]
    batch = on_host(jax.jit(program.batch)(model, data, planned, key, jnp.int32(step)))
    objective_key = step_keys(key, jnp.int32(step))[1]
    terms, bad_gradients, samples = _take_apart(program, model, batch, objective_key, step)
    rows = trainer.source.rows_of(seed, step, phase.batch_size)
    found = Divergence(
        phase=phase.name,
        step=step,
        replicate=replicate,
        terms=terms,
        bad_gradients=bad_gradients,
        batch_size=phase.batch_size,
        samples=samples,
        rows=None if rows is None else rows[samples].tolist(),
        first=_described(program, model, batch, samples[0]) if samples else {},
        key=np.asarray(jr.key_data(objective_key)).tolist(),
    )
    return found, Evidence(model, batch)


def _described(program: PhaseProgram, model: PyTree, batch: PyTree, sample: int) -> dict[str, float]:
    """What the phase says about one sample of a batch."""
    size = max(len(leaf) for leaf in jax.tree.leaves(batch) if leaf.ndim)
    one = jax.tree.map(lambda a: a[sample : sample + 1] if a.ndim and len(a) == size else a, batch)
    return {name: float(value[0]) for name, value in jax.jit(program.describe)(model, one).items()}


def _take_apart(
    program: PhaseProgram, model: PyTree, batch: PyTree, key: Key[Array, ""], step: int
) -> tuple[dict[str, float], list[str], list[int]]:
    """The terms, the leaves whose gradient is not finite, and the samples that fail alone."""
    params, frozen = program.split(model)
    size = program.phase.batch_size

    def alone(params: PyTree, frozen: PyTree, batch: PyTree, key: Array, sample: Array) -> Array:
        # A batch that is this sample throughout: objectives may need more than one, and nothing is compiled anew.
        repeat = lambda a: jnp.broadcast_to(a[sample], a.shape) if a.ndim and a.shape[0] == size else a
        (total, _), gradient = program.gradient(params, frozen, jax.tree.map(repeat, batch), key, jnp.int32(step))
        return all_finite(total, gradient)

    @jax.jit
    def judge(*args: PyTree) -> tuple:
        (_, terms), gradient = program.gradient(*args, jnp.int32(step))
        return terms, gradient, lax.map(lambda sample: alone(*args, sample), jnp.arange(size))

    terms, gradient, sound = judge(params, frozen, jax.tree.map(jnp.asarray, batch), key)
    leaves = jax.tree_util.tree_leaves_with_path(gradient)
    bad = [jax.tree_util.keystr(path) for path, leaf in leaves if not np.isfinite(leaf).all()]
    return {name: float(value) for name, value in terms.items()}, bad, np.flatnonzero(~np.asarray(sound)).tolist()


def error(found: Divergence, kept: str) -> DivergenceError:
    """The one message that the user reads; `kept` says where the evidence is."""
    some = len(found.samples) > 0 and not _all_fail(found)
    cure = (
        "Look at those samples for outliers; else lower the learning rate or the weight of that term."
        if some
        else "Lower the learning rate or the weight of that term; else look at the data for outliers."
    )
    return DivergenceError(
        f"Training diverged in phase {found.phase!r} at step {found.step}, replicate {found.replicate}: "
        f"{_what(found)}, {_who(found)}. {kept}{cure}",
        rows=found.rows if some and found.rows else (),
    )


def _all_fail(found: Divergence) -> bool:
    return len(found.samples) == found.batch_size > 1


def _what(found: Divergence) -> str:
    bad = [f"{name!r} is {value}" for name, value in sorted(found.terms.items()) if not np.isfinite(value)]
    if bad:
        return "the loss term " + " and ".join(bad)
    if found.bad_gradients:
        more = len(found.bad_gradients) - 3
        names = ", ".join(found.bad_gradients[:3]) + (f" and {more} more" if more > 0 else "")
        return f"every loss term is finite but the gradient of {names} is not"
    return "every loss term and gradient is finite, but the weighted sum, the gradient's norm or the update is not"


def _who(found: Divergence) -> str:
    if not found.samples:
        return "not caused by any sample alone"
    if _all_fail(found):
        return f"with every sample of the batch{_told(found.first)}"
    kind, places = ("places in the batch", found.samples) if found.rows is None else ("training rows", found.rows)
    return f"caused by {kind} {_some(places)}{_told(found.first)}"


def _told(first: dict[str, float]) -> str:
    return "".join(
        f"{', of which the first has ' if i == 0 else ', '}{name} = {value:.4g}"
        for i, (name, value) in enumerate(first.items())
    )


def _some(numbers: list[int]) -> str:
    return f"{numbers[:8]}" + (f" (and {len(numbers) - 8} more)" if len(numbers) > 8 else "")


def of_metric(trainer: Trainer, segment: Segment, step: int, state: State, metric: np.ndarray) -> DivergenceError:
    """The error for a validation metric that is not finite: it could choose no weights."""
    replicate = int(np.flatnonzero(~np.isfinite(metric))[0])
    programs = [trainer.programs[p.name] for p in trainer.course.stages[segment.stage] if p.metric is not None]
    found = [on_host(program.evaluate_rows(state.model, trainer.validation))[replicate] for program in programs]
    values = np.sum(found, axis=0)
    rows = np.flatnonzero(~np.isfinite(values)).tolist()
    model = on_host(jax.tree.map(lambda a: a[replicate], state.model))
    first = _described(trainer.programs[segment.phase.name], model, trainer.validation, rows[0]) if rows else {}
    some = len(rows) < len(values)
    which = f"validation rows {_some(rows)} of {len(values)}" if some else f"all {len(values)} validation rows"
    cure = (
        "Look at those rows for outliers; else lower the learning rate."
        if some
        else "Lower the learning rate; else look at the data for outliers."
    )
    return DivergenceError(
        f"The validation metric of phase {segment.phase.name!r} is {metric[replicate]} at step {step}, replicate "
        f"{replicate}, because of {which}{_told(first)}. {cure}",
        rows=rows if some else (),
        validation=True,
    )
