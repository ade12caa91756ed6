"""The plain autoencoder: what embeddings with a geometry are compared with."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from latax._errors import DataError
from latax._wording import look_up
from latax.data import Samples
from latax.estimators.params import require_count
from latax.estimators.reconstruction import ReconstructionAssessment, assess_reconstruction
from latax.estimators.scaling import Scaling, measure, refuse_equal_rows
from latax.estimators.trained import AbstractTrainedEstimator
from latax.models.autoencoder import Autoencoder as Module
from latax.models.autoencoder import autoencoder
from latax.models.recipes import Budget, autoencoding
from latax.train import Recipe

ACTIVATIONS = {
    "silu": jax.nn.silu,
    "tanh": jnp.tanh,
    "softplus": jax.nn.softplus,
    "elu": jax.nn.elu,
    "relu": jax.nn.relu,
}
Activation = Literal["silu", "tanh", "softplus", "elu", "relu"]


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractAutoencoder(AbstractTrainedEstimator):
    """A deterministic encoder and decoder."""

    latent_size: int = 16
    """Latent coordinates."""
    activation: Activation = "silu"
    """Activation of the networks. The low-bending one takes no relu, whose kinks bend without end."""
    width_size: int = 128
    """Hidden units where the data are no images; these are seen through convolutions."""

    def _check_model_params(self) -> None:
        require_count("latent_size", self.latent_size)
        require_count("width_size", self.width_size)
        look_up(ACTIVATIONS, self.activation, "activation")

    def _scaling(self, samples: Samples) -> Scaling:
        # One scale for all columns: those that hardly vary are not to count as much as the others.
        found = measure(samples.X)
        varying = found.scale[~found.constant]
        scale = np.sqrt(np.sum(varying**2) / len(found.scale)) if len(varying) else 1.0
        alike = np.full_like(found.constant, not len(varying))
        return found._replace(scale=np.full_like(found.scale, scale), constant=alike)

    def _check_columns(self, samples: Samples) -> None:
        refuse_equal_rows(self.scaling_)
        if samples.context is not None:
            raise DataError(f"A {self.name} takes no context; give samples only.")

    def _autoencoder(self, scale: Float[Array, " d"], key: Key[Array, ""], *, decoder: bool = True) -> Module:
        return autoencoder(
            self.sample_shape_,
            self.latent_size,
            width_size=self.width_size,
            activation=ACTIVATIONS[self.activation],
            scale=scale[0],
            decoder=decoder,
            key=key,
        )


@dataclass(kw_only=True, eq=False, repr=False)
class Autoencoder(AbstractAutoencoder):
    """Autoencoder: an encoder and a decoder trained on the squared error of the reconstruction, and nothing else.

    Its latent coordinates have no geometry that is meant: it is here to be compared with.
    """

    default_epochs: ClassVar[int] = 200

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "autoencoder"

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Module:
        return self._autoencoder(scale, key)

    def _recipe(self, budget: Budget) -> Recipe:
        return autoencoding(budget)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        return {"reconstruction_error": self.reconstruction_error(samples)}

    def _fitted_numbers(self) -> dict[str, Any]:
        return {}

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Nothing further."""

    def assess(self, held_out: Samples, training: Samples | None = None) -> ReconstructionAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_reconstruction(self, held_out, training, latent_size=self.latent_size)
