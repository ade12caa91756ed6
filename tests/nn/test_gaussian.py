import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from latax.nn import DiagonalGaussian, GaussianHead
from latax.nn.gaussian import LOG_VARIANCE


def gaussian(mean, std):
    return DiagonalGaussian(jnp.asarray(mean), 2 * jnp.log(jnp.asarray(std)))


def test_kl_to_known_answers(x64):
    # KL(N(1, ½²) || N(0, 1)) = 1/8 + ln 2
    assert float(gaussian([1.0], [0.5]).kl()) == pytest.approx(0.125 + math.log(2), abs=1e-12)
    # A prior N(1.961, 2.717508²) in units in which it is standard normal.
    other = gaussian([(2 - 1.961) / 2.717508], [0.1 / 2.717508])
    assert float(other.kl()) == pytest.approx(2.8030804198, abs=1e-9)
    assert float(gaussian([0.0, 0.0], [1.0, 1.0]).kl()) == 0.0


def test_kl_is_the_mean_difference_of_log_densities(x64):
    q = gaussian([0.3, -1.0], [0.7, 1.5])
    draws = jax.vmap(q.sample)(jax.random.split(jax.random.key(0), 200_000))
    prior = gaussian([0.0, 0.0], [1.0, 1.0])
    differences = jax.vmap(lambda z: q.log_prob(z) - prior.log_prob(z))(draws)
    assert float(jnp.mean(differences)) == pytest.approx(float(q.kl()), abs=5 * float(jnp.std(differences)) / 447)


def test_log_density_is_scipys(x64):
    q, value = gaussian([0.3, -1.0], [0.7, 1.5]), np.array([0.1, 0.9])
    wanted = multivariate_normal([0.3, -1.0], np.diag([0.49, 2.25])).logpdf(value)
    assert float(q.log_prob(jnp.asarray(value))) == pytest.approx(wanted, abs=1e-12)


def test_a_head_stays_within_its_bounds_with_a_gradient():
    head = GaussianHead(2, 3, key=jax.random.key(0))
    far = head(jnp.array([1e4, -1e4]))
    assert far.mean.shape == (3,)
    assert bool(jnp.all((far.log_variance >= LOG_VARIANCE[0]) & (far.log_variance <= LOG_VARIANCE[1])))
    slope = jax.grad(lambda x: head(x).log_variance.sum())(jnp.zeros(2))
    assert bool(jnp.all(slope != 0))
