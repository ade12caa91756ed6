"""Bounds of a linear-Gaussian model, whose likelihood is known."""

import numpy as np
import pytest
import scipy.stats
from scipy.special import logsumexp

from latax._errors import ConfigError, DataError
from latax.evaluate import gaussian_ceiling, likelihood_bounds

RNG = np.random.default_rng(0)
W, NOISE = RNG.normal(size=(4, 2)), 0.6
X = RNG.normal(size=(50, 2)) @ W.T + NOISE * RNG.normal(size=(50, 4))
PRECISION = np.eye(2) + W.T @ W / NOISE**2
COVARIANCE = np.linalg.inv(PRECISION)
EXACT = scipy.stats.multivariate_normal(np.zeros(4), W @ W.T + NOISE**2 * np.eye(4)).logpdf(X)


def draws(count, widen=1.0, shift=0.0):
    """log p(x|z), log p(z), log q(z|x) for q with a wrong width and mean, or the posterior."""
    rng = np.random.default_rng(1)
    means = X @ W @ COVARIANCE / NOISE**2 + shift
    q = scipy.stats.multivariate_normal(np.zeros(2), widen * COVARIANCE)
    noise = q.rvs(size=(len(X), count), random_state=rng).reshape(len(X), count, 2)
    z = means[:, None] + noise
    fit = scipy.stats.norm(scale=NOISE).logpdf(X[:, None] - z @ W.T).sum(axis=2)
    return fit, scipy.stats.norm.logpdf(z).sum(axis=2), q.logpdf(noise).reshape(len(X), count)


def test_with_the_exact_posterior_both_are_the_likelihood():
    found = likelihood_bounds(*draws(3), size=4, noise=NOISE)
    np.testing.assert_allclose(found.elbo, EXACT, atol=1e-10)
    np.testing.assert_allclose(found.iwae, EXACT, atol=1e-10)
    np.testing.assert_allclose(found.bits_per_number, -EXACT / (4 * np.log(2)), atol=1e-10)


def test_a_wrong_posterior_costs_its_divergence_and_draws_win_it_back():
    fit, prior, posterior = draws(256, widen=2.0, shift=0.2)
    found = likelihood_bounds(fit, prior, posterior, size=4)
    # KL(q | posterior) of Gaussians, by hand.
    shift = np.full(2, 0.2)
    wanted = 0.5 * (2 * 2.0 - 2 - 2 * np.log(2.0) + shift @ PRECISION @ shift)
    np.testing.assert_allclose(np.mean(EXACT - found.elbo), wanted, rtol=0.05)
    bounds = [likelihood_bounds(fit[:, :n], prior[:, :n], posterior[:, :n], size=4).iwae.mean() for n in (1, 8, 256)]
    assert bounds[0] < bounds[1] < bounds[2] < EXACT.mean() + 0.02
    np.testing.assert_allclose(bounds[2], EXACT.mean(), atol=0.02)
    weights = fit + prior - posterior
    np.testing.assert_allclose(found.iwae, logsumexp(weights, axis=1) - np.log(256), atol=1e-10)
    assert found.kl.mean() > 0


def test_the_published_sign_is_refused():
    fit, prior, posterior = draws(16)
    with pytest.raises(DataError, match=r"a divergence cannot be negative\. Have log_prior and log_posterior been"):
        likelihood_bounds(fit, posterior, prior, size=4)
    # What it would report: too good by twice the divergence, above the truth.
    assert np.mean(fit - prior + posterior) > EXACT.mean() + 1


def test_the_ceiling():
    assert gaussian_ceiling(3 * 28 * 28) == pytest.approx(-2161.343, abs=1e-3)
    assert gaussian_ceiling(64 * 64) == pytest.approx(-3763.972, abs=1e-3)
    assert gaussian_ceiling(3 * 64 * 64) == pytest.approx(-11291.917, abs=1e-3)
    exactly = np.full((1, 1), scipy.stats.norm(scale=0.3).logpdf(np.zeros(7)).sum())
    zero = np.zeros((1, 1))
    assert likelihood_bounds(exactly, zero, zero, size=7, noise=0.3).elbo == pytest.approx(gaussian_ceiling(7, 0.3))
    with pytest.raises(DataError, match=r"A log-likelihood of .* is above .* a sign is wrong or a constant is missing"):
        likelihood_bounds(exactly + 0.1, zero, zero, size=7, noise=0.3)
    with pytest.raises(ConfigError, match=r"size=0, noise=1\.0: both have to be positive"):
        gaussian_ceiling(0)
    with pytest.raises(DataError, match="expected at least one sample and draw"):
        likelihood_bounds(np.zeros((0, 1)), np.zeros((0, 1)), np.zeros((0, 1)), size=1)


@pytest.mark.parametrize("place", range(3))
def test_what_is_not_finite_is_not_averaged(place):
    parts = [part.copy() for part in draws(4)]
    parts[place][7, 2] = np.nan
    name = ("log_likelihood", "log_prior", "log_posterior")[place]
    with pytest.raises(DataError, match=rf"{name} is not finite for 1 of 50 samples"):
        likelihood_bounds(*parts, size=4)
