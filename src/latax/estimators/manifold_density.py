"""The estimator of a density on a manifold that is known: the chart is given, only the density is learned."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Key

from latax._errors import DataError
from latax.data import Samples
from latax.density import AbstractEmbedding, cover_of
from latax.estimators.charts import find_chart
from latax.estimators.density_verbs import ManifoldVerbs
from latax.estimators.flow_options import AbstractFlowEstimator
from latax.estimators.scaling import Scaling, identity_scaling
from latax.models.injective_flow import prescribed_flow
from latax.models.recipes import Budget, prescribed
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class ManifoldDensity(ManifoldVerbs, AbstractFlowEstimator):
    """Flow on a prescribed manifold: learns a density on a manifold that is known.

    The "flow on manifold" (FOM) of Brehmer and Cranmer 2020 (arXiv 2003.13913), for any chart; on a chart that winds
    around (a circle, a sphere) the density of a point sums over all of its latent points.
    """

    chart: str | AbstractEmbedding = "circle"
    """The manifold: circle, sphere-N, polynomial-surface, or module:name for your own embedding."""
    latent_layers: int = 5
    """Coupling layers of the flow that makes the density."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "manifold-density"

    def _check_model_params(self) -> None:
        self._check_counts("latent_layers")
        find_chart(self.chart)

    def _scaling(self, samples: Samples) -> Scaling:
        return identity_scaling(samples.X.shape[1])

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Any:
        return prescribed_flow(
            find_chart(self.chart),
            latent_layers=self.latent_layers,
            context_size=context_size,
            key=key,
            **self._flow_options(),
        )

    def _check_columns(self, samples: Samples) -> None:
        size, wanted = samples.X.shape[1], find_chart(self.chart).out_size
        if size != wanted:
            raise DataError(
                f"The data have {size} columns (n_features = {size}), but the chart {self.chart!r} lives in {wanted} "
                "dimensions. Give the columns that are its coordinates."
            )

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        # The manifold is the same for all replicates: the best one has the best density.
        found = super()._evaluate(samples)
        return {name: found[name] for name in ("nll", "reconstruction_error")}

    def _recipe(self, budget: Budget) -> Recipe:
        return prescribed(budget, cover=cover_of(find_chart(self.chart)) is not None)
