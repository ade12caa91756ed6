"""The figures of a report, complete with caption: plain arrays in, a `Figure` out."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.evaluate.calibration import Calibration
from latax.evaluate.spectrum import MetricSpectrum
from latax.evaluate.stats import Interval
from latax.report.content import Figure
from latax.report.figures import calibration, curves, distributions, images, points, spectrum
from latax.report.style import DATA, HALF, MODEL, WIDE, render

_PER_ROW = 3
_PAIRS = 3


def loss_figure(history: Sequence[curves.PhaseHistory], *, title: str = "Training") -> Figure:
    """Loss terms of every phase, above the phase's validation metric where there is one."""
    groups = [history[i : i + _PER_ROW] for i in range(0, len(history), _PER_ROW)]
    validated = any(phase.validation is not None for phase in history)
    rows = (2 if validated else 1) * len(groups)
    columns = min(len(history), _PER_ROW)
    beside = validated and len(history) == 1

    def draw(canvas: Any) -> None:
        shared = "col" if len(groups) == 1 else "none"
        axes = canvas.subplots(*((1, 2) if beside else (rows, columns)), squeeze=False, sharex=shared)
        axes = axes.T if beside else axes
        for ax in axes.ravel():
            ax.set_visible(False)
        for i, phase in enumerate(history):
            row, column = (2 if validated else 1) * (i // _PER_ROW), i % _PER_ROW
            axes[row, column].set_visible(True)
            curves.loss_terms(axes[row, column], phase)
            if validated:
                axes[row + 1, column].set_visible(True)
                curves.validation_curve(axes[row + 1, column], phase)

    wide = beside or columns > 1
    image = render(draw, width=WIDE if wide else HALF, height=3.2 if beside else 0.4 + 2.5 * rows)
    caption = "A curve that still falls at its end asks for longer training"
    dots = ", and held-out curves should fall with the training ones; dots mark the weights that were kept."
    return Figure(title, image, caption + (dots if validated else "."), wide=wide)


def record_figure(history: Sequence[curves.PhaseHistory], *, title: str, caption: str) -> Figure:
    """Numbers that were on record in the training of each phase, and that it did not lower."""

    def draw(canvas: Any) -> None:
        for ax, phase in zip(canvas.subplots(1, len(history), squeeze=False)[0], history, strict=True):
            curves.loss_terms(ax, phase).set_ylabel("on record")

    return Figure(title, render(draw, width=HALF if len(history) == 1 else WIDE, height=2.9), caption)


def samples_figure(
    data: Float[np.ndarray, "N d"],
    samples: Float[np.ndarray, "M d"],
    *,
    sample_shape: tuple[int, ...] | None = None,
    names: Sequence[str] | None = None,
    labels: tuple[str, str] = ("data", "samples"),
    title: str = "Samples beside data",
) -> Figure:
    """Data on the left (or above) and samples on the right (or below), in the same limits.

    Images if `sample_shape` has two or three axes; else a histogram for one coordinate, points in the plane or in
    space for two or three, and the pairs of the first three coordinates for more. `labels` name the two sides, such as
    "data" and "projected".
    """
    d = data.shape[1]
    if sample_shape is not None and images.is_image(sample_shape):
        image = _beside_images(data, samples, sample_shape, labels)
    elif d == 1:
        groups = {labels[0]: data[:, 0], labels[1]: samples[:, 0]}
        label = names[0] if names else "x1"
        image = render(lambda c: distributions.density_histogram(c.subplots(), groups, label=label))
    elif d == 3:
        image = _beside_3d(data, samples, names, labels)
    else:
        image = _beside_pairs(data, samples, names, labels)
    caption = "Both should look alike: look for what only one of them has."
    return Figure(title, image, caption, wide=d > 1)


def parts_figure(
    parts: Mapping[str, Float[np.ndarray, "N d"]],
    sample_shape: tuple[int, ...],
    *,
    title: str = "Held-out images and their reconstruction",
    note: str = "",
) -> Figure:
    """Images and what they are made of, one mosaic for each part; the first sets the range of all. `note` ends the
    caption."""
    first = next(iter(parts.values()))
    within = images.value_range(first)

    def draw(canvas: Any) -> None:
        axes = canvas.subplots(-(-len(parts) // 2), 2, squeeze=False).ravel()
        for ax in axes[len(parts) :]:
            ax.set_visible(False)
        for ax, (label, values) in zip(axes[: len(parts)], parts.items(), strict=True):
            images.image_mosaic(ax, values, sample_shape, within=within)
            ax.set_title(label)

    height = -(-len(parts) // 2) * (0.4 + 5.3 * images.mosaic_aspect(sample_shape, len(first)))
    return Figure(
        title,
        render(draw, width=WIDE, height=height),
        "The model should look like the data; its gap to the physics alone is what the correction adds."
        f"{note and ' '}{note}",
        wide=True,
    )


def error_figure(
    groups: Mapping[str, Float[np.ndarray, " _"]],
    *,
    lines: Mapping[str, float] | None = None,
    unit: str = "data units",
    title: str = "Reconstruction error",
) -> Figure:
    """Histograms of reconstruction errors, such as of training and held-out data, with PCA's as a line."""
    label = f"reconstruction error ({unit})"
    image = render(lambda c: distributions.log_histogram(c.subplots(), groups, lines=lines, label=label))
    caption = "Held-out errors should lie where the training errors do"
    return Figure(title, image, caption + (", left of the lines of simpler models." if lines else "."))


def latent_figure(
    latent: Float[np.ndarray, "N n"], log_density: Float[np.ndarray, " N"], *, title: str = "Latent space"
) -> Figure:
    """Latent coordinates of data with the model's log density of them (nats per latent unit, `log_base`)."""
    n = latent.shape[1]
    if n == 1:
        image = render(lambda c: points.latent_curve(c.subplots(), latent, log_density))
        return Figure(title, image, "The model's density should follow the histogram of the encoded data.")
    pairs = list(combinations(range(min(n, 3)), 2))

    def draw(canvas: Any) -> None:
        for ax, pair in zip(canvas.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
            points.latent_scatter(ax, latent, log_density, columns=pair, colour_bar=pair == pairs[-1])

    wide = len(pairs) > 1
    image = render(draw, width=WIDE if wide else HALF)
    caption = "Dense regions should be bright: an empty bright one or a crowded dark one is a wrong density."
    return Figure(title, image, caption, wide=wide)


def calibration_figure(result: Calibration, *, title: str = "Calibration on held-out data") -> Figure:
    """Coverage curve, PIT histogram and, where there are several, the errors of the base coordinates."""
    alone = result.coordinate_errors.size == 1

    def draw(canvas: Any) -> None:
        axes = canvas.subplots(1, 2 if alone else 3)
        calibration.coverage_curve(axes[0], result)
        calibration.pit_histogram(axes[1], result)
        if not alone:
            calibration.coordinate_errors(axes[2], result)

    caption = (
        "A right density stays in the grey: a coverage curve below the diagonal, or a PIT histogram high at the "
        "right, means that it is too narrow; the opposite, too wide."
    )
    return Figure(title, render(draw, width=WIDE, height=3.2), caption, wide=True)


def spectrum_figure(result: MetricSpectrum, *, title: str = "Metric of the latent space") -> Figure:
    """Stretch by direction and condition of the decoder's Jacobian."""

    def draw(canvas: Any) -> None:
        if result.singular_values.shape[1] == 1:
            values = {"stretch": result.singular_values[:, 0]}
            distributions.log_histogram(canvas.subplots(), values, label="stretch (data per latent unit)")
            return
        left, right = canvas.subplots(1, 2)
        spectrum.singular_value_bands(left, result)
        spectrum.condition_histogram(right, result)

    alone = result.singular_values.shape[1] == 1
    caption = "A wide spread means that equal steps of the coordinates are very unequal steps in the data."
    if not alone:
        caption = "Directions far below the first are hardly used; a wide spread means strongly bent coordinates."
    return Figure(title, render(draw, width=HALF if alone else WIDE, height=3.2), caption, wide=not alone)


def comparison_figure(
    names: Sequence[str], measures: Mapping[str, Sequence[Interval | None]], *, title: str = "Comparison"
) -> Figure:
    """Several models (`names`) by several measures, each with its interval: one panel per measure."""
    groups = list(measures.items())
    columns = min(len(groups), _PER_ROW)
    rows = -(-len(groups) // columns)

    def draw(canvas: Any) -> None:
        axes = canvas.subplots(rows, columns, squeeze=False)
        for ax in axes.ravel()[len(groups) :]:
            ax.set_visible(False)
        for i, (label, intervals) in enumerate(groups):
            ax = axes[i // columns, i % columns]
            distributions.forest(ax, names, intervals, label=label)
            if i % columns:
                ax.set_yticklabels([])

    height = rows * (0.8 + 0.34 * len(names))
    caption = "Dots are estimates and bars their intervals: models whose bars overlap are not told apart."
    return Figure(title, render(draw, width=WIDE, height=max(height, 2.0)), caption, wide=True)


def _beside_images(data: np.ndarray, samples: np.ndarray, shape: tuple[int, ...], labels: tuple[str, str]) -> bytes:
    within = images.value_range(data)

    def draw(canvas: Any) -> None:
        canvas.get_layout_engine().set(wspace=0.05)
        for ax, label, values in zip(canvas.subplots(1, 2), labels, (data, samples), strict=True):
            images.image_mosaic(ax, values, shape, within=within)
            ax.set_title(label)

    return render(draw, width=WIDE, height=0.5 + 5.3 * images.mosaic_aspect(shape, max(len(data), len(samples))))


def _beside_3d(data: np.ndarray, samples: np.ndarray, names: Sequence[str] | None, labels: tuple[str, str]) -> bytes:
    within = points.limits(data)
    first, second, third = _named(names, 3)

    def draw(canvas: Any) -> None:
        for i, (label, values, colour) in enumerate(zip(labels, (data, samples), (DATA, MODEL), strict=True)):
            ax = canvas.add_subplot(1, 2, i + 1, projection="3d")
            points.scatter_3d(ax, values, within=within, names=(first, second, third), colour=colour)
            ax.set_title(label)

    return render(draw, width=WIDE, height=4.6)


def _beside_pairs(data: np.ndarray, samples: np.ndarray, names: Sequence[str] | None, labels: tuple[str, str]) -> bytes:
    d = data.shape[1]
    pairs = list(combinations(range(min(d, 3)), 2))[:_PAIRS]
    named = _named(names, d)
    within = points.limits(data)

    def draw(canvas: Any) -> None:
        grid = canvas.subplots(1, 2, squeeze=False).T if d == 2 else canvas.subplots(2, len(pairs), squeeze=False)
        for row, label, values, colour in zip(grid, labels, (data, samples), (DATA, MODEL), strict=True):
            for ax, (a, b) in zip(row, pairs, strict=True):
                points.scatter(ax, values, columns=(a, b), within=within, names=(named[a], named[b]), colour=colour)
                ax.set_title(label)

    return render(draw, width=WIDE, height=4.2 if d == 2 else 6.0)


def _named(names: Sequence[str] | None, count: int) -> list[str]:
    return list(names) if names else [f"x{i + 1}" for i in range(count)]
