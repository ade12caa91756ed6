"""Lower bounds of log p(x) for models with latent variables, with their signs and their ceiling checked."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError


class LikelihoodBounds(NamedTuple):
    """Bounds for every sample, in nats unless it says bits.

    `elbo`: E_q[log p(x|z) + log p(z) - log q(z|x)]; `iwae`: the importance-weighted bound from all draws, which is
    never below the first in the mean; `kl`: E_q[log q(z|x) - log p(z)]; `bits_per_number`: -iwae in bits, for each
    number of x, in the units of x.
    """

    elbo: Float[np.ndarray, " N"]
    iwae: Float[np.ndarray, " N"]
    kl: Float[np.ndarray, " N"]
    bits_per_number: Float[np.ndarray, " N"]


def likelihood_bounds(
    log_likelihood: Float[np.ndarray, "N S"],
    log_prior: Float[np.ndarray, "N S"],
    log_posterior: Float[np.ndarray, "N S"],
    *,
    size: int,
    noise: float | None = None,
) -> LikelihoodBounds:
    """ELBO and IWAE of held-out samples from S draws z of q(z|x) for each.

    **Arguments:**

    - `log_likelihood`, `log_prior`, `log_posterior`: log p(x|z), log p(z) and log q(z|x) at the draws, each with all of
        its constants.
    - `size`: how many numbers a sample has.
    - `noise`: the standard deviation of a Gaussian p(x|z) where it is fixed. Then no likelihood can be above
        `gaussian_ceiling(size, noise)`.

    Raises `DataError` for values that are not finite, for a mean of log q - log p that is negative beyond its own
    noise, as it is where the two are exchanged, and for likelihoods above the ceiling, where a constant is missing or a
    sign is wrong.
    Source of the second bound: Burda, Grosse and Salakhutdinov 2016, arXiv 1509.00519, equation 8.
    """
    draws = log_likelihood.shape[1]
    if draws < 1 or log_likelihood.shape[0] < 1:
        raise DataError(f"The likelihoods have shape {log_likelihood.shape}; expected at least one sample and draw.")
    parts = {"log_likelihood": log_likelihood, "log_prior": log_prior, "log_posterior": log_posterior}
    for name, values in parts.items():
        bad = int(np.count_nonzero(~np.isfinite(values).all(axis=1)))
        if bad:
            raise DataError(f"{name} is not finite for {bad} of {len(values)} samples. Look at the model there.")
    if noise is not None:
        refuse_above(log_likelihood, gaussian_ceiling(size, noise))
    difference = log_posterior - log_prior
    kl = difference.mean(axis=1)
    spread = difference.std() / math.sqrt(difference.size)
    if kl.mean() < -(5 * spread + 1e-6 * max(1.0, float(np.abs(log_prior).mean()))):
        raise DataError(
            f"The mean of log q(z|x) - log p(z) is {kl.mean():.4g} nats, and a divergence cannot be negative. Have "
            "log_prior and log_posterior been exchanged, or z not been drawn from q?"
        )
    weights = log_likelihood - difference
    highest = weights.max(axis=1, keepdims=True)
    iwae = (highest + np.log(np.mean(np.exp(weights - highest), axis=1, keepdims=True)))[:, 0]
    return LikelihoodBounds(weights.mean(axis=1), iwae, kl, -iwae / (size * math.log(2)))


def gaussian_ceiling(size: int, noise: float = 1.0) -> float:
    """The highest log density that `size` numbers can have under Gaussians of this standard deviation.

    It is that of the means themselves, -size/2 log(2π noise²): -2161.343 for 3 × 28 × 28 numbers and unit noise.
    """
    if size < 1 or not noise > 0:
        raise ConfigError(f"size={size}, noise={noise}: both have to be positive.")
    return -0.5 * size * math.log(2 * math.pi * noise**2)


def refuse_above(values: Float[np.ndarray, "*shape"], ceiling: float) -> None:
    """Raise `DataError` for a log density above its ceiling, by more than rounding."""
    highest = float(values.max())
    if highest > ceiling + 1e-6 * abs(ceiling):
        raise DataError(
            f"A log-likelihood of {highest:.7g} nats is above {ceiling:.7g}, the highest that its noise allows: a sign "
            "is wrong or a constant is missing. Check that log p(x|z) has its -½ log(2π noise²) for every number."
        )
