"""A variational autoencoder that sees each frame of a sequence by itself: what a flow between frames has to beat.

    z_t ~ N(0, I),   x_t ~ N(g(z_t), σ²),   independent for all t

Its bound of a sequence is the sum of those of the frames, so it may be held against that of a `FlowSequenceVAE`.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from latax.models.sequence_bound import AbstractSequenceVAE, Frames, Latent, log_standard_normal
from latax.nn import DiagonalGaussian


class FrameVAE(AbstractSequenceVAE):
    """The latent points of all frames, one after the other, are one row of T n numbers. There are no transformations:
    k is ignored everywhere."""

    features: Callable
    head: Callable[[Array], DiagonalGaussian]
    decoder: Callable
    log_noise: Float[Array, ""]
    loc: Float[Array, ""]
    scale: Float[Array, ""]
    times: tuple[float, ...] = eqx.field(static=True)
    frame_size: int = eqx.field(static=True)
    """n, the latent coordinates of one frame."""

    @property
    def latent_size(self) -> int:
        """T n."""
        return len(self.times) * self.frame_size

    def posterior(self, x: Frames) -> DiagonalGaussian:
        """q(z | x), the product of those of the frames."""
        found = jax.vmap(self.posterior_of_frame)(x)
        return DiagonalGaussian(found.mean.ravel(), found.log_variance.ravel())

    def log_parts(
        self, x: Frames, z: Latent, k: Int[Array, ""] | None, *, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """log p(x | z) and log p(z)."""
        return self.log_fit(x, z.reshape(len(x), -1)), log_standard_normal(z)

    def drawn_parts(
        self, x: Frames, k: Int[Array, ""] | None, key: PRNGKeyArray, *, exact: bool = False
    ) -> tuple[Float[Array, " T"], Float[Array, " T"], Float[Array, " T"]]:
        """Those of each frame."""

        def of_frame(frame: Array, key: PRNGKeyArray) -> tuple[Array, Array, Array]:
            q = self.posterior_of_frame(frame)
            z = q.sample(key)
            return self.log_fit(frame[None], z[None]), log_standard_normal(z), q.log_prob(z)

        return jax.vmap(of_frame)(x, jr.split(key, len(x)))

    def squared_residual(self, x: Frames, key: PRNGKeyArray) -> Float[Array, ""]:
        """Zero: there is no equation."""
        return jnp.zeros((), x.dtype)

    def encode(self, x: Frames, k: Int[Array, ""] | None = None) -> Latent:
        """The means of the latent points of all frames."""
        return self.posterior(x).mean

    def rebuild(self, row: Latent) -> Frames:
        """The mean frames of such a row."""
        return jax.vmap(self.decode)(row.reshape(len(self.times), -1))

    def from_prior(self, z: Latent, k: Int[Array, ""]) -> Frames:
        """The mean frames of a draw of the prior (T n,)."""
        return self.rebuild(z)
