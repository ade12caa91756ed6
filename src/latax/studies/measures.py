"""Measures that several studies share: functions of one replicate of a fitted estimator."""

from typing import Any

import numpy as np

from latax.data import Samples
from latax.estimators.density_verbs import ManifoldVerbs
from latax.evaluate import median_distance, unbiased_mmd2
from latax.studies.contest import Measure


def reconstruction(test: Samples) -> Measure:
    """Mean Euclidean distance of test samples to their projections. None for models that express every point."""

    def measure(model: Any) -> float | None:
        if model._latent_size == test.X.shape[1]:
            return None
        return float(np.mean(model.reconstruction_error(test)))

    return measure


def manifold_nll(test: Samples) -> Measure:
    """Mean negative log density on the manifold. None for ambient models: theirs is per another volume."""
    return lambda model: -model.score(test) if isinstance(model, ManifoldVerbs) else None


def ambient_nll(test: Samples) -> Measure:
    """Mean negative log density in all dimensions. None for manifold models: theirs is per another volume."""
    return lambda model: None if isinstance(model, ManifoldVerbs) else -model.score(test)


def sample_mmd(test: Samples, seed: int = 0) -> Measure:
    """Squared maximum mean discrepancy (unbiased, Gaussian kernel, width the median distance) of draws to test samples.

    As many draws as test samples, under the test samples' contexts.
    """
    x = np.asarray(test.X, np.float64)
    width = median_distance(x)

    def measure(model: Any) -> float:
        draws = model.sample(len(test), context=test.context, seed=seed).reshape(len(test), -1)
        return float(unbiased_mmd2(x, draws, bandwidth=width))

    return measure
