"""Points: data and samples in their own coordinates, and latent coordinates coloured by their density."""

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from mpl_toolkits.mplot3d import Axes3D

from latax.report.figures.distributions import bin_count
from latax.report.style import DATA, MODEL, MUTED, at_most, density_colours, finite_rows, nothing_to_show

_SHOWN = 4000
_CIRCLE = {"linewidths": 0, "rasterized": True}


def limits(points: Float[np.ndarray, "N d"]) -> list[tuple[float, float]]:
    """Per column, the range of all but the outermost values with a margin: one outlier must not hide the rest."""
    finite = finite_rows(points)
    if finite.shape[0] == 0:
        return [(-1.0, 1.0)] * points.shape[1]
    low, high = np.quantile(finite, [0.002, 0.998], axis=0)
    width = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    return [(float(a), float(b)) for a, b in zip(low - 0.12 * width, high + 0.12 * width, strict=True)]


def scatter(
    ax: Axes,
    points: Float[np.ndarray, "N d"],
    *,
    columns: tuple[int, int] = (0, 1),
    within: list[tuple[float, float]] | None = None,
    names: tuple[str, str] = ("", ""),
    colour: str = DATA,
) -> Axes:
    """Two columns of the points against each other; at most 4,000 random points, as pixels.

    `within` are the limits of all columns, by default those of the points. How many points lie outside is written in a
    corner.
    """
    pair = finite_rows(points[:, list(columns)])
    if pair.shape[0] == 0:
        return nothing_to_show(ax, "no finite point to show")
    frame = [within[c] for c in columns] if within else limits(pair)
    shown = pair[at_most(_SHOWN, pair.shape[0])]
    ax.scatter(shown[:, 0], shown[:, 1], color=colour, **_dots(shown.shape[0]))
    ax.set(xlim=frame[0], ylim=frame[1], xlabel=names[0], ylabel=names[1])
    low, high = np.array(frame).T
    outside = np.count_nonzero(((pair < low) | (pair > high)).any(axis=1))
    if outside:
        note = f"{outside} of {pair.shape[0]} outside"
        ax.text(0.99, 0.01, note, transform=ax.transAxes, ha="right", va="bottom", fontsize=7.5, color=MUTED)
    return ax


def scatter_3d(
    ax: Axes3D,
    points: Float[np.ndarray, "N 3"],
    *,
    within: list[tuple[float, float]],
    names: tuple[str, str, str] = ("", "", ""),
    colour: str = DATA,
) -> Axes:
    """Points in space on a three-dimensional `ax`; at most 4,000 random points, as pixels."""
    finite = finite_rows(points)
    low, high = np.array(within).T
    inside = finite[((finite >= low) & (finite <= high)).all(axis=1)]
    shown = inside[at_most(_SHOWN, inside.shape[0])]
    ax.scatter(*shown.T, color=colour, depthshade=False, **_dots(shown.shape[0]))
    ax.set(xlim=within[0], ylim=within[1], zlim=within[2], xlabel=names[0], ylabel=names[1], zlabel=names[2])
    # Pyright takes the type of `zoom` from its default, 1.
    ax.set_box_aspect((1, 1, 0.8), zoom=1.12)  # pyright: ignore[reportArgumentType]
    return ax


def latent_curve(ax: Axes, latent: Float[np.ndarray, "N 1"], log_density: Float[np.ndarray, " N"]) -> Axes:
    """One latent coordinate: the histogram of the points, and the model's density at each of them."""
    u = latent[:, 0]
    finite = np.isfinite(u)
    if not finite.any():
        return nothing_to_show(ax, "no finite latent point")
    ax.hist(u[finite], bins=bin_count(int(np.count_nonzero(finite))), density=True, color=DATA, alpha=0.3, label="data")
    known = np.flatnonzero(finite & np.isfinite(log_density))
    chosen = known[at_most(_SHOWN, known.size)]
    ax.scatter(u[chosen], np.exp(np.minimum(log_density[chosen], 80.0)), color=MODEL, label="model", s=9, **_CIRCLE)
    ax.set(xlabel="latent coordinate 1", ylabel="density")
    ax.legend(markerscale=2)
    return ax


def latent_scatter(
    ax: Axes,
    latent: Float[np.ndarray, "N n"],
    log_density: Float[np.ndarray, " N"],
    *,
    columns: tuple[int, int] = (0, 1),
    colour_bar: bool = True,
) -> Axes:
    """Two latent coordinates of the points, coloured by log density; points without a finite one are grey."""
    pair = latent[:, list(columns)]
    here = np.isfinite(pair).all(axis=1)
    if not here.any():
        return nothing_to_show(ax, "no finite latent point")
    pair, values = pair[here], log_density[here]
    frame = limits(pair)
    chosen = at_most(_SHOWN, pair.shape[0])
    pair, values = pair[chosen], values[chosen]
    known = np.isfinite(values)
    ax.scatter(*pair[~known].T, color=MUTED, s=5, **_CIRCLE)
    if known.any():
        low, high = np.quantile(values[known], [0.02, 0.98])
        order = np.argsort(values[known])
        dots = ax.scatter(
            *pair[known][order].T,
            c=values[known][order],
            cmap=density_colours(),
            vmin=low,
            vmax=high,
            **(_dots(known.size) | {"alpha": 1.0}),
        )
        if colour_bar:
            bar = ax.figure.colorbar(dots, ax=ax, label="log density (nats)", pad=0.02, aspect=28)
            bar.outline.set_visible(False)
    a, b = columns
    ax.set(xlim=frame[0], ylim=frame[1], xlabel=f"latent coordinate {a + 1}", ylabel=f"latent coordinate {b + 1}")
    return ax


def _dots(n: int) -> dict[str, Any]:
    """Few points are large and opaque, many small and transparent."""
    return _CIRCLE | {
        "s": float(np.clip(3000 / max(n, 1), 5, 24)),
        "alpha": float(np.clip(30 / max(n, 1) ** 0.5, 0.35, 1)),
    }
