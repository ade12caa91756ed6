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

Batches hold `x` (B, T, d), flat frames, and `k` (B,), the transformation, where it is known.
"""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from latax._errors import ConfigError
from latax.integrate import FixedStep
from latax.models.autoencoder import image_shape
from latax.nn import MLP, DiagonalGaussian, GaussianHead, ImageDecoder, ImageFeatures
from latax.potential import (
    AbstractPotentialPDE,
    PotentialNet,
    Potentials,
    follow,
    gradient,
    require_smooth,
    squared_residual,
)
from latax.train import Batch

Latent = Float[Array, " n"]
Frames = Float[Array, "T d"]

_FEATURES = 64
#: Steps of the classical Runge-Kutta method from each frame to the next.
_SUBSTEPS = 2


class FlowSequenceVAE(eqx.Module):
    """Encoder, decoder, potentials and noise. All methods act on one sequence; use `jax.vmap` for many."""

    features: Callable
    head: Callable[[Array], DiagonalGaussian]
    decoder: Callable
    potentials: Potentials
    pde: AbstractPotentialPDE
    """Every array of it has a leading axis of length K."""
    log_noise: Float[Array, ""]
    times: tuple[float, ...] = eqx.field(static=True)
    at: int = eqx.field(static=True)

    def posterior(self, x: Frames) -> DiagonalGaussian:
        """q(z_at | x_at)."""
        return self.head(jax.nn.silu(self.features(x[self.at])))

    def states(
        self, z: Latent, k: Int[Array, ""], *, key: PRNGKeyArray | None = None
    ) -> tuple[Float[Array, "T n"], Float[Array, ""]]:
        """The latent points of all frames on the flow number k through z_at = z, and log |det ∂z_0 / ∂z_at|."""
        velocity, ts = gradient(self.potentials.at(k)), np.asarray(self.times)
        solver = FixedStep(substeps=_SUBSTEPS)
        later = follow(velocity, z, ts[self.at :], solver=solver).z
        if not self.at:
            return later, jnp.zeros((), z.dtype)
        earlier = follow(velocity, z, ts[self.at :: -1], solver=solver, density=True, key=key)
        return jnp.concatenate([earlier.z[:0:-1], later]), earlier.log_det[-1]

    def log_joint(
        self, x: Frames, z: Latent, k: Int[Array, ""], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, ""]:
        """log p(x | z_at, k) + log p(z_at | k), in nats, with every constant."""
        path, change = self.states(z, k, key=key)
        errors = (x - jax.vmap(self.decoder)(path)) * jnp.exp(-self.log_noise)
        fit = -0.5 * jnp.sum(errors**2) - x.size * (self.log_noise + 0.5 * math.log(2 * math.pi))
        start = -0.5 * jnp.sum(path[0] ** 2) - 0.5 * z.shape[0] * math.log(2 * math.pi)
        return fit + start + change

    def log_mixture(self, x: Frames, z: Latent, *, key: PRNGKeyArray | None = None) -> Float[Array, ""]:
        """The same for an unknown k, each as likely as the others beforehand: summed exactly over all of them."""
        count = self.potentials.count
        joint = jax.vmap(lambda k: self.log_joint(x, z, k, key=key))(jnp.arange(count))
        return jax.nn.logsumexp(joint) - math.log(count)

    def which(self, x: Frames, z: Latent) -> Float[Array, " K"]:
        """The probability of each k, given the sequence and the latent point."""
        joint = jax.vmap(lambda k: self.log_joint(x, z, k))(jnp.arange(self.potentials.count))
        return jax.nn.softmax(joint)

    def log_weight(self, x: Frames, k: Int[Array, ""] | None, key: PRNGKeyArray) -> Float[Array, ""]:
        """One draw of the bound's integrand, with the transformation k or, where it is None, the sum over all.

        Its mean is below log p(x); the logarithm of the mean of the exponentials of many is nearer.
        """
        drawn, probes = jr.split(key)
        q = self.posterior(x)
        z = q.sample(drawn)
        joint = self.log_mixture(x, z, key=probes) if k is None else self.log_joint(x, z, k, key=probes)
        return joint - q.log_prob(z)


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
    width_size: int = 64,
    key: PRNGKeyArray,
) -> FlowSequenceVAE:
    """A new model of sequences of frames of this shape.

    **Arguments:** `count`: K; `times`: of the frames, from 0 on and at most 1; `at`: which frame the encoder sees;
    `noise`: the standard deviation at the start, in data units. Raises `ConfigError` for times that do not begin at 0
    or do not increase up to 1 at most, and a frame that is not there.
    """
    values = np.asarray(times)
    if len(values) < 2 or values[0] != 0 or not (np.diff(values) > 0).all() or values[-1] > 1:
        raise ConfigError(f"times={times}: expected at least two, from 0 on, increasing, and at most 1.")
    if not 0 <= at < len(values):
        raise ConfigError(f"at={at}: there is no such frame; there are {len(values)}, numbered from 0 on.")
    if pde.order >= 2:
        require_smooth(jnp.tanh, f"the equation {type(pde).__name__}")
    size, image = math.prod(shape), image_shape(shape)
    keys, hidden = jr.split(key, 4), (width_size, width_size)
    if image is None:
        features: Callable = MLP(size, _FEATURES, hidden, activation=jax.nn.silu, key=keys[0])
        decoder: Callable = MLP(latent_size, size, hidden, activation=jax.nn.silu, key=keys[1])
    else:
        features = ImageFeatures(image, _FEATURES, activation=jax.nn.silu, key=keys[0])
        decoder = ImageDecoder(latent_size, image, activation=jax.nn.silu, key=keys[1])
    make = lambda key: PotentialNet(latent_size, hidden, speed=speed, key=key)
    each = lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)) if eqx.is_array(leaf) else leaf
    return FlowSequenceVAE(
        features,
        GaussianHead(_FEATURES, latent_size, key=keys[2]),
        decoder,
        Potentials.of(make, count, key=keys[3]),
        jax.tree.map(each, pde),
        jnp.log(jnp.asarray(noise)),
        tuple(times),
        at,
    )


class SequenceObjective(eqx.Module):
    """Terms `bound`, minus the lower bound of the log likelihood in nats for each number of the data, and `equation`,
    the squared residual of the potentials' equation per latent coordinate, at the frames' latent points.

    `known`: whether batches say which transformation each sequence is of; without, all are summed over.
    """

    known: bool = eqx.field(static=True)

    def __call__(self, model: FlowSequenceVAE, batch: Batch, key: Key[Array, ""]) -> dict[str, Float[Array, ""]]:
        """The means over the batch."""
        keys = jr.split(key, len(batch["x"]))
        k = batch["k"] if self.known else None
        weights = jax.vmap(model.log_weight)(batch["x"], k, keys)
        residuals = jax.vmap(lambda x, key: _residual(model, x, key))(batch["x"], keys)
        return {"bound": -jnp.mean(weights) / batch["x"][0].size, "equation": jnp.mean(residuals)}


class NegativeBound(eqx.Module):
    """Metric: minus one draw of the lower bound of every sequence, in nats.

    Each sequence has a draw of its own, the same at every look: with one for all, their mean would be as noisy as one.
    """

    known: bool = eqx.field(static=True)

    def __call__(self, model: FlowSequenceVAE, batch: Batch) -> Float[Array, " batch"]:
        """In nats."""
        k = batch["k"] if self.known else None
        keys = jax.vmap(lambda row: jr.fold_in(jr.key(0), row))(jnp.arange(len(batch["x"])))
        return -jax.vmap(model.log_weight)(batch["x"], k, keys)


def _residual(model: FlowSequenceVAE, x: Frames, key: PRNGKeyArray) -> Float[Array, ""]:
    """The squared residual of a random potential on its own path, at a random frame."""
    for_k, for_t, for_probes = jr.split(key, 3)
    k = jr.randint(for_k, (), 0, model.potentials.count)
    frame = jr.randint(for_t, (), 0, len(model.times))
    path, _ = model.states(model.posterior(x).mean, k, key=for_probes)
    pde = jax.tree.map(lambda leaf: leaf[k] if eqx.is_array(leaf) else leaf, model.pde)
    t = jnp.asarray(model.times, x.dtype)[frame]
    u = model.potentials.at(k)
    return squared_residual(pde, u, path[frame], t, key=for_probes) / path.shape[1]
