"""The two kinds of density: on a manifold of n dimensions, and of all d dimensions. They are never compared."""

import abc
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.density import AmbientLogProb, ManifoldLogProb
from latax.estimators import inputs, verbs
from latax.estimators.assessment import DensityAssessment, assess_ambient, assess_manifold
from latax.estimators.base import AbstractEstimator, AbstractSampler
from latax.estimators.rows import map_rows

OffManifold = Literal["project", "raise", "nan"]


@dataclass(kw_only=True, eq=False, repr=False)
class DensityVerbs(AbstractSampler, AbstractEstimator, abc.ABC):
    """What every estimator of an exact density can do."""

    def base(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The points of the base space that generate the samples: standard normal if the density fits."""
        x, theta = self._new(X, context)
        return map_rows(verbs.base, self._centred, x, theta)

    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` draws of the data, the same for the same `seed`. A conditional model takes a context of n rows or 1."""
        keys, theta = inputs.drawing(self, n, context, seed)
        return self._shaped(map_rows(verbs.sample, self._centred, keys, self._context(theta)))

    def _log_prob(self, X: Any, context: Any) -> Any:
        """The module's `log_prob` of every sample."""
        x, theta = self._new(X, context)
        return map_rows(verbs.log_prob, self._centred, x, theta)

    @abc.abstractmethod
    def log_prob(self, X: Any, *, context: Any = None) -> Any:
        """The log density of each sample with its parts, in the units of the data; see the result's type."""

    def score_samples(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The log density of each sample, shape (N,): scikit-learn's face of `log_prob`."""
        return self.log_prob(X, context=context).log_prob

    def score(self, X: Any, y: Any = None, *, context: Any = None) -> float:
        """The mean log density.

        Do not choose between manifolds by it: a wrong manifold can make it larger, and different latent sizes have
        different units. Choose by the reconstruction error; `docs/guides/log-prob` has a `scoring` for it.
        """
        return float(np.mean(self.score_samples(X, context=context)))


@dataclass(kw_only=True, eq=False, repr=False)
class ManifoldVerbs(DensityVerbs, abc.ABC):
    """Scores points by the density at their projection, with respect to n-dimensional volume on the manifold."""

    def log_prob(
        self, X: Any, *, context: Any = None, off_manifold: OffManifold = "project", tolerance: float | None = None
    ) -> ManifoldLogProb:
        """The log density at each sample's projection, with its parts and the distance to it, in data units.

        The density is per n-dimensional volume of the manifold: do not compare it with the density of an ambient
        model, nor between different latent sizes.

        **Arguments:**

        - `X`: (N, d); `context`: (N, c) if the model was fitted with one.
        - `off_manifold`: for samples farther from the manifold than `tolerance`: score their projection, `"raise"`
            a `DataError`, or give `"nan"`.
        - `tolerance`: in data units. By default `tolerance_`: three times the 99 % quantile of the distance of the
            validation rows.
        """
        if off_manifold not in ("project", "raise", "nan"):
            raise ConfigError(f"off_manifold={off_manifold!r} is not known; give 'project', 'raise' or 'nan'.")
        scored = self._log_prob(X, context)
        limit = self.tolerance_ if tolerance is None else tolerance
        off = scored.reconstruction_error > limit
        if off_manifold == "project" or not off.any():
            return scored
        if off_manifold == "nan":
            return scored._replace(log_prob=np.where(off, np.nan, scored.log_prob))
        worst = int(np.argmax(scored.reconstruction_error))
        raise DataError(
            f"{int(off.sum())} of {len(off)} samples are off the manifold: farther than {limit:.3g} from their "
            f"projection; the farthest is row {worst}, at {scored.reconstruction_error[worst]:.3g}. Give "
            "off_manifold='project' to score their projections, 'nan' to mark them, or a larger tolerance."
        )

    def assess(self, held_out: Samples, training: Samples | None = None) -> DensityAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_manifold(self, held_out, training)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        scored = self._log_prob(samples, None)
        return {"reconstruction_error": scored.reconstruction_error, "nll": -scored.log_prob}

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        self.tolerance_ = 3 * float(np.quantile(held_out["reconstruction_error"], 0.99))

    def _fitted_numbers(self) -> dict[str, float]:
        return {"tolerance_": self.tolerance_}


@dataclass(kw_only=True, eq=False, repr=False)
class AmbientVerbs(DensityVerbs, abc.ABC):
    """Scores points by a density of all d dimensions."""

    def log_prob(self, X: Any, *, context: Any = None) -> AmbientLogProb:
        """The log density of each sample per d-dimensional volume, in data units.

        **Arguments:** `X`: (N, d); `context`: (N, c) if the model was fitted with one.
        """
        return self._log_prob(X, context)

    def assess(self, held_out: Samples, training: Samples | None = None) -> DensityAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_ambient(self, held_out, training)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        return {"nll": -self._log_prob(samples, None).log_prob}

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Every point has a density: there is no tolerance."""

    def _fitted_numbers(self) -> dict[str, float]:
        return {}
