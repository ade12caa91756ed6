"""Pictures of sequences and of the parameters that are read off them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from latax.report.content import Figure
from latax.report.style import DATA, HALF, MODEL, REFERENCE, WIDE, render

_COLUMNS = 3


def sequences_figure(
    times: Float[np.ndarray, " T"],
    data: Float[np.ndarray, "N T"],
    curves: Mapping[str, Float[np.ndarray, "N T"]],
    *,
    along: str = "time",
    note: str = "",
) -> Figure:
    """A few sequences, each with what models make of it; `along` is what they are over, `note` ends the caption."""

    def draw(ax: Axes, i: int) -> None:
        ax.plot(times, data[i], ".", color=DATA, markersize=4, label="data")
        for (name, values), colour in zip(curves.items(), (MODEL, REFERENCE), strict=False):
            ax.plot(times, values[i], color=colour, label=name)

    caption = (
        "The model should go through the data; its gap to the physics alone, if there is one, is what corrections add."
    )
    return _beside("Held-out sequences and their reconstruction", draw, len(data), caption, note, along=along)


def extrapolation_figure(
    times: Float[np.ndarray, " T"],
    data: Float[np.ndarray, "N T"],
    longer: Float[np.ndarray, " L"],
    ahead: Float[np.ndarray, "N L"],
    *,
    note: str = "",
) -> Figure:
    """The same sequences beyond the window that was observed; `note` ends the caption."""

    def draw(ax: Axes, i: int) -> None:
        ax.axvline(times[-1], color=REFERENCE, linestyle=":")
        ax.plot(longer, ahead[i], color=MODEL, label="model")
        ax.plot(times, data[i], ".", color=DATA, markersize=4, label="data")

    caption = "Right of the dotted line nothing was observed, and learned functions of time were never trained."
    return _beside("Beyond the data", draw, len(data), caption, note)


def corrections_figure(
    times: Float[np.ndarray, " T"],
    data: Float[np.ndarray, "N T"],
    corrections: Mapping[str, Float[np.ndarray, "N T"]],
    *,
    note: str = "",
) -> Figure:
    """What was learned beyond the physics, of the same sequences, by the correction that adds it; `data` sets the scale
    and `note` ends the caption."""
    size = float(np.ptp(data[np.isfinite(data)])) if np.isfinite(data).any() else 1.0
    largest = max(float(np.nanmax(np.abs(values))) for values in corrections.values())

    def draw(ax: Axes, i: int) -> None:
        ax.axhline(0, color=REFERENCE, linestyle=":")
        for (name, values), colour in zip(corrections.items(), (MODEL, DATA), strict=False):
            ax.plot(times, values[i], color=colour, label=name)

    caption = (
        f"In data units; the largest is {100 * largest / (size or 1.0):.2g} % of the range of these data. A shape that "
        "all sequences share is a part of the physics that is missing; noise about zero is nothing."
    )
    return _beside("What the corrections add", draw, len(data), caption, note)


def estimates_figure(name: str, unit: str, estimate: Any, prior_left: float) -> Figure:
    """One parameter of every sequence with its interval, sorted, in its unit, which may be empty."""
    order = np.argsort(estimate.value)
    rank = np.arange(len(order))

    def draw(canvas: Any) -> None:
        ax = canvas.subplots()
        ax.fill_between(rank, estimate.low[order], estimate.high[order], color=MODEL, alpha=0.3, label="90 % interval")
        ax.plot(rank, estimate.value[order], color=MODEL, label="value")
        ax.set(xlabel="held-out sample, sorted by value", ylabel=f"{name} ({unit})" if unit else name)
        ax.legend()

    return Figure(
        f"Parameter: {name}",
        render(draw),
        f"Locally the data leave {100 * prior_left:.2g} % of the prior's spread. The intervals admit that the physics "
        "may miss something else, as large as its corrections to other samples; not that it is wrong in another way.",
    )


def shares_figure(shares: Float[np.ndarray, " N"]) -> Figure:
    """How much of each reconstruction the physics explains."""

    def draw(canvas: Any) -> None:
        ax = canvas.subplots()
        ax.hist(np.clip(shares[~np.isnan(shares)], -0.5, 1), bins=np.linspace(-0.5, 1, 41), color=MODEL)
        ax.set(xlabel="share of the physics (smaller ones are shown at −0.5)", ylabel="samples")

    return Figure(
        "What the physics explains",
        render(draw),
        "One: the corrections do nothing. Zero or less: the physics alone is no better than a constant.",
    )


def _beside(
    title: str, draw: Callable[[Axes, int], None], count: int, caption: str, note: str, *, along: str = "time"
) -> Figure:
    """One panel for each of `count` sequences, beside one another; `note` ends the caption."""
    rows, columns = -(-count // _COLUMNS), min(count, _COLUMNS)

    def picture(canvas: Any) -> None:
        axes = canvas.subplots(rows, columns, squeeze=False, sharex=True).ravel()
        for ax in axes[count:]:
            ax.set_visible(False)
        for i, ax in enumerate(axes[:count]):
            draw(ax, i)
        for ax in axes[max(0, count - columns) : count]:
            ax.set_xlabel(along)
        axes[0].legend()

    image = render(picture, width=WIDE if columns > 1 else HALF, height=0.4 + 2.3 * rows)
    return Figure(title, image, f"{caption}{note and ' '}{note}", wide=True)
