"""Pictures of forecasts, and of a latent manifold that moves."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.report.content import Figure
from latax.report.style import DATA, MODEL, REFERENCE, SERIES, WIDE, log_scale, render

_COLOURS = (MODEL, REFERENCE, *SERIES[2:])


def forecast_error_figure(times: Float[np.ndarray, " T"], errors: Mapping[str, Float[np.ndarray, "_ T"]]) -> Figure:
    """Median and quartiles of errors of forecasts against time, for each method."""

    def draw(canvas: Any) -> None:
        ax = canvas.subplots()
        for number, (name, values) in enumerate(errors.items()):
            rounds, place = divmod(number, len(_COLOURS))
            colour = _COLOURS[place]
            # A forecast that is not finite is worse than all others, and no reason to leave them out.
            ranked = np.where(np.isfinite(values), values, np.inf)
            quartiles = np.quantile(ranked, [0.25, 0.5, 0.75], axis=0, method="nearest")
            low, middle, high = np.where(np.isfinite(quartiles), quartiles, np.nan)
            ax.fill_between(times, low, high, color=colour, alpha=0.25)
            ax.plot(times, middle, "--" if rounds else "-", color=colour, label=name)
        ax.set(xlabel="time", ylabel="relative L1 error")
        log_scale(ax, "y")
        ax.legend()

    return Figure(
        "Error of forecasts by time",
        render(draw),
        "Medians and quartiles over held-out trajectories, each forecast from its first state alone. A look-up takes "
        "the training trajectory whose first state is nearest.",
    )


def forecasts_figure(
    times: Float[np.ndarray, " T"], truth: Float[np.ndarray, "N T S"], made: Float[np.ndarray, "N T S"]
) -> Figure:
    """States of a few trajectories at their first, middle and last time."""
    moments = [0, len(times) // 2, len(times) - 1]

    def draw(canvas: Any) -> None:
        axes = canvas.subplots(len(truth), len(moments), squeeze=False, sharex=True)
        for row, of_one in enumerate(axes):
            for ax, moment in zip(of_one, moments, strict=True):
                ax.plot(truth[row, moment], ".", color=DATA, markersize=3, label="data")
                ax.plot(made[row, moment], color=MODEL, label="forecast")
                ax.set_title(f"t = {times[moment]:g}" if row == 0 else "")
        axes[0, 0].legend()

    return Figure(
        "Forecasts beside data",
        render(draw, width=WIDE, height=0.4 + 1.7 * len(truth)),
        "Each row is a held-out trajectory; across are the numbers of one state.",
        wide=True,
    )


def manifold_figure(
    moments: Float[np.ndarray, " M"], points: Float[np.ndarray, "M P d"], colour: Float[np.ndarray, " P"]
) -> Figure:
    """The same points of a moving manifold at several times, along the principal directions of all of them."""
    flat = points.reshape(-1, points.shape[-1])
    _, _, directions = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    shown = (points - flat.mean(axis=0)) @ directions[:2].T
    if shown.shape[-1] == 1:
        shown = np.concatenate([shown, np.zeros_like(shown)], axis=-1)

    def draw(canvas: Any) -> None:
        axes = canvas.subplots(1, len(moments), squeeze=False, sharex=True, sharey=True)[0]
        for ax, moment, at in zip(axes, moments, shown, strict=True):
            ax.scatter(at[:, 0], at[:, 1], c=colour, s=8)
            ax.set_title(f"t = {moment:.2g} of the window")
            ax.set_aspect("equal", adjustable="box")

    return Figure(
        "The latent manifold and its evolution",
        render(draw, width=WIDE, height=3.0),
        "Where held-out trajectories are on the manifold, in the two principal directions of its space; the colour is "
        "the first latent coordinate. A line instead of a cloud is a manifold that has collapsed.",
        wide=True,
    )


def manifold_numbers_figure(moments: Float[np.ndarray, " M"], panels: Mapping[str, Float[np.ndarray, "M P"]]) -> Figure:
    """Numbers about a moving manifold, such as its volume and condition, each in a panel against time."""

    def draw(canvas: Any) -> None:
        axes = canvas.subplots(1, len(panels))
        for ax, (name, values) in zip(axes, panels.items(), strict=True):
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=1)
            ax.fill_between(moments, low, high, color=MODEL, alpha=0.25)
            ax.plot(moments, middle, color=MODEL)
            ax.set(title=name, xlabel="time / window")

    return Figure(
        "Shape of the latent manifold by time",
        render(draw, width=WIDE, height=2.8),
        "Medians and quartiles over held-out trajectories. The condition number is the greatest stretch divided by the "
        "least; the residual is what the metric's change leaves of the flow.",
        wide=True,
    )
