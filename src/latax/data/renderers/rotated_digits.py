"""One of scikit-learn's handwritten digits, turned: the built-in case of `rotated_digit`.

The source of the image is that of `latax.data.digits`: 8 × 8 pixels, here with a black border so that the corners stay
in the picture, and drawn as the smooth function that its splines are.
"""

import numpy as np

from latax._errors import ConfigError
from latax.data import digits
from latax.data.rendered import RenderedManifold
from latax.data.renderers.rotated_digit import rotated_digit
from latax.data.samples import Samples

ROW = 14  # a four: no rotation brings it near itself
_BORDER = 2


def rotated_digits(size: int = 32, *, row: int = ROW) -> RenderedManifold:
    """Grey images (size, size, 1) of the digit in this row (0 to 1796) of scikit-learn's set; points are angles (1,).

    Raises `ConfigError` for a row that is not there and a size below 8, `DataError` for a digit that looks the same
    after a part of a turn.
    """
    from sklearn.datasets import load_digits

    if not 0 <= row < digits.ROWS:
        raise ConfigError(f"rotated_digits: there is no digit {row}; there are {digits.ROWS}, from 0 on.")
    images, _ = load_digits(return_X_y=True)
    image = np.asarray(images[row], float).reshape(digits.SHAPE) / 16
    return rotated_digit(np.pad(image, _BORDER), size)


def make(n: int, seed: int, *, size: int = 32, row: int = ROW) -> Samples:
    """`n` images: X (n, size²); `truth["position"]` (n, 1) is the angle (rad). Raises as `rotated_digits`."""
    return rotated_digits(size, row=row).samples(n, seed)
