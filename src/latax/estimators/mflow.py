"""The M-flow estimator: a manifold of fewer dimensions than the data, and a density on it."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Float, Key

from latax._errors import DataError
from latax.data import Samples
from latax.estimators.density_verbs import ManifoldVerbs
from latax.estimators.flow_options import AbstractFlowEstimator
from latax.estimators.params import require_count, require_positive
from latax.models.injective_flow import manifold_flow
from latax.models.recipes import Budget, sequential
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class MFlow(ManifoldVerbs, AbstractFlowEstimator):
    """M-flow: learns the manifold that the data lie on, and a density on it.

    Half of the training fits the manifold by reconstruction, half the density by likelihood (Brehmer and Cranmer,
    "Flows for simultaneous manifold learning and density estimation", NeurIPS 2020, arXiv 2003.13913).
    """

    latent_size: int = 2
    """Dimension of the manifold: 1 up to the number of columns less one."""
    layers: int = 5
    """Coupling layers of the flow that bends latent space into the manifold."""
    latent_layers: int = 5
    """Coupling layers of the flow that makes the density."""
    conditional_manifold: bool = False
    """Let the manifold, too, depend on the context."""
    reconstruction_weight: float = 1000.0
    """Weight of the mean squared reconstruction error (standardised units), as in the paper."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "mflow"

    def _check_model_params(self) -> None:
        self._check_counts("latent_size", "layers", "latent_layers")
        require_positive("reconstruction_weight", self.reconstruction_weight)
        if self.steps is not None:
            # One for the manifold and one for the density at least.
            require_count("steps", self.steps, least=2)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Any:
        return manifold_flow(
            len(scale),
            self.latent_size,
            layers=self.layers,
            latent_layers=self.latent_layers,
            context_size=context_size,
            conditional_manifold=self.conditional_manifold,
            scale=scale,
            key=key,
            **self._flow_options(),
        )

    def _check_columns(self, samples: Samples) -> None:
        size = samples.X.shape[1]
        if self.latent_size >= size:
            raise DataError(
                f"latent_size={self.latent_size} is not smaller than the number of columns: the data have {size} "
                f"(n_features = {size}), and a manifold has fewer dimensions than the space around it. "
                "Give a smaller latent_size, more columns, or use AmbientFlow for a density in all dimensions."
            )
        self._warn_of_constant_columns()

    def _recipe(self, budget: Budget) -> Recipe:
        return sequential(budget, self.reconstruction_weight)
