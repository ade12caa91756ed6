"""Histograms of one number, and intervals side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from latax.evaluate.stats import Interval
from latax.report.style import DATA, INK, REFERENCE, SERIES, log_scale, nothing_to_show


def log_histogram(
    ax: Axes,
    groups: Mapping[str, Float[np.ndarray, " _"]],
    *,
    lines: Mapping[str, float] | None = None,
    label: str = "",
) -> Axes:
    """Histograms of positive numbers, one per group, with vertical lines at named values.

    The axis is logarithmic where the numbers span more than a factor of ten. Values that are not finite are left out.
    """
    finite = {name: values[np.isfinite(values)] for name, values in groups.items()}
    marks = {name: value for name, value in (lines or {}).items() if np.isfinite(value)}
    everything = np.concatenate([*finite.values(), np.array(list(marks.values()))])
    if not any(values.size for values in finite.values()):
        return nothing_to_show(ax, "no finite value to show")
    edges, logarithmic = _edges(everything, _bins(finite))
    for (name, values), colour in zip(finite.items(), SERIES * len(finite), strict=False):
        weights = np.full(values.size, 1 / max(values.size, 1))
        clipped = np.clip(values, edges[0], edges[-1])
        ax.hist(clipped, bins=edges.tolist(), weights=weights, histtype="stepfilled", color=colour, alpha=0.18)
        ax.hist(clipped, bins=edges.tolist(), weights=weights, histtype="step", color=colour, linewidth=1.4, label=name)
    for style, (name, value) in zip(("--", ":", "-.") * len(marks), marks.items(), strict=False):
        ax.axvline(np.clip(value, edges[0], edges[-1]), color=REFERENCE, linestyle=style, linewidth=1.5, label=name)
    if logarithmic:
        log_scale(ax, "x")
    ax.set_xlabel(label)
    ax.set_ylabel("fraction of points")
    if len(finite) + len(marks) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
    return ax


def density_histogram(ax: Axes, groups: Mapping[str, Float[np.ndarray, " _"]], *, label: str = "") -> Axes:
    """Normalised histograms of numbers of any sign over the range of the first group, with a margin."""
    finite = {name: values[np.isfinite(values)] for name, values in groups.items()}
    first = next(iter(finite.values()))
    if first.size == 0:
        return nothing_to_show(ax, "no finite value to show")
    low, high = np.quantile(first, [0.001, 0.999])
    margin = 0.15 * (high - low) or 0.5
    edges = np.linspace(low - margin, high + margin, _bins(finite) + 1)
    for (name, values), colour in zip(finite.items(), SERIES * len(finite), strict=False):
        weights = np.full(values.size, 1 / max(values.size * (edges[1] - edges[0]), 1e-300))
        ax.hist(values, bins=edges.tolist(), weights=weights, histtype="stepfilled", color=colour, alpha=0.18)
        ax.hist(values, bins=edges.tolist(), weights=weights, histtype="step", color=colour, linewidth=1.4, label=name)
    ax.set_xlabel(label)
    ax.set_ylabel("density")
    if len(finite) > 1:
        ax.legend()
    return ax


def forest(ax: Axes, names: Sequence[str], intervals: Sequence[Interval | None], *, label: str = "") -> Axes:
    """One row per name with its estimate and interval, the first at the top; None leaves a row empty."""
    rows = [(i, v) for i, v in enumerate(intervals) if v is not None and np.isfinite(v.estimate)]
    if not rows:
        return nothing_to_show(ax, "no finite value to show")
    for i, interval in rows:
        if interval.low is not None and interval.high is not None:
            ax.plot(
                [interval.low, interval.high], [i, i], color=DATA, linewidth=2.2, alpha=0.55, solid_capstyle="round"
            )
        ax.plot(interval.estimate, i, "o", color=DATA, markersize=5.5)
    values = np.array([x for _, v in rows for x in (v.estimate, v.low, v.high) if x is not None])
    if values.min() > 0 and values.max() > 20 * values.min():
        log_scale(ax, "x")
    ax.set_yticks(range(len(names)), list(names), color=INK)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(label)
    return ax


def _bins(groups: Mapping[str, np.ndarray]) -> int:
    """More bins for more points (Rice's rule for the smallest group), so that the bars are not noise."""
    return bin_count(min(values.size for values in groups.values() if values.size))


def bin_count(points: int) -> int:
    """Rice's rule, from 8 to 60 bins."""
    return int(np.clip(2 * points ** (1 / 3), 8, 60))


def _edges(values: np.ndarray, bins: int) -> tuple[np.ndarray, bool]:
    positive = values[values > 0]
    low, high = (np.quantile(positive, [0.001, 1.0])) if positive.size else (0.0, 0.0)
    if low > 0 and high > 10 * low:
        # Numerically exact reconstructions would stretch the axis over many empty decades.
        low = max(low, high * 1e-9)
        return np.geomspace(low * 0.9, high * 1.1, bins + 1), True
    low, high = values.min(), values.max()
    pad = 0.03 * (high - low) or 0.05 * abs(high) or 0.5
    return np.linspace(low - pad, high + pad, bins + 1), False
