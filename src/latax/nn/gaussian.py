"""Gaussians with a diagonal covariance: what encoders say about latent coordinates."""

import math
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax.nn.mlp import MLP

#: Bounds of log-variances: standard deviations from 0.0009 to 20, beyond which exp makes more harm than sense.
LOG_VARIANCE = (-14.0, 6.0)


class DiagonalGaussian(NamedTuple):
    """N(mean, diag(exp(log_variance))) on R^n."""

    mean: Float[Array, " n"]
    log_variance: Float[Array, " n"]

    @property
    def std(self) -> Float[Array, " n"]:
        """Standard deviations."""
        return jnp.exp(0.5 * self.log_variance)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " n"]:
        """One draw, with a gradient for mean and variance."""
        return self.mean + self.std * jr.normal(key, self.mean.shape, self.mean.dtype)

    def log_prob(self, value: Float[Array, " n"]) -> Float[Array, ""]:
        """Log density in nats."""
        squares = (value - self.mean) ** 2 * jnp.exp(-self.log_variance)
        return -0.5 * jnp.sum(squares + self.log_variance + math.log(2 * math.pi))

    def kl(self) -> Float[Array, ""]:
        """KL divergence from the standard normal, in nats: ½ Σ (μ² + σ² - 1 - log σ²)."""
        return 0.5 * jnp.sum(self.mean**2 + jnp.exp(self.log_variance) - 1 - self.log_variance)


class GaussianHead(eqx.Module):
    """The last part of an encoder: from features to a Gaussian on R^n."""

    net: MLP

    def __init__(self, in_size: int, size: int, hidden: tuple[int, ...] = (64,), *, key: PRNGKeyArray):
        self.net = MLP(in_size, 2 * size, hidden, key=key)

    def __call__(self, features: Float[Array, " f"]) -> DiagonalGaussian:
        """The Gaussian. Log-variances bend towards their bounds, so that their gradient never dies abruptly."""
        mean, raw = jnp.split(self.net(features), 2)
        return DiagonalGaussian(mean, bounded_log_variance(raw))


def bounded_log_variance(raw: Float[Array, " n"]) -> Float[Array, " n"]:
    """Any numbers as log-variances, which bend towards their bounds."""
    low, high = LOG_VARIANCE
    middle, half = (low + high) / 2, (high - low) / 2
    return middle + half * jnp.tanh((raw - middle) / half)
