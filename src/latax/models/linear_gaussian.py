"""Probabilistic PCA: a linear map of a standard normal, with isotropic noise (Tipping and Bishop 1999).

    x = loc + W z + e,   z ~ N(0, I_n),   e ~ N(0, noise² I_d)

Latent coordinates are those of PCA, whitened: the orthogonal projection onto the span of W, in units in which the data
have variance one.
"""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax.density import AmbientLogProb


class LinearGaussian(eqx.Module):
    """A linear Gaussian model in principal axes. All methods act on one sample; `context` is ignored.

    `directions`: orthonormal rows; `spread`: standard deviation of the data along each, noise included; `noise`:
    standard deviation of the noise across.
    """

    loc: Float[Array, " d"]
    directions: Float[Array, "n d"]
    spread: Float[Array, " n"]
    noise: Float[Array, ""]

    @property
    def latent_size(self) -> int:
        """Number n of latent coordinates."""
        return self.directions.shape[0]

    def shifted(self, loc: Float[Array, " d"]) -> "LinearGaussian":
        """The same model for data moved by `loc`."""
        return LinearGaussian(self.loc + loc, self.directions, self.spread, self.noise)

    def encode(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " n"]:
        """Whitened principal components: standard normal if the data are Gaussian."""
        return self.directions @ (x - self.loc) / self.spread

    def decode(self, u: Float[Array, " n"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The point of the principal subspace with whitened components u."""
        return self.loc + (self.spread * u) @ self.directions

    def base(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " n"]:
        """The same as `encode`."""
        return self.encode(x, context)

    def sample(self, key: PRNGKeyArray, context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """One draw of x: the latent part, and noise in all d - n directions across."""
        inside, across = jr.split(key)
        u = jr.normal(inside, self.spread.shape, self.spread.dtype)
        e = self.noise * jr.normal(across, self.loc.shape, self.loc.dtype)
        return self.decode(u) + e - (self.directions @ e) @ self.directions

    def log_prob(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> AmbientLogProb:
        """The Gaussian density of x, in nats per d-dimensional volume."""
        size, latent_size = self.loc.shape[0], self.latent_size
        u = self.encode(x)
        across = x - self.decode(u)
        log_det = jnp.sum(jnp.log(self.spread)) + (size - latent_size) * jnp.log(self.noise)
        square = jnp.sum(u**2) + jnp.sum((across / self.noise) ** 2)
        return AmbientLogProb(-0.5 * (square + size * jnp.log(2 * jnp.pi)) - log_det, u)
