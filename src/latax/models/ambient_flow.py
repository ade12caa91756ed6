"""Ambient flows: one invertible flow of all of R^d, the usual normalising flow.

    x = loc + scale * f(z),  z ~ N(0, I_d),    log p(x) = log N(z) - log |det J_f(z)| - sum log scale

On data that lie on a manifold its likelihood grows without bound while the fit gets no better (Loaiza-Ganem et al.
2022, arXiv 2204.07172): it is here as the reference that manifold models are compared with.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.distributions import StandardNormal, Transformed
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.density import AmbientLogProb, spline_coupling_flow


class AmbientFlow(eqx.Module):
    """A generative model with as many latent as data coordinates and a density of all of R^d.

    All methods act on one sample; use `jax.vmap` for many.
    """

    distribution: Transformed
    """Of the standardised data: a standard normal of shape (d,) pushed through f."""
    loc: Float[Array, " d"]
    scale: Float[Array, " d"]

    def __check_init__(self):
        expected = self.distribution.shape
        if self.loc.shape != expected or self.scale.shape != expected:
            raise ConfigError(
                f"loc and scale must have one entry per data coordinate, shape {expected}; "
                f"got {self.loc.shape} and {self.scale.shape}."
            )

    @property
    def latent_size(self) -> int:
        """Number of latent coordinates: as many as data coordinates."""
        return self.loc.shape[0]

    def shifted(self, loc: Float[Array, " d"]) -> "AmbientFlow":
        """The same model for data moved by `loc`."""
        return AmbientFlow(self.distribution, self.loc + loc, self.scale)

    def encode(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The point z of the base space that generates x: standard normal if the fit is right."""
        return self.distribution.bijection.inverse((x - self.loc) / self.scale, context)

    def decode(self, z: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The data point that z generates."""
        return self.loc + self.scale * self.distribution.bijection.transform(z, context)

    def base(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The same as `encode`: for an ambient flow latent and base space are one."""
        return self.encode(x, context)

    def log_prob(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> AmbientLogProb:
        """The density of x per d-dimensional volume, in data units."""
        bijection = self.distribution.bijection
        z, log_det = bijection.inverse_and_log_det((x - self.loc) / self.scale, context)
        log_base = self.distribution.base_dist.log_prob(z)
        return AmbientLogProb(log_base + log_det - jnp.sum(jnp.log(self.scale)), z)

    def sample(self, key: PRNGKeyArray, context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """One draw of x."""
        return self.decode(self.distribution.base_dist.sample(key), context)


def ambient_flow(
    size: int,
    *,
    layers: int = 10,
    context_size: int | None = None,
    loc: Float[Array, " d"] | None = None,
    scale: Float[Array, " d"] | None = None,
    key: PRNGKeyArray,
    **flow_options: Any,
) -> AmbientFlow:
    """An ambient flow on R^size of `layers` coupling layers.

    `context_size` is the length of the conditioning vector. data = loc + scale * f(z), elementwise; zero and one by
    default. Further options are those of `latax.density.spline_coupling_flow`.
    """
    flow = spline_coupling_flow(size, layers=layers, context_size=context_size, key=key, **flow_options)
    return AmbientFlow(
        Transformed(StandardNormal((size,)), flow),
        jnp.zeros(size) if loc is None else loc,
        jnp.ones(size) if scale is None else scale,
    )


def ambient_nll(model: AmbientFlow, batch: dict[str, Array], key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
    """Objective: `ambient_nll`, the mean of -log p(x) over the batch in nats and data units. `batch["x"]`: (B, d)."""
    log_prob = jax.vmap(model.log_prob)(batch["x"], batch.get("context")).log_prob
    return {"ambient_nll": -jnp.mean(log_prob)}
