"""Isomap (Tenenbaum, de Silva and Langford 2000) by scikit-learn, with a decoder, as a contestant of studies."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.data import Samples


class Isomap:
    """Embeds by shortest paths through the graph of nearest images, and decodes by the mean of the nearest ones.

    It sees pixels only: distances are those of near images, in units of pixels.
    """

    n_replicates_ = 1

    def __init__(self, latent_size: int, neighbours: int = 10):
        self.latent_size, self.neighbours = latent_size, neighbours

    def fit_samples(
        self, samples: Samples, *, out: str | os.PathLike[str] | None = None, resume: bool = False
    ) -> "Isomap":
        """Fits to all samples; there is nothing to resume, and `out` is only made."""
        from sklearn.manifold import Isomap as Embedding
        from sklearn.neighbors import KNeighborsRegressor

        if out is not None:
            Path(out).mkdir(parents=True, exist_ok=True)
        X = np.asarray(samples.X, np.float64)
        self._embedding = Embedding(n_neighbors=self.neighbours, n_components=self.latent_size)
        Z = self._embedding.fit_transform(X)
        self._decoder = KNeighborsRegressor(self.neighbours, weights="distance").fit(Z, X)
        return self

    def replicate(self, index: int) -> "Isomap":
        """Itself: nothing is random."""
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "N l"]:
        """Coordinates of images, of new ones by those that they are near to."""
        return self._embedding.transform(np.asarray(X, np.float64).reshape(len(X), -1))

    def inverse_transform(self, Z: Float[np.ndarray, "N l"]) -> Float[np.ndarray, "N d"]:
        """The mean of the nearest training images, weighted by one over the distance."""
        return self._decoder.predict(Z)
