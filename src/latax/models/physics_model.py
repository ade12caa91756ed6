"""What all physics-integrated VAEs have in common: units, encoder, prior draws. See `latax.models.physics_vae`."""

import abc
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from equinox import AbstractVar
from jaxtyping import Array, Float, PRNGKeyArray, PyTree, Shaped

from latax.models.physics_encoder import Encoder
from latax.nn import DiagonalGaussian
from latax.physics.physics import AbstractPhysics
from latax.physics.space import Params
from latax.train import in_chunks

#: Numbers of samples that are made at once in draws: networks of images hold some fifty times as many.
_AT_ONCE = 1 << 16
#: Draws of parameters with one of the auxiliary coordinates.
_EACH = 4


class Latents(NamedTuple):
    """What a sequence is made from; all but `initial` are standard normal beforehand.

    `physics`: unconstrained coordinates v of the parameters; `inside`, `outside`: of the corrections; `initial`: the
    whole state at the first time.
    """

    physics: Float[Array, " m"]
    inside: Float[Array, " a"]
    outside: Float[Array, " b"]
    initial: Float[Array, " s"]


class Posterior(NamedTuple):
    """What the encoder says about one sequence."""

    physics: DiagonalGaussian
    auxiliary: DiagonalGaussian
    """Of `inside` and `outside` together."""
    initial: DiagonalGaussian
    """Of the initial state, in units of its prior around the first observation; of size 0 where it is observed."""
    cleansed: Float[Array, "T *sample"]
    """The sequence as the encoder believes the physics alone would have made it."""


class Ladder(NamedTuple):
    """The four reconstructions of one sequence, each (T, *sample): what the physics and its corrections make of it.

    `states`: the whole state along the corrected trajectory.
    """

    physics: Float[Array, "T *sample"]
    with_inside: Float[Array, "T *sample"]
    with_outside: Float[Array, "T *sample"]
    full: Float[Array, "T *sample"]
    states: Float[Array, "T *state"]


class AbstractPhysicsVAE(eqx.Module):
    """A physics with corrections, and the encoder that infers its parameters. Methods act on one sample.

    Samples have the shape `shape`, whose first axis is time, or the first axis of a closed form's result; that of
    `loc` and `scale` lacks it. Networks see (x - loc) / scale, and `log_noise` is the logarithm of the standard
    deviation of the noise in these units. `inside_size` and `outside_size` count the coordinates of the corrections.
    """

    physics: AbstractVar[AbstractPhysics]
    encoder: AbstractVar[Encoder]
    inside: AbstractVar[eqx.Module | None]
    outside: AbstractVar[eqx.Module | None]
    log_noise: AbstractVar[Float[Array, ""]]
    loc: AbstractVar[Float[Array, "*sample"]]
    scale: AbstractVar[Float[Array, "*sample"]]
    inside_size: AbstractVar[int]
    outside_size: AbstractVar[int]

    # ---- what each of them has its own way of doing

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample."""

    @property
    @abc.abstractmethod
    def given(self) -> int:
        """How many entries of a sample's first axis are given to the model, so that its density is that of the rest."""

    @property
    @abc.abstractmethod
    def initial_shape(self) -> tuple[int, ...]:
        """The shape of `Latents.initial`."""

    @abc.abstractmethod
    def first_state(self, x: Float[Array, "T *sample"]) -> Float[Array, "*state"]:
        """The initial state that a sample shows; empty without time."""

    @abc.abstractmethod
    def mean(self, x: Float[Array, "T *sample"]) -> Float[Array, "*sample"]:
        """The mean of a sample over time, or of each channel: what is left if a model explains none of it."""

    @abc.abstractmethod
    def alone(self, params: Params, initial: Float[Array, "*state"]) -> Float[Array, "T *sample"]:
        """What the physics makes of these parameters, without corrections."""

    @abc.abstractmethod
    def ladder(self, latents: Latents) -> Ladder:
        """All reconstructions."""

    @abc.abstractmethod
    def decode(self, latents: Latents) -> Float[Array, "T *sample"]:
        """The sample without noise."""

    @abc.abstractmethod
    def latents(
        self,
        x: Float[Array, "T *sample"],
        physics: Float[Array, " m"],
        auxiliary: Float[Array, " c"],
        initial: Float[Array, " s"],
    ) -> Latents:
        """Latents from coordinates as the posterior has them."""

    @abc.abstractmethod
    def effort(self, latents: Latents, ladder: Ladder) -> Float[Array, ""]:
        """Mean square of the corrections, each in its own units."""

    # ---- the generative model

    @property
    def noise(self) -> Float[Array, "*sample"]:
        """Standard deviation of the noise, in data units."""
        return jnp.exp(self.log_noise) * self.scale

    def parameters(self, v: Float[Array, " m"]) -> Params:
        """The parameters, in their units."""
        return self.physics.parameters.from_normal(v)

    def sample(self, key: PRNGKeyArray, initial: Float[Array, "*state"]) -> Float[Array, "T *sample"]:
        """A sequence from prior draws of everything but the initial state, with noise."""
        keys = jr.split(key, 4)
        draw = lambda key, size: jr.normal(key, (size,), self.scale.dtype)
        sizes = (self.physics.parameters.size, self.inside_size, self.outside_size)
        x = self.decode(Latents(*map(draw, keys[:3], sizes), initial))
        return x + self.noise[None] * jr.normal(keys[3], x.shape, x.dtype)

    # ---- inference

    def posterior(self, x: Float[Array, "T *sample"], key: PRNGKeyArray | None = None) -> Posterior:
        """What the encoder says about x. The cleansing takes a draw of the auxiliary coordinates if there is a key, as
        in training, else their mean."""
        flat = self.standardise(x).ravel()
        auxiliary, initial = self.encoder.unknown(flat)
        drawn = auxiliary.mean if key is None else auxiliary.sample(key)
        cleansed = self.encoder.cleanse(flat, drawn)
        physics = self.encoder.known(cleansed)
        return Posterior(physics, auxiliary, initial, self.restore(cleansed.reshape(x.shape)))

    def draw_parameters(self, x: Float[Array, "T *sample"], key: PRNGKeyArray, count: int) -> Float[Array, "count m"]:
        """Draws of q(v | x), four with each draw of the auxiliary coordinates: those are what takes time."""

        def draw(key: PRNGKeyArray) -> Float[Array, "each m"]:
            cleanser_key, physics_key = jr.split(key)
            known = self.posterior(x, cleanser_key).physics
            return jax.vmap(known.sample)(jr.split(physics_key, _EACH))

        drawn = over_draws(draw, key, -(-count // _EACH), x.size)
        return drawn.reshape(-1, drawn.shape[-1])[:count]

    def encode(self, x: Float[Array, "T *sample"]) -> Latents:
        """The latents at the posterior's mean."""
        found = self.posterior(x)
        return self.latents(x, found.physics.mean, found.auxiliary.mean, found.initial.mean)

    # ---- units

    def standardise(self, x: Float[Array, "T *sample"]) -> Float[Array, "T *sample"]:
        """Observations in the networks' units."""
        return (x - self.loc[None]) / self.scale[None]

    def restore(self, standard: Float[Array, "T *sample"]) -> Float[Array, "T *sample"]:
        """Observations in their own units."""
        return self.loc[None] + self.scale[None] * standard


def over_draws(
    function: Callable[[PRNGKeyArray], PyTree[Array]], key: PRNGKeyArray, count: int, numbers: int
) -> PyTree[Shaped[Array, "count ..."]]:
    """`function` of so many keys, some at a time where each makes a sample of many numbers."""
    return in_chunks(jax.vmap(function), jr.split(key, count), max(1, _AT_ONCE // numbers))
