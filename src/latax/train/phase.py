"""Recipes: what is trained, and in which order.

A recipe is a sequence of `Phase`s and `Alternate`s. A phase minimises Σ_k w_k(step) · term_k over the leaves that it
trains; an `Alternate` interleaves its phases in rounds, each phase keeping its own optimiser from round to round.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import paramax
from jaxtyping import Array, Float, Int, Key, PyTree, Scalar

from latax._errors import ConfigError

Model = Any
Batch = PyTree[Array]


@runtime_checkable
class Objective(Protocol):
    """What a phase minimises: named, unweighted terms of one batch, each a scalar."""

    def __call__(self, model: Model, batch: Batch, key: Key[Array, ""]) -> dict[str, Scalar]:
        """The terms for `batch`; `key` is fresh at every step and the same again after a resume."""
        ...


@runtime_checkable
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
    - `metric`: per-sample validation metric that chooses the best weights; without one, or without validation data, the
        last weights are kept. It sees the validation data as they are, not as prepared.
    - `prepare`: `(model, batch) -> batch`, a map through *frozen* leaves only (encoding with a finished encoder, say).
        It is applied once to data that live on the device, where that saves work and memory allows, else to each batch.
    - `begin`: `(model, batch) -> model`, a start that depends on data, applied once with the first batch (as prepared).
    - `describe`: `(model, batch) -> {name: (batch,) values}`, what the user is to know of a sample that made training
        diverge, such as the parameters that a model finds in it.
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
    begin: Callable[[Model, Batch], Model] | None = None
    describe: Callable[[Model, Batch], Mapping[str, Float[Array, " batch"]]] | None = None

    def __post_init__(self) -> None:
        for name, value in (("steps", self.steps), ("batch_size", self.batch_size)):
            if value < 1:
                raise ConfigError(f"Phase {self.name!r} has {name}={value}; it must be at least 1.")

    def filter_spec(self, model: Model) -> PyTree[bool]:
        """A tree of booleans like `model`: True at the inexact arrays that this phase trains.

        Leaves inside `paramax.NonTrainable` stay frozen whatever `trainable` picks.
        """
        picked = jax.tree.map(lambda _: False, model)
        if self.trainable is everything:
            picked = jax.tree.map(lambda _: True, model)
        else:
            picked = eqx.tree_at(self.trainable, picked, jax.tree.map(lambda _: True, self.trainable(model)))
        spec = jax.tree.map(lambda free, chosen: free and chosen, _free(model), picked)
        if not any(jax.tree.leaves(spec)):
            raise ConfigError(
                f"Phase {self.name!r} trains nothing: `trainable` picks no floating-point array that is not frozen by "
                "paramax.NonTrainable. Let it pick a part of the model that has some."
            )
        return spec

    def total(self, terms: Mapping[str, Scalar], step: Int[Array, ""]) -> Scalar:
        """Σ_k w_k(step) · term_k, over terms that `check_terms` has let pass."""
        weighted = []
        for name, term in terms.items():
            weight = self.weights.get(name, 1.0)
            weight = weight(step) if callable(weight) else weight
            weighted.append(jnp.asarray(weight, dtype=float) * term.astype(float))
        return jnp.sum(jnp.stack(weighted))

    def check_terms(self, terms: Mapping[str, Array | jax.ShapeDtypeStruct]) -> None:
        """Refuses an objective's result that is no set of scalars, and weights for terms that it does not have."""
        if not terms:
            raise ConfigError(f"The objective of phase {self.name!r} returns no term; it must return at least one.")
        for name, term in terms.items():
            if term.shape != () or not jnp.issubdtype(term.dtype, jnp.floating):
                raise ConfigError(
                    f"The term {name!r} of phase {self.name!r} is an array of shape {term.shape} and type "
                    f"{term.dtype}; a term is one floating-point number. Average it over the batch."
                )
        unknown = sorted(set(self.weights) - set(terms))
        if unknown:
            raise ConfigError(
                f"Phase {self.name!r} has weights for {unknown}, but its objective returns {sorted(terms)}. "
                "Leave them out, or name them as the objective does."
            )


def _free(model: Model) -> PyTree[bool]:
    """Where `model` has inexact arrays outside of `paramax.NonTrainable`."""

    def free(node: PyTree) -> PyTree[bool]:
        if isinstance(node, paramax.NonTrainable):
            return jax.tree.map(lambda _: False, node)
        return eqx.is_inexact_array(node)

    return jax.tree.map(free, model, is_leaf=lambda node: isinstance(node, paramax.NonTrainable))


@dataclass(frozen=True, kw_only=True)
class Alternate:
    """Phases taken in turn: every round runs 1/`rounds` of each phase's steps.

    The best weights of an `Alternate` are chosen at the end of a round by the sum of its phases' metrics.
    """

    phases: Sequence[Phase]
    rounds: int

    def __post_init__(self) -> None:
        if not self.phases:
            raise ConfigError("An Alternate needs at least one Phase; `phases` is empty.")
        shortest = min(phase.steps for phase in self.phases)
        if not 1 <= self.rounds <= shortest:
            raise ConfigError(f"rounds={self.rounds} must lie between 1 and the fewest steps of a phase, {shortest}.")


Recipe = Sequence[Phase | Alternate]
