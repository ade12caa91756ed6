"""The physics-integrated VAE for a formula without time: images, profiles, spectra.

    x = physics(p) + outside(p, z) + noise

Encoder, noise, regularisers and bound are those of `latax.models.physics_vae`; its ladder has one step, and there is no
initial state. Images (height, width, channels) are encoded and corrected by convolutions, other samples by perceptrons.
"""

import math

import equinox as eqx
import jax.numpy as jnp
from jax import random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.models.physics_encoder import Encoder
from latax.models.physics_model import AbstractPhysicsVAE, Ladder, Latents
from latax.models.physics_objective import Batch, sequences, unit_of
from latax.nn import MLP, ImageDecoder
from latax.physics import ClosedForm
from latax.physics.space import Params


class ClosedFormVAE(AbstractPhysicsVAE):
    """A closed form with a learned correction, and the encoder that infers its parameters.

    `Latents.inside` and `Latents.initial` are empty. `loc` and `scale` are one number, or one for each channel.
    """

    physics: ClosedForm
    encoder: Encoder
    inside: None
    outside: MLP | ImageDecoder | None
    log_noise: Float[Array, ""]
    loc: Float[Array, "*ones"]
    scale: Float[Array, "*ones"]
    inside_size: int = eqx.field(static=True)
    outside_size: int = eqx.field(static=True)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return self.physics.sample_shape

    @property
    def given(self) -> int:
        """Nothing."""
        return 0

    @property
    def initial_shape(self) -> tuple[int, ...]:
        """That of nothing."""
        return (0,)

    def first_state(self, x: Float[Array, "*sample"]) -> Float[Array, "0"]:
        """Nothing: there is no time."""
        return jnp.zeros(0, x.dtype)

    def mean(self, x: Float[Array, "*sample"]) -> Float[Array, "*ones"]:
        """The mean of all numbers, or of each channel of an image."""
        axes = (0, 1) if len(self.shape) == 3 else None
        return jnp.mean(x, axis=axes).reshape(self.loc.shape)

    def alone(self, params: Params, initial: Float[Array, "0"]) -> Float[Array, "*sample"]:
        """What the physics makes of these parameters."""
        return self.physics.simulate(params)

    def ladder(self, latents: Latents) -> Ladder:
        """The physics alone and the full model, each twice; the state is empty."""
        physics = self.physics.simulate(self.parameters(latents.physics))
        full = physics + self._outside(latents)
        return Ladder(physics, physics, full, full, jnp.zeros((len(physics), 0), physics.dtype))

    def decode(self, latents: Latents) -> Float[Array, "*sample"]:
        """The sample without noise."""
        return self.ladder(latents).full

    def latents(
        self,
        x: Float[Array, "*sample"],
        physics: Float[Array, " m"],
        auxiliary: Float[Array, " c"],
        initial: Float[Array, "0"],
    ) -> Latents:
        """Latents from coordinates as the posterior has them."""
        return Latents(physics, auxiliary[:0], auxiliary, initial)

    def effort(self, latents: Latents, ladder: Ladder) -> Float[Array, ""]:
        """Mean square of the correction, in units of the data."""
        return jnp.mean(((ladder.full - ladder.physics) / self.scale[None]) ** 2)

    def _outside(self, latents: Latents) -> Float[Array, "*sample"]:
        if self.outside is None:
            return jnp.zeros(self.shape, self.scale.dtype)
        known = self.physics.parameters.canonical(latents.physics)
        added = self.outside(jnp.concatenate([known, latents.outside]))
        return added.reshape(self.shape) * self.scale[None]


def closed_form_vae(
    physics: ClosedForm,
    *,
    outside_size: int | None = 2,
    noise: float = 0.1,
    width_size: int = 128,
    key: PRNGKeyArray,
) -> ClosedFormVAE:
    """A new physics-integrated VAE for what a formula gives.

    **Arguments:**

    - `physics`: what is known. Results of three dimensions are images (height, width, channels).
    - `outside_size`: latent coordinates of the correction; 0 for one that depends on the parameters alone, None for
      none.
    - `noise`: standard deviation at the start, in standard deviations of the data.
    - `width_size`: hidden units of the encoder.

    Raises `ConfigError` for a size below zero and a physics whose result is a single number.
    """
    shape = physics.sample_shape
    if not shape:
        raise ConfigError("The physics gives a single number; expected an array: an image, a profile or a spectrum.")
    if outside_size is not None and outside_size < 0:
        raise ConfigError(f"outside_size={outside_size} must be a whole number from 0 on, or None for no correction.")
    encoder_key, outside_key = jr.split(key)
    m, b, numbers = physics.parameters.size, outside_size or 0, math.prod(shape)
    image = shape if len(shape) == 3 else None
    # As in a sequence, without the first axis.
    units = (1, shape[2]) if image is not None else (1,) * (len(shape) - 1)
    outside = None
    if outside_size is not None and image is not None:
        outside = ImageDecoder(m + b, image, key=outside_key)
    elif outside_size is not None:
        outside = MLP(m + b, numbers, (width_size, width_size), silent=True, key=outside_key)
    return ClosedFormVAE(
        physics=physics,
        encoder=Encoder(numbers, m, b, 0, width_size=width_size, image=image, key=encoder_key),
        inside=None,
        outside=outside,
        log_noise=jnp.log(jnp.asarray(noise)),
        loc=jnp.zeros(units),
        scale=jnp.ones(units),
        inside_size=0,
        outside_size=b,
    )


def start_closed_form(model: ClosedFormVAE, batch: Batch) -> ClosedFormVAE:
    """The model in the units of a first batch, the mean and standard deviation over all, or all of each channel."""
    x = sequences(model, batch)
    axes = tuple(range(x.ndim - 1)) if len(model.shape) == 3 else tuple(range(x.ndim))
    loc = jnp.mean(x, axis=axes).reshape(model.loc.shape)
    scale = unit_of(x, axes).reshape(model.scale.shape)
    return eqx.tree_at(lambda m: (m.loc, m.scale), model, (loc, scale))
