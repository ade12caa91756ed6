"""One handwritten digit, turned: of scikit-learn's, or of a file with images such as those of MNIST.

The built-in image is of `latax.data.digits`, 8 × 8 pixels. All get a black border so that the corners stay in the
picture, and are drawn as the smooth function that their splines are.
"""

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax.data import digits
from latax.data.rendered import RenderedManifold
from latax.data.renderers.rotated_digit import rotated_digit
from latax.data.samples import Samples

ROW = 14  # a four: no rotation brings it near itself


def rotated_digits(size: int = 32, *, row: int = ROW, source: str | Path | None = None) -> RenderedManifold:
    """Grey images (size, size, 1) of the digit in this row (0 to 1796) of scikit-learn's set; points are angles (1,).

    `source`: a file with square images, white on black, from which to take the row instead; any that `latax.data.read`
    reads, such as train-images-idx3-ubyte.gz. Raises `ConfigError` for a row that is not there and a size below 8,
    `DataError` for images that are not square or grey and a digit that looks the same after a part of a turn.
    """
    image = _of_file(Path(source), row) if source is not None else _of_scikit_learn(row)
    border = math.ceil((math.sqrt(2) - 1) / 2 * len(image))
    return rotated_digit(np.pad(image, border), size)


def make(n: int, seed: int, *, size: int = 32, row: int = ROW, source: str | Path | None = None) -> Samples:
    """`n` images: X (n, size²); `truth["position"]` (n, 1) is the angle (rad). Raises as `rotated_digits`."""
    return rotated_digits(size, row=row, source=source).samples(n, seed)


def _of_scikit_learn(row: int) -> Float[np.ndarray, "8 8"]:
    from sklearn.datasets import load_digits

    _check_row(row, digits.ROWS)
    images, _ = load_digits(return_X_y=True)
    return np.asarray(images[row], float).reshape(digits.SHAPE) / 16


def _of_file(path: Path, row: int) -> Float[np.ndarray, "side side"]:
    from latax.data.read import read

    samples = read(path)
    _check_row(row, len(samples))
    shape = samples.sample_shape
    if len(shape) == 3 and shape[2] == 1:
        shape = shape[:2]
    if len(shape) != 2 or shape[0] != shape[1]:
        raise DataError(f"{path} holds samples of shape {samples.sample_shape}. Expected square grey images, (H, H).")
    image = np.asarray(samples.X[row : row + 1], float).reshape(shape)
    return np.clip(image, 0, 1) if image.max() <= 1 + 1e-6 else image


def _check_row(row: int, rows: int) -> None:
    if not 0 <= row < rows:
        raise ConfigError(f"rotated_digits: there is no digit {row}; there are {rows}, from 0 on.")
