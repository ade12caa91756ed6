"""A variational autoencoder of sequences whose latent points follow one of K potential flows.

    z_0 ~ N(0, I),   dz/dt = ∇u^k(z, t),   x_t ~ N(g(z_t), σ²)

The encoder sees the frame number `at` and says q(z_at | x_at); all other latent points follow from that one, to later
times and back to time 0. So the density of z_at before anything is seen is that of the standard normal carried along,

    log p(z_at | k) = log N(z_0) + log |det ∂z_0 / ∂z_at|,

with the exact change of density where there are up to 64 coordinates. With the transformation k known, the bound is

    log p(x | k) >= E_q [ Σ_t log p(x_t | z_t) + log p(z_at | k) - log q(z_at | x_at) ],

and with k unknown, K being small, the sum over k inside of the expectation is taken exactly:

    log p(x) >= E_q [ log 1/K Σ_k p(x | z_at, k) p(z_at | k) - log q(z_at | x_at) ].

After Song, Keller, Sebe and Welling 2023 (arXiv 2304.12944) and their "Flow factorized representation learning" (arXiv
2309.13167), whose published code has surrogates for the density. Frames and codes are matched strictly: x_t with z_t.
"""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, FixedStep
from latax.models.autoencoder import image_shape
from latax.models.frame_vae import FrameVAE
from latax.models.sequence_bound import AbstractSequenceVAE, Frames, Latent, log_standard_normal
from latax.nn import MLP, DiagonalGaussian, GaussianHead, ImageDecoder, ImageFeatures
from latax.potential import (
    AbstractPotentialPDE,
    Path,
    PotentialNet,
    Potentials,
    follow,
    gradient,
    random_directions,
    require_smooth,
    squared_residual,
    straight,
)

_FEATURES = 64
#: Steps of the classical Runge-Kutta method from each frame to the next.
_SUBSTEPS = 2


class FlowSequenceVAE(AbstractSequenceVAE):
    """Encoder, decoder, potentials and noise."""

    features: Callable
    head: Callable[[Array], DiagonalGaussian]
    decoder: Callable
    potentials: Potentials
    pde: AbstractPotentialPDE
    """Every array of it has a leading axis of length K."""
    log_noise: Float[Array, ""]
    loc: Float[Array, ""]
    scale: Float[Array, ""]
    times: tuple[float, ...] = eqx.field(static=True)
    at: int = eqx.field(static=True)

    @property
    def latent_size(self) -> int:
        """The latent coordinates of one frame, and the number of the transformation: those of `encode`."""
        return self.potentials[0].size + 1

    def posterior(self, x: Frames) -> DiagonalGaussian:
        """q(z_at | x_at)."""
        return self.posterior_of_frame(x[self.at])

    def states(
        self, z: Latent, k: Int[Array, ""], *, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, "T n"], Float[Array, ""]]:
        """The latent points of all frames on the flow number k through z_at = z, and log |det ∂z_0 / ∂z_at|.

        That is exact without a key, and with one for more than 64 coordinates by random directions.
        """
        velocity, ts = gradient(self.potentials.at(k)), np.asarray(self.times)
        solver = FixedStep(substeps=_SUBSTEPS)
        later = follow(velocity, z, ts[self.at :], solver=solver).z
        if not self.at:
            return later, jnp.zeros((), z.dtype)
        earlier = follow(
            velocity, z, ts[self.at :: -1], solver=solver, density=True, probes=None if key is not None else 0, key=key
        )
        return jnp.concatenate([earlier.z[:0:-1], later]), earlier.log_det[-1]

    def log_parts(
        self, x: Frames, z: Latent, k: Int[Array, ""] | None, *, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """log p(x | z_at, k) and log p(z_at | k) in nats, with every constant.

        For k = None, each transformation being as likely as the others beforehand: log p(x | z_at) and log p(z_at),
        summed exactly over all of them.
        """
        if k is None:
            count = self.potentials.count
            fit, prior = jax.vmap(lambda k: self.log_parts(x, z, k, key=key))(jnp.arange(count))
            marginal = jax.nn.logsumexp(prior)
            return jax.nn.logsumexp(fit + prior) - marginal, marginal - math.log(count)
        path, change = self.states(z, k, key=key)
        return self.log_fit(x, path), log_standard_normal(path[0]) + change

    def which(self, x: Frames, z: Latent, *, key: PRNGKeyArray | None = None) -> Float[Array, " K"]:
        """The probability of each k, given the sequence and the latent point."""
        joint = jax.vmap(lambda k: sum(self.log_parts(x, z, k, key=key)))(jnp.arange(self.potentials.count))
        return jax.nn.softmax(joint)

    def squared_residual(self, x: Frames, key: PRNGKeyArray) -> Float[Array, ""]:
        """That of a random potential's equation on its own path, at a random frame, per latent coordinate."""
        for_k, for_t, for_probes = jr.split(key, 3)
        k = jr.randint(for_k, (), 0, self.potentials.count)
        frame = jr.randint(for_t, (), 0, len(self.times))
        path, _ = self.states(self.posterior(x).mean, k, key=for_probes)
        pde = jax.tree.map(lambda leaf: leaf[k] if eqx.is_array(leaf) else leaf, self.pde)
        t = jnp.asarray(self.times, x.dtype)[frame]
        return squared_residual(pde, self.potentials.at(k), path[frame], t, key=for_probes) / path.shape[1]

    def encode(self, x: Frames, k: Int[Array, ""] | None = None) -> Float[Array, " m"]:
        """The mean of z_at, and the number of the transformation: k, or the likeliest where it is None."""
        z = self.posterior(x).mean
        if k is None:
            k = jnp.argmax(self.which(x, z, key=jr.key(0)))
        return jnp.append(z, k.astype(z.dtype))

    def rebuild(self, row: Float[Array, " m"]) -> Frames:
        """The mean frames of such a row."""
        k = jnp.round(row[-1]).astype(jnp.int32)
        return jax.vmap(self.decode)(self.states(row[:-1], k, key=jr.key(0))[0])

    def from_prior(self, z: Latent, k: Int[Array, ""]) -> Frames:
        """The mean frames of a draw z of the prior, the latent point at time 0, under the transformation k."""
        velocity = gradient(self.potentials.at(k))
        path = follow(velocity, z, np.asarray(self.times), solver=FixedStep(substeps=_SUBSTEPS)).z
        return jax.vmap(self.decode)(path)

    def composed(
        self,
        z: Latent,
        weights: Float[Array, " K"],
        ts: Float[Array | np.ndarray, " T"],
        *,
        solver: AbstractSolver | None = None,
    ) -> Path:
        """The path of a latent point along Σ a_k ∇u^k."""
        return follow(gradient(self.potentials.combined(weights)), z, ts, solver=solver)


def flow_sequence_vae(
    shape: tuple[int, ...],
    latent_size: int,
    count: int,
    times: tuple[float, ...],
    *,
    pde: AbstractPotentialPDE,
    at: int = 0,
    noise: float = 1.0,
    speed: float = 0.3,
    linear: bool = False,
    width_size: int = 64,
    loc: float = 0.0,
    scale: float = 1.0,
    key: PRNGKeyArray,
) -> FlowSequenceVAE:
    """A new model of sequences of frames of this shape.

    **Arguments:** `count`: K; `times`: of the frames, from 0 on and at most 1; `at`: which frame the encoder sees;
    `noise`: the standard deviation at the start, in data units; `linear`: straight flows along learned directions;
    `loc`, `scale`: of the data's numbers. Raises `ConfigError` for times that do not begin at 0 or do not increase up
    to 1 at most, a frame that is not there, and more straight flows than latent coordinates.
    """
    values = np.asarray(times)
    if len(values) < 2 or values[0] != 0 or not (np.diff(values) > 0).all() or values[-1] > 1:
        raise ConfigError(f"times={times}: expected at least two, from 0 on, increasing, and at most 1.")
    if not 0 <= at < len(values):
        raise ConfigError(f"at={at}: there is no such frame; there are {len(values)}, numbered from 0 on.")
    if pde.order >= 2:
        require_smooth(jnp.tanh, f"the equation {type(pde).__name__}")
    for_networks, for_potentials = jr.split(key)
    if linear:
        potentials: Potentials = straight(random_directions(latent_size, count, key=for_potentials), speed)
    else:
        make = lambda key: PotentialNet(latent_size, (width_size, width_size), speed=speed, key=key)
        potentials = Potentials.of(make, count, key=for_potentials)
    each = lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)) if eqx.is_array(leaf) else leaf
    features, head, decoder = _networks(shape, latent_size, width_size, for_networks)
    log_noise, centre, spread = _units(noise, loc, scale)
    return FlowSequenceVAE(
        features=features,
        head=head,
        decoder=decoder,
        potentials=potentials,
        pde=jax.tree.map(each, pde),
        log_noise=log_noise,
        loc=centre,
        scale=spread,
        times=tuple(times),
        at=at,
    )


def frame_vae(
    shape: tuple[int, ...],
    latent_size: int,
    times: tuple[float, ...],
    *,
    noise: float = 1.0,
    width_size: int = 64,
    loc: float = 0.0,
    scale: float = 1.0,
    key: PRNGKeyArray,
) -> FrameVAE:
    """The same encoder and decoder for each frame by itself."""
    networks = _networks(shape, latent_size, width_size, key)
    return FrameVAE(*networks, *_units(noise, loc, scale), tuple(times), latent_size)


def _networks(
    shape: tuple[int, ...], latent_size: int, width_size: int, key: PRNGKeyArray
) -> tuple[Callable, GaussianHead, Callable]:
    """Features, head and decoder for frames of this shape."""
    size, image = math.prod(shape), image_shape(shape)
    keys, hidden = jr.split(key, 3), (width_size, width_size)
    if image is None:
        features: Callable = MLP(size, _FEATURES, hidden, activation=jax.nn.silu, key=keys[0])
        decoder: Callable = MLP(latent_size, size, hidden, activation=jax.nn.silu, key=keys[1])
    else:
        features = ImageFeatures(image, _FEATURES, activation=jax.nn.silu, key=keys[0])
        decoder = ImageDecoder(latent_size, image, activation=jax.nn.silu, key=keys[1])
    return features, GaussianHead(_FEATURES, latent_size, key=keys[2]), decoder


def _units(noise: float, loc: float, scale: float) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """log noise, loc and scale as arrays."""
    return jnp.log(jnp.asarray(noise)), jnp.asarray(loc), jnp.asarray(scale)
