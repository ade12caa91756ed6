"""Pictures of an embedding with a known geometry: its shape, its lengths, and what straight lines decode to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes

from latax.report.content import Figure
from latax.report.figures import images
from latax.report.style import DATA, HALF, MODEL, REFERENCE, WIDE, at_most, density_colours, log_scale, render

_SHOWN = 3000


def shape_figure(latent: Float[np.ndarray, "N l"], *, dimension: int) -> Figure:
    """The latent coordinates along their first principal directions, coloured by the third, and all variances."""
    centred = latent - latent.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    turned = (centred @ directions.T)[at_most(_SHOWN, len(latent))]
    shares = values**2 / np.sum(values**2)

    def draw(canvas: Any) -> None:
        left, right = canvas.subplots(1, 2)
        depth = turned[:, min(2, turned.shape[1] - 1)]
        second = turned[:, min(1, turned.shape[1] - 1)]
        left.scatter(turned[:, 0], second, c=depth, cmap=density_colours(), s=6, linewidths=0, rasterized=True)
        left.set(xlabel="principal direction 1", ylabel="principal direction 2", aspect="equal")
        right.bar(np.arange(1, len(shares) + 1), shares, color=MODEL)
        right.axvline(dimension + 0.5, color=REFERENCE, linestyle="--", label=f"99 % in {dimension} directions")
        right.set(xlabel="principal direction", ylabel="share of the variance")
        right.legend()

    caption = (
        "Left: the embedding from its widest side, the third direction as colour. Right: the directions that it takes, "
        "which are those of the flat space around it, more than the manifold has."
    )
    return Figure("The embedding", render(draw, width=WIDE, height=4.0), caption, wide=True)


def lengths_figure(
    stretch: Float[np.ndarray, " N"], latent: Float[np.ndarray, " M"], distance: Float[np.ndarray, " M"]
) -> Figure:
    """How long near pairs are in latent space, and latent against true distances of far ones."""
    some = at_most(_SHOWN, len(latent))

    def draw(canvas: Any) -> None:
        left, right = canvas.subplots(1, 2)
        left.hist(stretch, bins=50, color=MODEL, alpha=0.6)
        left.axvline(1.0, color=REFERENCE, linestyle="--", label="isometric")
        left.set(xlabel="latent length / length on the manifold", ylabel="near pairs")
        left.legend()
        right.scatter(distance[some], latent[some], color=MODEL, s=5, linewidths=0, alpha=0.5, rasterized=True)
        right.axline((0, 0), slope=1, color=REFERENCE, linestyle="--")
        right.set(xlabel="distance on the manifold", ylabel="latent distance", ylim=(0, None), xlim=(0, None))

    caption = (
        "Left: bending makes closed manifolds a little smaller. Right: chords are shorter than arcs, so points fall "
        "below the line; far points near zero share a place."
    )
    return Figure("Lengths", render(draw, width=WIDE, height=3.4), caption, wide=True)


def convergence_figure(
    distance: Float[np.ndarray, " D"], gaps: Mapping[str, Float[np.ndarray, " D"]], *, rate: float, title: str
) -> Figure:
    """How energies go to their limit with the distance, on logarithmic axes, beside the rate that is expected."""
    largest = max(float(values.max()) for values in gaps.values())

    def draw(canvas: Any) -> None:
        ax = canvas.subplots()
        _lines(ax, distance, gaps)
        expected = 2 * largest * (distance / distance.max()) ** rate
        ax.plot(distance, expected, color=REFERENCE, linestyle="--", label=f"rate {rate:g}")
        log_scale(ax, "x")
        log_scale(ax, "y")
        ax.set(xlabel="greatest distance of a pair", ylabel="energy above the limit")
        ax.legend()

    return Figure(title, render(draw, width=HALF, height=3.4), "Lines as steep as the dashed one.")


def halfway_figure(shares: Float[np.ndarray, " D"], errors: Mapping[str, Float[np.ndarray, " D"]]) -> Figure:
    """Errors of images halfway between two, for several models, against the distance of the two."""

    def draw(canvas: Any) -> None:
        ax = canvas.subplots()
        _lines(ax, shares, errors)
        ax.set(xlabel="distance / injectivity radius", ylabel="relative error of the image halfway", ylim=(0, None))
        ax.legend(fontsize="small")

    caption = "Straight latent lines, medians over replicates. One is the error of the mean of all images."
    return Figure("Straight lines, by distance", render(draw, width=WIDE, height=4.0), caption, wide=True)


def trade_figure(
    models: Mapping[str, Float[np.ndarray, "R 2"]], lowest: Float[np.ndarray, "W 2"] | None = None
) -> Figure:
    """What is paid in distortion for less bending: (bending, distortion) of replicates, and of the best maps."""

    def draw(canvas: Any) -> None:
        ax = canvas.subplots()
        if lowest is not None:
            ax.plot(*lowest.T, color=REFERENCE, linestyle="--", label="lowest energies, all λ")
        for name, points in models.items():
            ax.plot(*points.T, marker="o", markersize=4, linestyle="none", label=name)
        log_scale(ax, "y")
        ax.set(xlabel="bending", ylabel="distortion")
        ax.legend(fontsize="small")

    caption = "Each model at its own λ, each point a replicate."
    caption += "" if lowest is None else " No map can have less of both than the dashed line."
    return Figure("Distortion against bending", render(draw, width=HALF, height=3.4), caption)


def interpolation_figure(
    distance: Float[np.ndarray, " D"],
    decoded: Float[np.ndarray, " D"],
    averaged: Float[np.ndarray, " D"],
    rebuilt: Float[np.ndarray, " D"],
) -> Figure:
    """Errors of images halfway between two, against their distance."""

    def draw(canvas: Any) -> None:
        ax = canvas.subplots()
        ax.plot(distance, decoded, color=MODEL, marker="o", markersize=4, label="middle of the latent line")
        ax.plot(distance, averaged, color=DATA, marker="o", markersize=4, label="mean of the two images")
        ax.plot(distance, rebuilt, color=REFERENCE, linestyle="--", label="reconstruction of the true middle")
        ax.set(xlabel="distance on the manifold", ylabel="error of the image halfway", ylim=(0, None))
        ax.legend()

    caption = "Near pairs should be as good as their reconstruction; lines leave a curved embedding for far ones."
    return Figure("Straight lines", render(draw, width=HALF, height=3.4), caption)


def path_figure(
    true: Float[np.ndarray, "T d"], decoded: Float[np.ndarray, "T d"], sample_shape: tuple[int, ...]
) -> Figure:
    """Images along a geodesic of the manifold, and those of the straight latent line between its ends."""
    within = images.value_range(true)
    rows: dict[str, Shaped[np.ndarray, "T d"]] = {"geodesic": true, "latent line": decoded}

    def draw(canvas: Any) -> None:
        axes = canvas.subplots(2, len(true), squeeze=False)
        for (label, row), line in zip(rows.items(), axes, strict=True):
            for ax, image in zip(line, row, strict=True):
                images.image_mosaic(ax, image[None], sample_shape, within=within)
            line[0].set_title(label)

    image = render(draw, width=WIDE, height=0.5 + 2 * WIDE / len(true))
    return Figure("From one image to another", image, "The lower row should follow the upper one.", wide=True)


def _lines(ax: Axes, x: Float[np.ndarray, " D"], ys: Mapping[str, Float[np.ndarray, " D"]]) -> None:
    """Lines with marks that become smaller from one to the next, so that equal ones are all seen."""
    for (name, values), size in zip(ys.items(), np.linspace(8, 3, len(ys)), strict=True):
        ax.plot(x, values, marker="o", markersize=size, label=name)
