"""Embeddings without networks, by scikit-learn, as contestants of studies: PCA, and Isomap with a decoder.

Nothing in them is random, so each is its only replicate.
"""

import abc
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from latax.data import Samples

#: Singular values of images in single precision that are below this share of the greatest are rounding.
_ROUNDING = 1e-6


class _Classical(abc.ABC):
    """What a contest asks of an estimator."""

    n_replicates_ = 1

    def fit_samples(
        self, samples: Samples, *, out: str | os.PathLike[str] | None = None, resume: bool = False
    ) -> "_Classical":
        """Fits to all samples; there is nothing to resume, and `out` is only made."""
        if out is not None:
            Path(out).mkdir(parents=True, exist_ok=True)
        self._fit(np.asarray(samples.X, np.float64))
        return self

    @abc.abstractmethod
    def _fit(self, X: Float[np.ndarray, "N d"]) -> None: ...

    def replicate(self, index: int) -> "_Classical":
        """Itself."""
        return self


class PCA(_Classical):
    """The directions of greatest variance: as many as are asked for, or as explain the data completely."""

    def __init__(self, latent_size: int):
        self.latent_size = latent_size

    def _fit(self, X: Float[np.ndarray, "N d"]) -> None:
        from sklearn.decomposition import PCA as Embedding

        found = Embedding(self.latent_size, svd_solver="full").fit(X)
        values = np.asarray(found.singular_values_)
        self._mean, directions = np.asarray(found.mean_), np.asarray(found.components_)
        self._directions = directions[values > _ROUNDING * values[0]]

    def transform(self, X: Any) -> Float[np.ndarray, "N l"]:
        """Coordinates of images."""
        return (np.asarray(X, np.float64).reshape(len(X), -1) - self._mean) @ self._directions.T

    def inverse_transform(self, Z: Float[np.ndarray, "N l"]) -> Float[np.ndarray, "N d"]:
        """The images of such coordinates."""
        return np.asarray(Z, np.float64) @ self._directions + self._mean


class Isomap(_Classical):
    """Embeds by shortest paths through the graph of nearest images, and decodes by the mean of the nearest ones
    (Tenenbaum, de Silva and Langford 2000).

    It sees pixels only: distances are those of near images, in units of pixels.
    """

    def __init__(self, latent_size: int, neighbours: int = 10):
        self.latent_size, self.neighbours = latent_size, neighbours

    def _fit(self, X: Float[np.ndarray, "N d"]) -> None:
        from sklearn.manifold import Isomap as Embedding
        from sklearn.neighbors import KNeighborsRegressor

        self._embedding = Embedding(n_neighbors=self.neighbours, n_components=self.latent_size)
        Z = self._embedding.fit_transform(X)
        self._decoder = KNeighborsRegressor(self.neighbours, weights="distance").fit(Z, X)

    def transform(self, X: Any) -> Float[np.ndarray, "N l"]:
        """Coordinates of images, of new ones by those that they are near to."""
        return self._embedding.transform(np.asarray(X, np.float64).reshape(len(X), -1))

    def inverse_transform(self, Z: Float[np.ndarray, "N l"]) -> Float[np.ndarray, "N d"]:
        """The mean of the nearest training images, weighted by one over the distance."""
        return self._decoder.predict(Z)
