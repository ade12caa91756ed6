"""The 8×8 handwritten digits that scikit-learn ships: 1797 real images, grey values from 0 to 1.

Optical recognition of handwritten digits (E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998), its test
part, bundled with scikit-learn, so nothing is downloaded. The pixels are the original's counts, 0 to 16, divided by 16.
Neither the manifold nor the density is known.
"""

import numpy as np

from latax._errors import ConfigError
from latax.data.samples import Samples, default_names

ROWS = 1797
SHAPE = (8, 8)


def make(n: int = ROWS, seed: int = 0, *, labels: bool = True) -> Samples:
    """`n` of the 1797 digits, drawn without replacement in the order that `seed` gives: X (n, 64) in [0, 1].

    The context (n, 1) is the digit itself, 0 to 9; `labels=False` leaves it out.
    Raises `ConfigError` when there are not as many digits as asked for.
    """
    from sklearn.datasets import load_digits

    if not 1 <= n <= ROWS:
        raise ConfigError(f"digits has {ROWS} images; {n} were asked for. Take a size from 1 to {ROWS}.")
    images, targets = (np.asarray(array, float) for array in load_digits(return_X_y=True))
    rows = np.random.default_rng(seed).permutation(ROWS)[:n]
    return Samples(
        images[rows] / 16.0,
        context=targets[rows, None] if labels else None,
        context_names=("label",) if labels else (),
        feature_names=default_names(SHAPE, "pixel"),
        sample_shape=SHAPE,
        origin=f"built-in digits of scikit-learn: {n} of {ROWS}, pixels / 16, seed {seed}",
    )
