"""Is the density calibrated? Coverage against the nominal level, the PIT values, and each base coordinate."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from latax.evaluate.calibration import Calibration, binomial_band
from latax.report.style import MODEL, REFERENCE


def coverage_curve(ax: Axes, result: Calibration) -> Axes:
    """The fraction of held-out points inside each central region against its level, with the band of a right model."""
    ax.fill_between(result.levels, result.band_low, result.band_high, color=REFERENCE, alpha=0.3, linewidth=0)
    ax.plot([0, 1], [0, 1], color=REFERENCE, linewidth=0.9, linestyle="--")
    ax.plot(result.levels, result.coverage, color=MODEL)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="nominal level of the region", ylabel="held-out points inside")
    ax.set_title("coverage")
    return ax


def pit_histogram(ax: Axes, result: Calibration, *, bins: int = 20) -> Axes:
    """The PIT values of |ũ|², which are uniform for a right model: its counts stay inside the band, 19 times in 20."""
    n = result.radius_pit.size
    bins = int(np.clip(n // 10, 4, bins))
    low, high = binomial_band(np.array([1 / bins]), n)
    ax.axhspan(float(low[0]) * bins, float(high[0]) * bins, color=REFERENCE, alpha=0.3, linewidth=0)
    ax.axhline(1.0, color=REFERENCE, linewidth=0.9, linestyle="--")
    edges = np.linspace(0, 1, bins + 1).tolist()
    ax.hist(result.radius_pit, bins=edges, density=True, histtype="stepfilled", color=MODEL, alpha=0.2)
    ax.hist(result.radius_pit, bins=edges, density=True, histtype="step", color=MODEL, linewidth=1.4)
    ax.set(xlim=(0, 1), xlabel="PIT of the base radius", ylabel="density")
    ax.set_title("PIT histogram")
    return ax


def coordinate_errors(ax: Axes, result: Calibration) -> Axes:
    """The calibration error of each base coordinate, above what the largest of a right model's would be."""
    numbers = np.arange(1, result.coordinate_errors.size + 1)
    ax.axhspan(0, result.worst_noise, color=REFERENCE, alpha=0.3, linewidth=0)
    ax.plot(numbers, result.coordinate_errors, "o", color=MODEL, markersize=5 if numbers.size <= 20 else 3)
    ax.set(xlim=(0.3, numbers.size + 0.7), xlabel="base coordinate", ylabel="calibration error")
    ax.set_ylim(0, 1.15 * max(result.worst_noise, float(result.coordinate_errors.max())))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    ax.grid(False, axis="x")
    ax.set_title("coordinates")
    return ax
