"""How the decoder stretches latent space: singular values by rank, and the condition of its Jacobian."""

import numpy as np
from matplotlib.axes import Axes

from latax.evaluate.spectrum import MetricSpectrum
from latax.report.figures.distributions import log_histogram
from latax.report.style import MODEL, log_scale, nothing_to_show


def singular_value_bands(ax: Axes, spectrum: MetricSpectrum) -> Axes:
    """The singular values of the decoder's Jacobian by rank: median over the points, and 50 % and 90 % of them."""
    if not (spectrum.singular_values > 0).any():
        return nothing_to_show(ax, "all singular values are zero")
    ranks = np.arange(1, spectrum.singular_values.shape[1] + 1)
    quantiles = np.quantile(spectrum.singular_values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    if ranks.size <= 12:
        ax.vlines(ranks, quantiles[0], quantiles[4], color=MODEL, alpha=0.35, linewidth=1.5)
        ax.vlines(ranks, quantiles[1], quantiles[3], color=MODEL, alpha=0.45, linewidth=6)
        ax.plot(ranks, quantiles[2], "o", color=MODEL, markersize=5)
        ax.set_xticks(ranks)
        ax.set_xlim(0.4, ranks.size + 0.6)
    else:
        ax.fill_between(ranks, quantiles[0], quantiles[4], color=MODEL, alpha=0.18, linewidth=0)
        ax.fill_between(ranks, quantiles[1], quantiles[3], color=MODEL, alpha=0.28, linewidth=0)
        ax.plot(ranks, quantiles[2], color=MODEL)
    shown = quantiles[quantiles > 0]
    if shown.size and shown.max() > 5 * shown.min():
        log_scale(ax, "y")
    ax.set(xlabel="direction, strongest first", ylabel="singular value (data per latent unit)")
    ax.set_title("stretch")
    return ax


def condition_histogram(ax: Axes, spectrum: MetricSpectrum) -> Axes:
    """The ratio of the strongest to the weakest stretch, over the points."""
    log_histogram(ax, {"condition": spectrum.condition}, label="strongest / weakest stretch")
    ax.set_title("condition")
    return ax
