"""Paths through data: a row of images, or lines over time, for each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.report.content import Figure
from latax.report.figures import images
from latax.report.style import WIDE, render

#: Numbers of a sample that are drawn as lines at the most.
_LINES = 8


def paths_figure(
    paths: Mapping[str, Float[np.ndarray, "T d"]],
    times: Float[np.ndarray, " T"],
    sample_shape: tuple[int, ...],
    *,
    title: str,
    caption: str,
) -> Figure:
    """Each path of T samples with its name: in a row of images where samples are images, as lines over time else."""
    within = images.value_range(np.concatenate(list(paths.values())))
    pictures, count = images.is_image(sample_shape), len(times)

    def row_of_images(axes: Any, name: str, path: np.ndarray) -> None:
        for ax, image in zip(axes, path, strict=True):
            images.image_mosaic(ax, image[None], sample_shape, within=within)
        axes[0].set_title(name, loc="left")

    def lines(ax: Any, name: str, path: np.ndarray) -> None:
        most = np.argsort(-np.ptp(path, axis=0))[:_LINES]
        ax.plot(times, path[:, np.sort(most)])
        ax.set(title=name, xlabel="time")

    def draw(canvas: Any) -> None:
        shape = (len(paths), count) if pictures else (-(-len(paths) // 4), min(len(paths), 4))
        axes = canvas.subplots(*shape, squeeze=False)
        places = axes if pictures else axes.ravel()
        for place, (name, path) in zip(places, paths.items(), strict=False):
            row_of_images(place, name, path) if pictures else lines(place, name, path)

    rows = len(paths) if pictures else -(-len(paths) // 4)
    height = 0.5 + rows * (WIDE / count + 0.2 if pictures else 2.6)
    return Figure(title, render(draw, width=WIDE, height=height), caption, wide=True)
