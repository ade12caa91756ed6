"""How training went: the terms of the loss and the validation metric of each phase."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from latax._errors import DataError
from latax.report.style import MODEL, MUTED, SERIES, log_scale, nothing_to_show

_POINTS = 400
_BINS = 60


def _no_steps() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class PhaseHistory:
    """What one phase logged: named loss terms of shape (replicates, logged steps), and a validation metric likewise.

    `validation_name` is the axis label of the metric, unit included. Raises `DataError` if the shapes do not agree.
    """

    name: str
    steps: Int[np.ndarray, " T"]
    terms: Mapping[str, Float[np.ndarray, "_ _"]]
    validation_steps: Int[np.ndarray, " V"] = field(default_factory=_no_steps)
    validation: Float[np.ndarray, "_ _"] | None = None
    validation_name: str = "validation metric"

    def __post_init__(self) -> None:
        curves = [(name, self.steps, values) for name, values in self.terms.items()]
        if self.validation is not None:
            curves.append((self.validation_name, self.validation_steps, self.validation))
        for name, steps, values in curves:
            if values.ndim != 2 or values.shape[1] != steps.size:
                raise DataError(
                    f"The curve {name!r} of phase {self.name!r} has shape {values.shape}, but there are "
                    f"{steps.size} steps: give an array of shape (replicates, steps), (1, steps) for a single run."
                )


def loss_terms(ax: Axes, history: PhaseHistory) -> Axes:
    """The terms of the training loss against the step: each replicate thin, their running median thick."""
    if not any(np.isfinite(values).any() for values in history.terms.values()):
        return nothing_to_show(ax, "no finite loss was logged")
    for (name, values), colour in zip(history.terms.items(), SERIES * len(history.terms), strict=False):
        _replicates(ax, history.steps, values, colour)
        _running_median(ax, history.steps, values, colour, name)
    ax.set_title(f"{history.name}: training")
    ax.set_ylabel("loss terms" if len(history.terms) > 1 else next(iter(history.terms)))
    if len(history.terms) > 1:
        ax.legend()
    return _finish(ax, list(history.terms.values()))


def validation_curve(ax: Axes, history: PhaseHistory) -> Axes:
    """The validation metric against the step, one line per replicate, with a dot at the best: the kept weights."""
    values = history.validation
    if values is None or not np.isfinite(values).any():
        return nothing_to_show(ax, "no finite validation metric")
    steps = history.validation_steps
    alone = values.shape[0] == 1
    for row in values:
        ax.plot(steps, row, color=MODEL, linewidth=1.4 if alone else 0.9, alpha=1.0 if alone else 0.7)
        if np.isfinite(row).any():
            best = int(np.nanargmin(np.where(np.isfinite(row), row, np.nan)))
            ax.plot(steps[best], row[best], "o", color=MODEL, markersize=4.5, markeredgewidth=0, clip_on=False)
    ax.set_title(f"{history.name}: held-out")
    ax.set_ylabel(history.validation_name)
    return _finish(ax, [values])


def _replicates(ax: Axes, steps: np.ndarray, values: np.ndarray, colour: str) -> None:
    shown = slice(None, None, max(1, steps.size // _POINTS))
    for row in values:
        ax.plot(steps[shown], row[shown], color=colour, linewidth=0.6, alpha=0.35)


def _running_median(ax: Axes, steps: np.ndarray, values: np.ndarray, colour: str, label: str) -> None:
    parts = [
        p for p in np.array_split(np.arange(steps.size), min(_BINS, steps.size)) if np.isfinite(values[:, p]).any()
    ]
    medians = [np.median(values[:, p][np.isfinite(values[:, p])]) for p in parts]
    marker = "o" if len(parts) == 1 else None
    ax.plot([steps[p].mean() for p in parts], medians, color=colour, label=label, marker=marker, markersize=4)


def _finish(ax: Axes, curves: list[np.ndarray]) -> Axes:
    ax.set_xlabel("step")
    ax.tick_params(labelbottom=True)
    shown = np.concatenate([values[np.isfinite(values)] for values in curves])
    low, high = shown.min(), shown.max()
    if low > 0 and high > 20 * low:
        log_scale(ax, "y")
        return ax
    # The first steps of a likelihood are far above all others, and would make the rest a flat line.
    settled = np.concatenate([_settled(values) for values in curves])
    if settled.size and settled.max() < high:
        note = f"first steps up to {high:.3g}"
        ax.text(0.99, 0.98, note, transform=ax.transAxes, ha="right", va="top", fontsize=7.5, color=MUTED)
        high = settled.max()
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    ax.set_ylim(low - pad, high + pad)
    return ax


def _settled(values: np.ndarray) -> np.ndarray:
    later = values[:, values.shape[1] // 20 :]
    return later[np.isfinite(later)]
