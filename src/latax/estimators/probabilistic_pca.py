"""The probabilistic PCA estimator: the baseline that any latent model has to beat."""

import time
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from latax._errors import DataError
from latax.data import Samples
from latax.estimators.base import AbstractEstimator
from latax.estimators.density_verbs import AmbientVerbs
from latax.estimators.params import require_count, require_fraction, require_seed
from latax.estimators.run_folder import RunFolder
from latax.estimators.scaling import refuse_equal_rows
from latax.estimators.splitting import split_rows
from latax.models.linear_gaussian import LinearGaussian


@dataclass(kw_only=True, eq=False, repr=False)
class ProbabilisticPCA(AmbientVerbs, AbstractEstimator):
    """Probabilistic PCA: a Gaussian with `latent_size` principal directions and equal noise in all others.

    Fitted in closed form by scikit-learn, on the data as they are (not standardised): the maximum-likelihood solution
    of Tipping and Bishop, "Probabilistic principal component analysis", 1999. It has no seeds to replicate and no
    steps; `seed` only draws the validation rows.
    """

    latent_size: int = 2
    """Number of principal directions: 1 up to the number of columns less one."""
    validation_fraction: float = 0.1
    """Share of the rows that is held out, as for the other models; at most 10,000 rows, and 256 MiB."""
    seed: int = 0
    """Seed of the split."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "probabilistic-pca"

    def _check_params(self) -> None:
        require_count("latent_size", self.latent_size)
        require_fraction("validation_fraction", self.validation_fraction)
        require_seed(self.seed)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Any:
        size = len(scale)
        directions = jnp.eye(self.latent_size, size, dtype=jnp.float32)
        return LinearGaussian(jnp.zeros(size), directions, jnp.ones(self.latent_size), jnp.ones(()))

    def rows(self, samples: Samples | int) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " validation"]]:
        """The (training, validation) rows of samples, or of so many without groups; the same in every call."""
        return split_rows(samples, self.validation_fraction, self.seed)

    def _check_data(self, samples: Samples) -> None:
        size = samples.X.shape[1]
        if self.latent_size >= size:
            raise DataError(
                f"latent_size={self.latent_size} is not smaller than the number of columns: the data have {size} "
                f"(n_features = {size}). Give a smaller latent_size or more columns."
            )
        training = len(self.rows(samples)[0])
        if training <= self.latent_size:
            raise DataError(
                f"{training} training rows (n_samples={len(samples)}) cannot fix {self.latent_size} directions. "
                "Give more data or a smaller latent_size."
            )
        refuse_equal_rows(self.scaling_)

    def _train(self, samples: Samples, run: RunFolder | None, resume: bool) -> None:
        from sklearn.decomposition import PCA

        began = time.perf_counter()
        training, held_out = (samples.take(rows) for rows in self.rows(samples))
        x = np.asarray(training.X, np.float64) - self.scaling_.loc
        found = PCA(self.latent_size, svd_solver="full").fit(x)
        # Maximum likelihood divides by the number of rows, and shares the rest among all other directions.
        variances = found.explained_variance_ * (1 - 1 / len(x))
        total = x.var(axis=0).sum()
        noise = (total - variances.sum()) / (x.shape[1] - self.latent_size)
        if not noise > 1e-12 * total:
            raise DataError(
                f"{self.latent_size} directions explain the data completely: no noise is left and the density is "
                "infinite. Give a smaller latent_size."
            )
        numbers = (found.mean_, found.components_, np.sqrt(variances), np.sqrt(noise))
        model = LinearGaussian(*(jnp.asarray(value, jnp.float32) for value in numbers))
        self.models_ = jax.tree.map(lambda leaf: leaf[None], model)
        self.best_, self.history_, self.steps_ = 0, [], 0
        values = self._evaluate(held_out)
        self.metrics_ = {name: np.array([value.mean()]) for name, value in values.items()}
        self.seconds_ = time.perf_counter() - began
        self._remember(values)
