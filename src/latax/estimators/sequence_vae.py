"""The VAE of sequences without physics: the baseline that a physics has to beat."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float, Key

from latax.data import Samples
from latax.estimators.params import require_count
from latax.estimators.sequence_estimator import AbstractSequenceEstimator
from latax.models.baselines import sequence_vae
from latax.models.physics_vae import PhysicsVAE as Module
from latax.models.recipes import Budget, without_physics
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceVAE(AbstractSequenceEstimator):
    """VAE of sequences without physics: its decoder is a function of time and the latent coordinates alone.

    The baseline "NN only" of Takeishi and Kalousis (2021, arXiv 2102.13156), with a decoder that goes on beyond the
    data.
    """

    latent_size: int = 4
    """Number of latent coordinates."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "sequence-vae"

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""
        return tuple(f"z{i}" for i in range(self._centred.outside_size))

    def _check_model_params(self) -> None:
        super()._check_model_params()
        require_count("latent_size", self.latent_size)

    def _observed(self, samples: Samples) -> tuple[int, ...]:
        return samples.sample_shape[1:] or (1,)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Module:
        return sequence_vae(
            np.asarray(self.times_),
            self.sample_shape_[1:] or (1,),
            latent_size=self.latent_size,
            noise=self._first_noise,
            width_size=self.width_size,
            key=key,
        )

    def _recipe(self, budget: Budget) -> Recipe:
        return without_physics(budget, self._noise, self.n_features_in_)
