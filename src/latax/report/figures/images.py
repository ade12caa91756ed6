"""Grids of images: samples whose shape is (height, width), (height, width, colours) or (channels, height, width)."""

import math

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes

from latax.report.style import nothing_to_show


def is_image(sample_shape: tuple[int, ...]) -> bool:
    """Whether samples of this shape are shown as images: two spatial axes, with or without channels."""
    return len(sample_shape) in (2, 3) and min(image_size(sample_shape)) >= 3


def image_mosaic(
    ax: Axes,
    samples: Float[np.ndarray, "N d"],
    sample_shape: tuple[int, ...],
    *,
    within: tuple[float, float] | None = None,
) -> Axes:
    """The first samples (30, or fewer if they are large), reshaped to images, in a grid with thin gaps.

    `within` is the range of values from black to white (or through the colours of a signed field); by default that of
    the samples. Images with more than 96 pixels along an axis are averaged to fewer, to keep
    the file small. Three or four channels in the last axis, or three in the first, are colours; of
    other channels the first is shown. Pixels that are not finite stay empty.
    """
    columns, _, count = _layout(sample_shape, samples.shape[0])
    if count == 0 or not np.isfinite(samples[:count]).any():
        return nothing_to_show(ax, "no finite image to show")
    low, high = within or value_range(samples[:count])
    pictures = [_smaller(_picture(sample.reshape(sample_shape))) for sample in samples[:count]]
    images = np.stack(pictures).astype(np.float64)
    colour = images.ndim == 4
    if colour:
        images = np.clip((images - low) / (high - low), 0.0, 1.0)
    grid = _tile(images, columns)
    ax.imshow(
        _with_alpha(grid) if colour else np.ma.masked_invalid(grid),
        cmap="gray" if low >= 0 else "RdBu_r",
        vmin=low,
        vmax=high,
        interpolation="none",
        aspect="equal",
    )
    ax.set_axis_off()
    ax.set_anchor("N")
    return ax


def picture_grid(
    samples: Float[np.ndarray, "N d"], sample_shape: tuple[int, ...], columns: int, *, within: tuple[float, float]
) -> UInt8[np.ndarray, "H W 3"]:
    """The samples as images in rows of `columns`, with thin white gaps: the pixels of a picture file.

    `within` is the range of values from black to white.
    """
    low, high = within
    pictures = [np.clip((_picture(s.reshape(sample_shape)) - low) / (high - low), 0, 1) for s in samples]
    grid = _tile(np.stack(pictures), columns)
    grid = grid if grid.ndim == 3 else np.repeat(grid[..., None], 3, axis=2)
    return np.round(255 * np.nan_to_num(grid, nan=1.0)).astype(np.uint8)


def value_range(samples: Float[np.ndarray, "N d"]) -> tuple[float, float]:
    """The range of all but the outermost values; symmetric about zero if a sizeable part of them is negative."""
    finite = samples[np.isfinite(samples)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.quantile(finite, [0.002, 0.998]))
    if low < -0.25 * abs(high):
        return -max(-low, high), max(-low, high)
    low = max(low, 0.0)
    return low, high if high > low else low + 1.0


def mosaic_aspect(sample_shape: tuple[int, ...], count: int) -> float:
    """Height over width of the grid that `image_mosaic` makes of `count` samples, between 0.1 and one."""
    columns, rows, _ = _layout(sample_shape, count)
    height, width = image_size(sample_shape)
    return float(np.clip(rows * height / (columns * width), 0.1, 1.0))


def _layout(shape: tuple[int, ...], count: int) -> tuple[int, int, int]:
    """Columns and rows of images, as full as can be, one at least, and how many are shown."""
    height, width = image_size(shape)
    side = max(height, width)
    most, lines = (6, 5) if side <= 32 else (5, 4) if side <= 64 else (4, 3)
    shown = min(count, most * lines)
    rows = max(math.ceil(shown / (most * side // width)), 1)
    return max(math.ceil(shown / rows), 1), rows, shown


def image_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of samples of this shape."""
    if len(shape) == 2:
        return shape[0], shape[1]
    return (shape[0], shape[1]) if _channels_last(shape) else (shape[1], shape[2])


def _channels_last(shape: tuple[int, ...]) -> bool:
    return shape[2] in (1, 3, 4) or shape[2] < shape[0]


def _picture(image: np.ndarray) -> np.ndarray:
    if image.ndim == 2:
        return image
    channels = image if _channels_last(image.shape) else np.moveaxis(image, 0, -1)
    return channels[..., :3] if channels.shape[-1] in (3, 4) else channels[..., 0]


def _smaller(picture: np.ndarray, side: int = 96) -> np.ndarray:
    step = -(-max(picture.shape[:2]) // side)
    if step == 1:
        return picture
    down, across = (min(step, size) for size in picture.shape[:2])
    h, w = picture.shape[0] // down, picture.shape[1] // across
    blocks = picture[: h * down, : w * across].reshape(h, down, w, across, *picture.shape[2:])
    return blocks.mean(axis=(1, 3))


def _tile(images: np.ndarray, columns: int) -> np.ndarray:
    """Images (K, h, w, ...) side by side, with gaps of one pixel or more that are NaN."""
    k, h, w = images.shape[:3]
    columns = min(columns, k)
    rows = -(-k // columns)
    gap = max(1, round(h / 16))
    grid = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, *images.shape[3:]), np.nan)
    for i, image in enumerate(images):
        top, left = (i // columns) * (h + gap), (i % columns) * (w + gap)
        grid[top : top + h, left : left + w] = image
    return grid


def _with_alpha(grid: np.ndarray) -> np.ndarray:
    known = np.isfinite(grid).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(known, grid, 0.0), known.astype(np.float64)], axis=-1)
