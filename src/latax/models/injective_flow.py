"""Flows on a manifold: an embedding g: R^n -> R^d and a flow h on its latent coordinates.

    x = g(u),  u = h(u~),  u~ ~ N(0, I_n)

With a learned g(u) = f(u, 0) this is the M-flow (Brehmer and Cranmer 2020, arXiv 2003.13913); with a given chart it is
the flow on a prescribed manifold. f must get its gradient from reconstruction and h from likelihood: maximum
likelihood alone prefers a wrong manifold (section 3.2 there), hence one objective for each.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.bijections import Affine, Chain
from flowjax.distributions import StandardNormal, Transformed
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.density import (
    AbstractCover,
    AbstractEmbedding,
    AffineOutput,
    FlowEmbedding,
    ManifoldLogProb,
    cover_of,
    manifold_log_prob,
    spline_coupling_flow,
)
from latax.density.embedding import standardised
from latax.density.manifold import points_above

Batch = dict[str, Array]

#: Samples that are tried as the centre of the others.
_CENTRES = 64


class InjectiveFlow(eqx.Module):
    """A generative model with n latent coordinates and a density on the manifold they embed.

    All methods act on one sample; use `jax.vmap` for many. `context` is the condition of the latent flow, and of the
    embedding where that depends on one.
    """

    embedding: AbstractEmbedding
    """g, from latent coordinates to data, in data units."""
    latent: Transformed
    """Distribution of the latent coordinates: a standard normal of shape (n,) pushed through h."""

    def __check_init__(self):
        if self.latent.shape != (self.embedding.in_size,):
            raise ConfigError(
                f"The latent distribution has shape {self.latent.shape}, but the embedding takes "
                f"{self.embedding.in_size} latent coordinates. Give both the same size."
            )

    @property
    def latent_size(self) -> int:
        """Number n of latent coordinates."""
        return self.embedding.in_size

    def shifted(self, loc: Float[Array, " d"]) -> "InjectiveFlow":
        """The same model for data moved by `loc`."""
        return InjectiveFlow(AffineOutput(self.embedding, loc, jnp.ones_like(loc)), self.latent)

    def encode(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " n"]:
        """Latent coordinates of the projection of x."""
        return self.embedding.project(x, context)[0]

    def decode(self, u: Float[Array, " n"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The point of the manifold with latent coordinates u."""
        return self.embedding.embed(u, context)

    def project(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The point of the manifold that x belongs to: decode(encode(x))."""
        return self.decode(self.encode(x, context), context)

    def reconstruction_error(
        self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None
    ) -> Float[Array, ""]:
        """Euclidean distance from x to its projection, in data units."""
        return jnp.linalg.norm(x - self.project(x, context))

    def base(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> Float[Array, " n"]:
        """The point u~ of the base space that generates the projection of x: standard normal if the fit is right.

        On a cover several do: one of them, drawn by its probability. The draw is a fixed function of x.
        """
        u, cover = self.encode(x, context), cover_of(self.embedding)
        if cover is not None:
            above, log_weights = points_above(self.embedding, cover, self.latent, u, context)
            u = above[jax.random.categorical(_key_of(x), log_weights)]
        return self.latent.bijection.inverse(u, context)

    def log_prob(self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None) -> ManifoldLogProb:
        """The density at the projection of x, per n-dimensional volume of the manifold, with its parts."""
        return manifold_log_prob(self.embedding, self.latent, x, context)

    def sample(self, key: PRNGKeyArray, context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """One draw of x."""
        return self.decode(self.latent.sample(key, (), context), context)


def manifold_flow(
    size: int,
    latent_size: int,
    *,
    layers: int = 5,
    latent_layers: int = 5,
    context_size: int | None = None,
    conditional_manifold: bool = False,
    loc: Float[Array, " d"] | None = None,
    scale: Float[Array, " d"] | None = None,
    key: PRNGKeyArray,
    **flow_options: Any,
) -> InjectiveFlow:
    """An M-flow: manifold and density are both learned.

    **Arguments:**

    - `size`, `latent_size`: numbers d of data and n < d of latent coordinates.
    - `layers`, `latent_layers`: coupling layers of f, which makes the manifold, and of h, which makes the density.
    - `context_size`: length of the conditioning vector of h. It conditions f too, so that the manifold moves with it,
      if `conditional_manifold` is set.
    - `loc`, `scale`: data = loc + scale * f(u, 0), elementwise; as a rule mean and standard deviation of the data.
      Zero and one by default.
    - further options are those of `latax.density.spline_coupling_flow`, for both flows.

    A new model is the identity from u to the first n standardised coordinates of the data.
    Raises `ConfigError` unless 1 <= latent_size < size.
    """
    if not 1 <= latent_size < size:
        raise ConfigError(
            f"latent_size={latent_size} is not between 1 and {size - 1}: the data have {size} coordinates, and a "
            "manifold has fewer. Choose a smaller latent_size, or an ambient flow for a density of all coordinates."
        )
    embedding_key, latent_key = jax.random.split(key)
    bijection = spline_coupling_flow(
        size,
        layers=layers,
        context_size=context_size if conditional_manifold else None,
        key=embedding_key,
        **flow_options,
    )
    embedding = AffineOutput(
        FlowEmbedding(bijection, latent_size),
        jnp.zeros(size) if loc is None else loc,
        jnp.ones(size) if scale is None else scale,
    )
    return prescribed_flow(
        embedding, latent_layers=latent_layers, context_size=context_size, key=latent_key, **flow_options
    )


def prescribed_flow(
    embedding: AbstractEmbedding,
    *,
    latent_layers: int = 5,
    context_size: int | None = None,
    key: PRNGKeyArray,
    **flow_options: Any,
) -> InjectiveFlow:
    """A flow on a manifold that is given: only the density is learned.

    `embedding` is a chart of the manifold, for example `latax.density.Sphere`. Further options are those of
    `latax.density.spline_coupling_flow`, for the flow h of the latent coordinates.
    """
    size = embedding.in_size
    flow = spline_coupling_flow(size, layers=latent_layers, context_size=context_size, key=key, **flow_options)
    # The splines bend a fixed interval, so the coordinates they see are standardised; see `start_density`.
    latent = Chain([flow, Affine(jnp.zeros(size), jnp.ones(size))])
    return InjectiveFlow(embedding, Transformed(StandardNormal((size,)), latent))


def start_density(model: InjectiveFlow, batch: Batch) -> InjectiveFlow:
    """The model with the scale of h's output set to that of the batch's latent coordinates: where training starts."""
    u = encode_batch(model, batch)["u"] if "x" in batch else batch["u"]
    cover = cover_of(model.embedding)
    if cover is not None:
        u = _gathered(cover, u)
    affine = Affine(jnp.mean(u, axis=0), jnp.std(u, axis=0) + 1e-3)
    return eqx.tree_at(lambda model: model.latent.bijection[-1], model, affine)


def _gathered(cover: AbstractCover, u: Float[Array, "B n"]) -> Float[Array, "B n"]:
    """Of the latent points above each sample the one that lies nearest to a centre: that of some samples' own points
    for which they lie nearest. So data astride the seam of a circle start as one heap and not as two."""
    above = jax.vmap(cover.preimages)(u)
    squares = lambda centre: jnp.sum((above - centre[None, None]) ** 2, axis=2)
    centres = u[:_CENTRES]
    centre = centres[jnp.argmin(jax.lax.map(lambda c: jnp.mean(jnp.min(squares(c), axis=1)), centres))]
    nearest = jnp.argmin(squares(centre), axis=1)
    return jnp.take_along_axis(above, nearest[:, None, None], axis=1)[:, 0]


def _key_of(x: Float[Array, " d"]) -> PRNGKeyArray:
    """A random key that is a function of a sample."""
    bits = jax.lax.bitcast_convert_type(x.astype(jnp.float32), jnp.uint32)
    return jax.lax.fori_loop(0, len(bits), lambda i, key: jax.random.fold_in(key, bits[i]), jax.random.key(0))


def reconstruction(model: InjectiveFlow, batch: Batch, key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
    """Objective of the manifold: `reconstruction`, the mean over batch and coordinates of the squared residual.

    In standardised units, so that coordinates with large units do not drown the others. `batch["x"]`: (B, d).
    """

    def residual(x: Float[Array, " d"], context: Float[Array, " c"] | None) -> Float[Array, " d"]:
        embedding, x = standardised(model.embedding, x)
        u, _ = embedding.project(x, context)
        return x - embedding.embed(u, context)

    return {"reconstruction": jnp.mean(_over_batch(residual, batch) ** 2)}


def latent_nll(model: InjectiveFlow, batch: Batch, key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
    """Objective of the density: `latent_nll`, the mean of -log p_U(u) in nats.

    `batch["u"]`: (B, n), from `encode_batch`: the embedding is not touched, and its volume, which does not depend on
    h, is not paid for. The value is that of the latent density, not of the density on the manifold.
    """
    return {"latent_nll": -jnp.mean(_over_batch(model.latent.log_prob, batch, of="u"))}


def nll(model: InjectiveFlow, batch: Batch, key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
    """Validation of the density, and its objective on covers: `nll`, the mean of -log p(x) on the manifold in nats.

    `batch["x"]`: (B, d). Exact: in data units, at the projections.
    """
    return {"nll": -jnp.mean(_over_batch(model.log_prob, batch).log_prob)}


def reconstruction_and_nll(model: InjectiveFlow, batch: Batch, key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
    """Both at once, for simultaneous training: `reconstruction` as in `reconstruction` and `nll` as in `nll`.

    One pass through the embedding serves both. `batch["x"]`: (B, d).
    """

    def terms(x: Float[Array, " d"], context: Float[Array, " c"] | None) -> tuple[Array, Array]:
        embedding, standard = standardised(model.embedding, x)
        result = manifold_log_prob(model.embedding, model.latent, x, context)
        return standard - embedding.embed(result.latent, context), result.log_prob

    residual, log_prob = _over_batch(terms, batch)
    return {"reconstruction": jnp.mean(residual**2), "nll": -jnp.mean(log_prob)}


def encode_batch(model: InjectiveFlow, batch: Batch) -> Batch:
    """The batch with `x` replaced by its latent coordinates `u`: what `latent_nll` reads."""
    rest = {name: value for name, value in batch.items() if name != "x"}
    return {"u": _over_batch(model.encode, batch), **rest}


def _over_batch(function: Callable, batch: Batch, of: str = "x") -> Any:
    return jax.vmap(function)(batch[of], batch.get("context"))
