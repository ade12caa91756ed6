"""Compiled programs that outlive a run: a second fit with the same options and shapes starts at once."""

import dataclasses
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import jax
from jaxtyping import PyTree

from latax.train.layout import Layout
from latax.train.phase import Model, Phase
from latax.train.program import PhaseProgram
from latax.train.source import AbstractSource

#: How many are kept; what was not asked for the longest time goes first.
KEPT = 32
_programs: OrderedDict[Hashable, PhaseProgram] = OrderedDict()


def program_for(
    phase: Phase, source: AbstractSource, layout: Layout, static: Model, template: PyTree, *, prepares_once: bool
) -> PhaseProgram:
    """The program of `phase`; the arguments are those of `PhaseProgram`.

    It is that of an earlier run if all that it is made from is equal. Functions are equal if they are the same object,
    so recipes name theirs at module level; parts that cannot be compared make a program of their own.
    """

    def make() -> PhaseProgram:
        return PhaseProgram(
            phase,
            layout,
            source.make_batch,
            static,
            template,
            shared=source.shared,
            prepares_once=prepares_once,
        )

    key = (_by_value(phase), _comparable(layout), source.make_batch, source.shared, prepares_once)
    key += (_comparable(static), _comparable(jax.tree.map(lambda a: (a.shape, str(a.dtype)), template)))
    try:
        hash(key)
    except TypeError:
        return make()
    if key not in _programs:
        _programs[key] = make()
        while len(_programs) > KEPT:
            _programs.popitem(last=False)
    _programs.move_to_end(key)
    return _programs[key]


def _by_value(phase: Phase) -> tuple[Any, ...]:
    fields = {field.name: getattr(phase, field.name) for field in dataclasses.fields(phase)}
    return (*(fields | {"weights": tuple(sorted(phase.weights.items()))}).values(),)


def _comparable(tree: PyTree) -> tuple[Any, ...]:
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple((type(leaf), leaf) for leaf in leaves)
