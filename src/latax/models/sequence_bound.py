"""The lower bound of log p(x) of a sequence x, as objective and as metric, whatever the model of sequences is.

Batches hold `x` (B, T, d) or (B, T d), frames, and `k` (B,), the transformation, where it is known.
"""

import abc
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from latax.nn import DiagonalGaussian
from latax.train import Batch

Frames = Float[Array, "T d"]
Latent = Float[Array, " n"]


class AbstractSequenceVAE(eqx.Module):
    """A variational autoencoder of sequences of frames. All methods act on one sequence; use `jax.vmap` for many.

    Networks see numbers of order one, (x - loc) / scale; these two are found from data and never trained.
    """

    features: eqx.AbstractVar[Callable]
    head: eqx.AbstractVar[Callable[[Array], DiagonalGaussian]]
    decoder: eqx.AbstractVar[Callable]
    log_noise: eqx.AbstractVar[Float[Array, ""]]
    loc: eqx.AbstractVar[Float[Array, ""]]
    scale: eqx.AbstractVar[Float[Array, ""]]
    times: eqx.AbstractVar[tuple[float, ...]]

    @abc.abstractmethod
    def posterior(self, x: Frames) -> DiagonalGaussian:
        """q(z | x)."""

    @abc.abstractmethod
    def log_parts(
        self, x: Frames, z: Latent, k: Int[Array, ""] | None, *, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """log p(x | z, k) and log p(z | k) in nats, with every constant. For k = None, of an unknown transformation:
        log p(x | z) and log p(z), by an exact sum over all."""

    @abc.abstractmethod
    def squared_residual(self, x: Frames, key: PRNGKeyArray) -> Float[Array, ""]:
        """What the latent points of a sequence miss of the model's equation; zero where it has none."""

    def drawn_parts(
        self, x: Frames, k: Int[Array, ""] | None, key: PRNGKeyArray, *, exact: bool = False
    ) -> tuple[Float[Array, " F"], Float[Array, " F"], Float[Array, " F"]]:
        """log p(x | z), log p(z) and log q(z | x) at one draw of q, of each part of the sequence that is independent of
        the others; F is 1 where there are none.

        `exact`: no random directions for changes of density. What these leave is unbiased in a logarithm, as for
        training, and too high in its exponential.
        """
        drawn, probes = jr.split(key)
        q = self.posterior(x)
        z = q.sample(drawn)
        fit, prior = self.log_parts(x, z, k, key=None if exact else probes)
        return fit[None], prior[None], q.log_prob(z)[None]

    def posterior_of_frame(self, frame: Float[Array, " d"]) -> DiagonalGaussian:
        """q(z_t | x_t) of one frame."""
        return self.head(jax.nn.silu(self.features((frame - self.loc) / self.scale)))

    def decode(self, z: Latent) -> Float[Array, " d"]:
        """The mean frame of a latent point."""
        return self.loc + self.scale * self.decoder(z)

    def log_fit(self, x: Frames, path: Float[Array, "T n"]) -> Float[Array, ""]:
        """log p(x | z_0, ..., z_T) in nats: independent Gaussians of one width."""
        errors = (x - jax.vmap(self.decode)(path)) * jnp.exp(-self.log_noise)
        return -0.5 * jnp.sum(errors**2) - x.size * (self.log_noise + 0.5 * math.log(2 * math.pi))

    def log_weight(
        self, x: Frames, k: Int[Array, ""] | None, key: PRNGKeyArray, *, beta: float = 1.0
    ) -> Float[Array, ""]:
        """One draw of the bound's integrand, with the transformation k or, where it is None, the sum over all.

        Its mean is below log p(x); the logarithm of the mean of the exponentials of many is nearer. With `beta` above 1
        the divergence counts for more, and it is no bound that is tight (Higgins et al. 2017).
        """
        fit, prior, posterior = self.drawn_parts(x, k, key)
        return jnp.sum(fit + beta * (prior - posterior))


def log_standard_normal(z: Float[Array, "*shape"]) -> Float[Array, ""]:
    """log N(z; 0, I) in nats."""
    return -0.5 * jnp.sum(z**2) - 0.5 * z.size * math.log(2 * math.pi)


class SequenceObjective(eqx.Module):
    """Terms `bound`, minus the lower bound of the log likelihood in nats for each number of the data, and `equation`,
    the squared residual of the potentials' equation per latent coordinate, at the frames' latent points.

    `known`: whether batches say which transformation each sequence is of; without, all are summed over. `beta`: the
    weight of the divergence in the bound.
    """

    known: bool = eqx.field(static=True)
    beta: float = eqx.field(static=True, default=1.0)

    def __call__(self, model: AbstractSequenceVAE, batch: Batch, key: Key[Array, ""]) -> dict[str, Float[Array, ""]]:
        """The means over the batch."""
        x, k = _sequences(model, batch, self.known)
        keys = jr.split(key, len(x))
        weights = jax.vmap(lambda x, k, key: model.log_weight(x, k, key, beta=self.beta))(x, k, keys)
        residuals = jax.vmap(model.squared_residual)(x, keys)
        return {"bound": -jnp.mean(weights) / x[0].size, "equation": jnp.mean(residuals)}


class NegativeBound(eqx.Module):
    """Metric: minus one draw of the lower bound of every sequence, in nats.

    Each sequence has a draw of its own, the same at every look: with one for all, their mean would be as noisy as one.
    """

    known: bool = eqx.field(static=True)

    def __call__(self, model: AbstractSequenceVAE, batch: Batch) -> Float[Array, " batch"]:
        """In nats."""
        x, k = _sequences(model, batch, self.known)
        keys = jax.vmap(lambda row: jr.fold_in(jr.key(0), row))(jnp.arange(len(x)))
        return -jax.vmap(model.log_weight)(x, k, keys)


def _sequences(
    model: AbstractSequenceVAE, batch: Batch, known: bool
) -> tuple[Float[Array, "B T d"], Int[Array, " B"] | None]:
    x = batch["x"]
    return x.reshape(len(x), len(model.times), -1), batch["k"] if known else None
