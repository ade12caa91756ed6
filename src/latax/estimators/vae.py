"""The plain variational autoencoder: a decoder to be looked into."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Array, Float, Int, Key

from latax._errors import DataError
from latax.data import Samples
from latax.estimators.bound_vae import AbstractBoundVAE
from latax.models.flow_sequence_vae import frame_vae
from latax.models.frame_vae import FrameVAE
from latax.models.recipes import Budget, flow_sequences
from latax.nn import ImageDecoder
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class VAE(AbstractBoundVAE):
    """VAE: independent standard normal latent coordinates, and Gaussian noise of one trained width.

    After Kingma and Welling 2014, arXiv 1312.6114.
    Images are seen through convolutions. It has no structure of its own: it is the decoder in which `PotentialFlow`
    finds one, and what others are compared with. Its loss is the exact bound; `beta` weighs the divergence (Higgins et
    al. 2017). All numbers of a sample share one unit, as pixels do: bring the columns of a table to like units first.
    """

    default_epochs: ClassVar[int] = 100

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "vae"

    def _check_columns(self, samples: Samples) -> None:
        if samples.context is not None:
            raise DataError(f"A {self.name} takes no context; give samples only.")
        super()._check_columns(samples)

    def _numbers(self, context: np.ndarray | None) -> Int[np.ndarray, " N"] | None:
        return None

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> FrameVAE:
        return frame_vae(self.sample_shape_, self.latent_size, (0.0,), key=key, **self._network_options)

    def _recipe(self, budget: Budget) -> Recipe:
        return flow_sequences(budget, known=False, equation_weight=0.0, beta=self.beta)

    @property
    def _prior_size(self) -> int:
        return self.latent_size

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""
        return tuple(f"z{i}" for i in range(self.latent_size))

    @property
    def first_weight_(self) -> Float[Array, "o n"]:
        """The weights of the decoder's first layer, whose singular vectors SeFa takes for directions."""
        network: Any = self.module_.decoder
        return (network.first if isinstance(network, ImageDecoder) else network.layers[0]).weight
