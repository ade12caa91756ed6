"""The ambient flow estimator: one flow of all dimensions, the usual normalising flow."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Float, Key

from latax._errors import DataError
from latax.data import Samples
from latax.estimators.density_verbs import AmbientVerbs
from latax.estimators.flow_options import AbstractFlowEstimator
from latax.estimators.params import require_not_negative
from latax.models.ambient_flow import ambient_flow
from latax.models.recipes import Budget, ambient
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class AmbientFlow(AmbientVerbs, AbstractFlowEstimator):
    """Ambient flow: a density of all dimensions, by maximum likelihood.

    The reference for manifold models: on data that lie on a manifold its likelihood grows without bound while the fit
    gets no better (Loaiza-Ganem et al. 2022, arXiv 2204.07172).
    """

    layers: int = 10
    """Coupling layers."""
    noise: float = 0.0
    """Standard deviation, in data units, of Gaussian noise that is added to the data in training: the density is then
    that of the noisy data. It makes data on a manifold, or whole numbers, have a density at all."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "ambient-flow"

    def _check_model_params(self) -> None:
        self._check_counts("layers")
        require_not_negative("noise", self.noise)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Any:
        return ambient_flow(
            len(scale),
            layers=self.layers,
            context_size=context_size,
            scale=scale,
            key=key,
            **self._flow_options(),
        )

    def _check_columns(self, samples: Samples) -> None:
        constant = self._constant_columns()
        if constant and self.noise == 0:
            raise DataError(
                f"{len(constant)} of {len(self.feature_names_)} columns are constant ({', '.join(constant[:5])}"
                f"{', ...' if len(constant) > 5 else ''}): a density of all dimensions is infinite there. Leave these "
                "columns out, give noise > 0, or use MFlow."
            )

    def _recipe(self, budget: Budget) -> Recipe:
        return ambient(budget, self.noise)
