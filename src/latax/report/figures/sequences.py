"""Pictures of sequences and of the parameters that are read off them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.report import style
from latax.report.content import Figure


def sequences_figure(
    times: Float[np.ndarray, " T"], data: Float[np.ndarray, "N T"], curves: Mapping[str, Float[np.ndarray, "N T"]]
) -> Figure:
    """A few sequences, each with what models make of it."""
    canvas, axes = style.grid(len(data))
    for i, ax in enumerate(axes):
        ax.plot(times, data[i], ".", color=style.DATA, markersize=4, label="data")
        for (name, values), colour in zip(curves.items(), (style.MODEL, style.REFERENCE), strict=False):
            ax.plot(times, values[i], color=colour, label=name)
        ax.set_xlabel("time")
    axes[0].legend()
    return style.figure(
        canvas,
        "Held-out sequences and their reconstruction",
        "The full model should go through the data; the gap to the physics alone is what the corrections add.",
    )


def extrapolation_figure(
    times: Float[np.ndarray, " T"],
    data: Float[np.ndarray, "N T"],
    longer: Float[np.ndarray, " L"],
    ahead: Float[np.ndarray, "N L"],
) -> Figure:
    """The same sequences beyond the window that was observed."""
    canvas, axes = style.grid(len(data))
    for i, ax in enumerate(axes):
        ax.axvline(times[-1], color=style.REFERENCE, linestyle=":")
        ax.plot(longer, ahead[i], color=style.MODEL, label="model")
        ax.plot(times, data[i], ".", color=style.DATA, markersize=4, label="data")
        ax.set_xlabel("time")
    axes[0].legend()
    return style.figure(
        canvas, "Beyond the data", "Right of the dotted line nothing was observed, and corrections were never trained."
    )


def estimates_figure(name: str, estimate: Any, prior_left: float) -> Figure:
    """One parameter of every sequence with its interval, sorted."""
    canvas, (ax,) = style.grid(1, columns=1)
    order = np.argsort(estimate.value)
    rank = np.arange(len(order))
    ax.fill_between(rank, estimate.low[order], estimate.high[order], color=style.MODEL, alpha=0.3, label="90 % interval")
    ax.plot(rank, estimate.value[order], color=style.MODEL, label="value")
    ax.set_xlabel("held-out sequence, sorted")
    ax.set_ylabel(name)
    ax.legend()
    return style.figure(
        canvas,
        f"Parameter: {name}",
        f"Intervals are those of the fitted model; locally its data leave {100 * prior_left:.2g} % of the prior's "
        "spread. They do not cover a physics that is wrong in another way.",
        wide=False,
    )


def shares_figure(shares: Float[np.ndarray, " N"]) -> Figure:
    """How much of each reconstruction the physics explains."""
    canvas, (ax,) = style.grid(1, columns=1)
    ax.hist(np.clip(shares, -0.5, 1), bins=40, color=style.MODEL)
    ax.set_xlabel("share of the physics (below -0.5 shown there)")
    ax.set_ylabel("sequences")
    return style.figure(
        canvas,
        "What the physics explains",
        "One: the corrections do nothing. Zero or less: the physics alone is no better than a constant.",
        wide=False,
    )
