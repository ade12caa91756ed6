"""Coloured digits that are scaled, turned or change their hue, step by step: sequences whose transformation is known.

Song, Keller, Sebe and Welling 2023, arXiv 2304.12944, use such sequences of MNIST. Here they are made of scikit-learn's
8×8 digits, or by `sequences` of grey images of one's own.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from latax._errors import ConfigError, DataError
from latax.data import digits
from latax.data.samples import Samples, default_names

TRANSFORMATIONS = ("scale", "rotation", "hue")
TIMES, SIDE = 9, 28
_LEAST_SIDE = 8
#: Change of each transformation over a whole sequence: the factor of the size less one, and degrees.
SPAN = (0.8, 80.0, 160.0)
#: Share of the picture's side that a digit takes before it is scaled.
_FILL = 0.6


def sequences(
    images: Float[np.ndarray, "N height width"], which: Int[np.ndarray, " N"], *, times: int = TIMES, side: int = SIDE
) -> Float[np.ndarray, "N {times} {side} {side} 3"]:
    """Each image, red at first, under its transformation `which` (a number of `TRANSFORMATIONS`) at equal steps.

    Turns are against the clock, about the centre; cubic splines between pixels. Raises `DataError` for values outside
    of [0, 1], `ConfigError` for unknown transformations and fewer than two times.
    """
    if times < 2 or which.min() < 0 or which.max() >= len(TRANSFORMATIONS):
        raise ConfigError(
            f"times={times}, transformations {which.min()} to {which.max()}: expected at least two times, and numbers "
            f"from 0 to {len(TRANSFORMATIONS) - 1} ({', '.join(TRANSFORMATIONS)})."
        )
    if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 1):
        raise DataError(
            "The images have values that are not finite or not from 0 to 1. Divide by 255 if they are bytes."
        )
    found = np.empty((len(images), times, side, side, 3), np.float32)
    for row, (image, k) in enumerate(zip(images, which, strict=True)):
        for step, t in enumerate(np.linspace(0, 1, times)):
            found[row, step] = transformed(image, int(k), float(t), side)
    return found


def transformed(
    image: Float[np.ndarray, "height width"], which: int, t: float, side: int = SIDE
) -> Float[np.ndarray, "{side} {side} 3"]:
    """One image under its transformation at the time t in [0, 1]."""
    from scipy.ndimage import affine_transform

    amount = [0.0, 0.0, 0.0]
    amount[which] = t * SPAN[which]
    zoom = _FILL * (1 + amount[0]) * side / max(image.shape)
    angle = np.deg2rad(amount[1])
    # From a pixel (row, column) of the result to its place in the image.
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / zoom
    middle, centre = (np.array(image.shape) - 1) / 2, np.full(2, (side - 1) / 2)
    offset = middle - back @ centre
    options: dict[str, Any] = {"offset": offset, "output_shape": (side, side), "order": 3, "mode": "constant"}
    grey = np.clip(affine_transform(image, back, **options), 0, 1)
    return grey[..., None] * _colour(amount[2])


def make(
    size: int, seed: int = 0, *, known: bool = False, source: str | Path | None = None, side: int = SIDE
) -> Samples:
    """`size` sequences of 9 images; `truth`: "transformation", "digit" and "image", the row of the digit.

    **Arguments:** `known`: the transformation is the context (size, 1), too; `source`: a file of grey images, white on
    black, to take in place of scikit-learn's digits: any that `latax.data.read` reads, such as MNIST's
    train-images-idx3-ubyte.gz; `side`: images are (side, side, 3). Raises `DataError` for images that are not grey or
    not from 0 to 1, `ConfigError` for images of fewer than 8 pixels a side.

    The "image" is the group, so that no digit is in two parts of a split.
    """
    if side < _LEAST_SIDE:
        raise ConfigError(f"side={side}: digits of fewer than {_LEAST_SIDE} pixels a side cannot be told apart.")
    given = digits.make(digits.ROWS, seed) if source is None else _of_file(Path(source))
    rng = np.random.default_rng(seed)
    rows, which = rng.integers(len(given), size=size), rng.integers(len(TRANSFORMATIONS), size=size)
    images = np.asarray(given.take(rows).X, np.float64).reshape(-1, *given.sample_shape[:2])
    shape = (TIMES, side, side, 3)
    truth = {"transformation": which, "image": rows}
    if given.context is not None:
        truth["digit"] = given.context[rows, 0].astype(np.int64)
    return Samples(
        sequences(images, which, side=side).reshape(size, -1),
        context=which[:, None].astype(np.float64) if known else None,
        context_names=("transformation",) if known else (),
        feature_names=default_names(shape, "pixel"),
        sample_shape=shape,
        times=np.linspace(0, 1, TIMES),
        origin=f"{_what(source)} that are scaled, turned or change their hue, seed {seed}",
        truth=truth,
        groups=rows,
    )


def _colour(degrees: float) -> Float[np.ndarray, " 3"]:
    """Red, green and blue of a pure hue."""
    place = (degrees / 60 + np.array([0.0, 4.0, 2.0])) % 6
    return np.clip(np.abs(place - 3) - 1, 0, 1)


def _of_file(path: Path) -> Samples:
    from latax.data.read import read

    samples = read(path)
    if len(samples.sample_shape) not in (2, 3) or samples.sample_shape[2:] not in ((), (1,)):
        raise DataError(f"{path} holds samples of shape {samples.sample_shape}. Expected grey images, (height, width).")
    return samples


def _what(source: str | Path | None) -> str:
    return "digits of scikit-learn" if source is None else f"images of {source}"
