"""Recipes: what is trained, in which order, and how the order of optimiser steps is laid out.

A recipe is a sequence of `Phase`s and `Alternate`s. A phase minimises Σ_k w_k(step) · term_k over the leaves that it
trains; an `Alternate` interleaves its phases in rounds, each phase keeping its own optimiser from round to round.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import optax
import paramax
from jaxtyping import Array, Float, Key, PyTree, Scalar

from latax._errors import ConfigError

Model = Any
Batch = PyTree[Array]


class Objective(Protocol):
    """What a phase minimises: named, unweighted terms of one batch, each a scalar."""

    def __call__(self, model: Model, batch: Batch, key: Key[Array, ""]) -> dict[str, Scalar]:
        """The terms for `batch`; `key` is fresh at every step and the same again after a resume."""
        ...


class Metric(Protocol):
    """What chooses the best weights: one number per sample, averaged over the validation set; lower is better."""

    def __call__(self, model: Model, batch: Batch) -> Float[Array, " batch"]:
        """The metric of every sample in `batch`."""
        ...


def everything(model: Model) -> PyTree:
    """The `trainable` of a phase that trains the whole model."""
    return model


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One stretch of training.

    **Arguments:**

    - `name`: shown in the progress bar, the metrics and the report; unique within a recipe.
    - `objective`: `(model, batch, key) -> {term: scalar}`.
    - `steps`: optimiser steps of this phase, over all rounds.
    - `batch_size`: samples per step.
    - `optimizer`: any `optax.GradientTransformation`; its schedules count this phase's own steps.
    - `trainable`: picks the subtrees that are trained, e.g. `lambda model: model.embedding`; everything else is frozen
        and costs no gradient.
    - `weights`: a number or an optax schedule for each term. Terms without an entry have weight 1; weight 0 only logs.
    - `metric`: per-sample validation metric that chooses the best weights; without one the last weights are kept.
    - `prepare`: `(model, batch) -> batch`, a map through *frozen* leaves only (encoding with a finished encoder, say).
        It is applied once to data that live on the device, not at every step.
    """

    name: str
    objective: Objective
    steps: int
    batch_size: int
    optimizer: optax.GradientTransformation
    trainable: Callable[[Model], PyTree] = everything
    weights: Mapping[str, float | optax.Schedule] = field(default_factory=dict)
    metric: Metric | None = None
    prepare: Callable[[Model, Batch], Batch] | None = None

    def __post_init__(self) -> None:
        for name, value in (("steps", self.steps), ("batch_size", self.batch_size)):
            if value < 1:
                raise ConfigError(f"Phase {self.name!r} has {name}={value}; it must be at least 1.")

    def filter_spec(self, model: Model) -> PyTree[bool]:
        """A tree of booleans like `model`: True at the inexact arrays that this phase trains.

        Leaves inside `paramax.NonTrainable` stay frozen whatever `trainable` picks.
        """
        nothing = jax.tree.map(lambda _: False, model)
        chosen = self.trainable(model)

        def open_leaf(node: PyTree) -> PyTree:
            if isinstance(node, paramax.NonTrainable):
                return jax.tree.map(lambda _: False, node)
            return eqx.is_inexact_array(node)

        spec = jax.tree.map(open_leaf, chosen, is_leaf=lambda n: isinstance(n, paramax.NonTrainable))
        spec = spec if self.trainable is everything else eqx.tree_at(self.trainable, nothing, spec)
        if not any(jax.tree.leaves(spec)):
            raise ConfigError(f"Phase {self.name!r} trains nothing: `trainable` picks no floating-point array.")
        return spec

    def total(self, terms: Mapping[str, Scalar], step: Array) -> Scalar:
        """Σ_k w_k(step) · term_k. Raises if a weight names a term that the objective does not have."""
        unknown = set(self.weights) - set(terms)
        if unknown:
            raise ConfigError(
                f"Phase {self.name!r} has weights for {sorted(unknown)}, but its objective returns {sorted(terms)}."
            )
        weights = {name: self.weights.get(name, 1.0) for name in terms}
        return sum((weight(step) if callable(weight) else weight) * terms[name] for name, weight in weights.items())  # pyright: ignore[reportReturnType]


@dataclass(frozen=True, kw_only=True)
class Alternate:
    """Phases taken in turn: every round runs 1/`rounds` of each phase's steps.

    The best weights of an `Alternate` are chosen at the end of each round by the sum of its phases' metrics.
    """

    phases: Sequence[Phase]
    rounds: int

    def __post_init__(self) -> None:
        shortest = min(phase.steps for phase in self.phases)
        if not 1 <= self.rounds <= shortest:
            raise ConfigError(f"rounds={self.rounds} must lie between 1 and the fewest steps of a phase, {shortest}.")


Recipe = Sequence[Phase | Alternate]


class Segment(NamedTuple):
    """A run of steps `start <= step < stop` of one phase; `closes` marks the end of a round."""

    stage: int
    phase: Phase
    start: int
    stop: int
    closes: bool


def stages(recipe: Recipe) -> list[list[Phase]]:
    """The phases of each entry of the recipe: one for a `Phase`, several for an `Alternate`."""
    result = [list(entry.phases) if isinstance(entry, Alternate) else [entry] for entry in recipe]
    names = [phase.name for group in result for phase in group]
    if not names:
        raise ConfigError("The recipe is empty; it needs at least one Phase.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"Phase names must be unique within a recipe; {twice} come more than once.")
    return result


def segments(recipe: Recipe) -> Iterator[Segment]:
    """Every segment of the recipe in the order of training."""
    for index, (entry, phases) in enumerate(zip(recipe, stages(recipe), strict=True)):
        rounds = entry.rounds if isinstance(entry, Alternate) else 1
        for turn in range(rounds):
            for phase in phases:
                start, stop = (phase.steps * (turn + shift) // rounds for shift in (0, 1))
                yield Segment(index, phase, start, stop, closes=phase is phases[-1])
