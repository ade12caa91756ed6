"""Probabilistic PCA against the maximum of its likelihood."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from latax import ProbabilisticPCA


def model_of(rows, size, n=2):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, size)) * np.linspace(2.0, 0.5, size)
    model = ProbabilisticPCA(latent_size=n).fit(X)
    return model, X[model.rows(rows)[0]]


@pytest.mark.parametrize(("rows", "size"), [(200, 5), (24, 60)])
def test_variances_maximise_the_likelihood(rows, size):
    model, x = model_of(rows, size)
    module = model._centred
    eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(x.T, ddof=0)))[::-1]
    np.testing.assert_allclose(module.spread**2, eigenvalues[:2], rtol=1e-4)
    np.testing.assert_allclose(module.noise**2, eigenvalues[2:].sum() / (size - 2), rtol=1e-4)


def test_no_other_noise_is_likelier():
    model, x = model_of(200, 5)
    module, centred = model._centred, x - x.mean(axis=0)
    W, s = np.asarray(module.directions, float), np.asarray(module.spread, float) ** 2

    def likelihood(noise):
        covariance = W.T @ np.diag(s - noise) @ W + noise * np.eye(5)
        return multivariate_normal(np.zeros(5), covariance).logpdf(centred).sum()

    best = float(module.noise) ** 2
    assert likelihood(best) > max(likelihood(0.98 * best), likelihood(1.02 * best))
