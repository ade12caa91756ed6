"""VAEs of forecasts without a geometry: what a moving manifold has to beat."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Array, Float, Key

from latax._errors import ConfigError
from latax.estimators.forecaster import AbstractForecaster
from latax.geometry import SphereMetric, StaticFlow
from latax.models.dynamic_manifold import DynamicManifoldVAE as Module
from latax.models.dynamic_manifold import dynamic_manifold_vae
from latax.models.dynamic_objective import DynamicObjective, Weights
from latax.models.recipes import Budget, dynamic_manifold
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class ForecastVAE(AbstractForecaster):
    """VAE of forecasts: from the initial state to latent coordinates, and with the time to the state at that time.

    Plain, or with all networks of VAE-DLM and none of its geometry: what that is compared with.
    """

    default_epochs: ClassVar[int] = 200

    architecture: Literal["plain", "extended"] = "plain"
    """plain: the decoder sees latent coordinates and time; extended: both go through the chart and the network
    that are the moving surface of VAE-DLM, first."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "forecast-vae"

    @property
    def _standardised(self) -> bool:
        return True

    def _check_forecaster_params(self) -> None:
        if self.architecture not in ("plain", "extended"):
            raise ConfigError(f"architecture={self.architecture!r} is not known; give 'plain' or 'extended'.")

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Module:
        # The chart of VAE-DLM, by default, with its networks; the plain VAE has no use for one.
        return dynamic_manifold_vae(
            np.asarray(self.times_),
            self._state_shape,
            reference=SphereMetric(self.latent_size),
            flow=StaticFlow(),
            operator="none",
            manifold=self.architecture == "extended",
            width_size=self.width_size,
            scale=scale[0],
            key=key,
        )

    def _recipe(self, budget: Budget) -> Recipe:
        return dynamic_manifold(
            budget,
            DynamicObjective(times_per_sample=self.times_per_sample, draws=self.draws, geometry=False),
            Weights(self.reconstruction_weight, self.kl_weight),
            metric_network=False,
            geometry=False,
            warm_up=0.0,
        )
