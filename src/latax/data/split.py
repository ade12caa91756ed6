"""Disjoint parts of a data set, by row or by group (trajectory, subject, initial condition)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Shaped

from latax._errors import ConfigError, DataError
from latax._wording import counted


def split(
    n: int,
    fractions: Sequence[float],
    *,
    seed: int,
    groups: Shaped[np.ndarray, " n"] | None = None,
) -> tuple[Int[np.ndarray, " _"], ...]:
    """Row numbers of each part, increasing within a part; every row is in exactly one part.

    With `groups`, one label per row, all rows of a group go to the same part, and the fractions are met as nearly as
    whole groups allow. Rows that belong together (one trajectory, one subject) must be split by group: otherwise
    a model is tested on what it has seen.

    Raises `ConfigError` when the fractions are not positive with sum 1, and `DataError` when there are fewer rows,
    or groups, than parts, or not one group label per row.
    """
    shares = np.asarray(fractions, float)
    if shares.ndim != 1 or shares.size == 0 or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-9:
        raise ConfigError(f"the fractions of a split must be positive and sum to 1, e.g. (0.8, 0.2); got {fractions}.")
    rng = np.random.default_rng(seed)
    if groups is None:
        _require_enough(n, len(shares), "row")
        ends = np.cumsum(_sizes(n, shares))[:-1]
        parts = np.split(rng.permutation(n), ends)
    else:
        if groups.shape != (n,):
            raise DataError(f"groups has shape {groups.shape}; expected one label for each of the {n} rows.")
        labels, member = np.unique(groups, return_inverse=True)
        _require_enough(len(labels), len(shares), "group")
        part_of_group = _assign(np.bincount(member), shares * n, rng)
        parts = [np.flatnonzero(part_of_group[member] == part) for part in range(len(shares))]
    parts = tuple(np.sort(part) for part in parts)
    check_disjoint(parts, groups)
    return parts


def check_disjoint(parts: Sequence[Int[np.ndarray, " _"]], groups: Shaped[np.ndarray, " n"] | None = None) -> None:
    """Raise `DataError` if a row, or with `groups` a group, is in more than one part."""
    kind = "row" if groups is None else "group"
    members = [np.unique(part if groups is None else groups[part]) for part in parts]
    values, counts = np.unique(np.concatenate(members), return_counts=True)
    if (counts > 1).any():
        shared = values[counts > 1]
        raise DataError(
            f"{counted(len(shared), kind)} in more than one part of the split, the first is {shared[0]!r}: results "
            "on one part would not be independent of the other. Make the parts disjoint, e.g. with latax.data.split."
        )


def _require_enough(count: int, parts: int, noun: str) -> None:
    if count < parts:
        raise DataError(
            f"{counted(count, noun)} cannot be split into {counted(parts, 'part')}: each part needs at least one. "
            f"Give more {noun}s or fewer parts."
        )


def _sizes(n: int, shares: np.ndarray) -> np.ndarray:
    """Whole sizes that sum to n, each at least one and within one of its share where that is possible."""
    sizes = np.maximum(1, np.floor(shares * n).astype(int))
    while sizes.sum() != n:
        deficit = shares * n - sizes
        if sizes.sum() < n:
            sizes[np.argmax(deficit)] += 1
        else:
            sizes[np.argmin(np.where(sizes > 1, deficit, np.inf))] -= 1
    return sizes


def _assign(sizes: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The part of each group: in random order to the part that lacks most, but never leaving a part without any."""
    part_of_group = np.empty(len(sizes), int)
    lacking = targets.astype(float)
    empty = np.ones(len(targets), bool)
    for done, group in enumerate(rng.permutation(len(sizes))):
        must_fill = len(sizes) - done <= empty.sum()
        part = int(np.argmax(np.where(empty, lacking, -np.inf) if must_fill else lacking))
        part_of_group[group] = part
        lacking[part] -= sizes[group]
        empty[part] = False
    return part_of_group
