"""Coordinates of the axes of a sample, as the names of its columns say them: `t=0.5 x=0.25`."""

import itertools
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

#: Digits of the numbers in names; as many as tell the places of an axis apart are used.
_DIGITS = (6, 9, 12, 17)
#: A place is told if its name is off by no more than this share of the shortest interval.
_SLACK = 1e-3


def names_of(axes: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """One name for each place of a grid, the last axis running fastest: text as it is, numbers as `x=0.25`."""
    return tuple(" ".join(parts) for parts in itertools.product(*(_labels(a, v) for a, v in axes.items())))


def _labels(axis: str, values: np.ndarray) -> list[str]:
    if values.dtype.kind in "OUS":
        return [str(value) for value in values]
    return [f"{axis}={text}" for text in _numbers(values)]


def _numbers(values: np.ndarray) -> list[str]:
    if values.dtype.kind in "iub":
        return [str(value) for value in values]
    gaps = np.diff(np.sort(values.astype(float)))
    allowed = _SLACK * min(gaps[gaps > 0], default=np.inf)
    written = ([f"{value:.{digits}g}" for value in values.tolist()] for digits in _DIGITS)
    return next(texts for texts in written if np.all(np.abs(np.array(texts, float) - values) <= allowed))


def axes_of(names: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, Float[np.ndarray, " n"]] | None:
    """The coordinates of every axis of a sample of this shape, by their names; None where the columns do not say all.

    The inverse of `names_of` for numbers.
    """
    parts = [name.split(" ") for name in names]
    if any(len(part) != len(shape) for part in parts):
        return None
    table = np.array(parts).reshape(*shape, len(shape))
    axes: dict[str, np.ndarray] = {}
    for number, count in enumerate(shape):
        line = np.moveaxis(table[..., number], number, 0).reshape(count, -1)
        split = [text.partition("=") for text in line[:, 0].tolist()]
        if (line != line[:, :1]).any() or len({axis for axis, _, _ in split}) != 1:
            return None
        try:
            axes[split[0][0]] = np.array([float(value) for _, _, value in split])
        except ValueError:
            return None
    return axes if len(axes) == len(shape) else None
