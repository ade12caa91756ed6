"""The deterministic autoencoder: encoder and decoder, with the units of data and latent space around them."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.nn import MLP, ImageDecoder, ImageFeatures

Sample = Float[Array, " d"]
Latent = Float[Array, " l"]


class Autoencoder(eqx.Module):
    """x -> z -> x. All methods act on one sample; use `jax.vmap` for many.

    The networks see numbers of order one: data = loc + scale · decoder((z - latent_loc) / latent_scale) and
    z = gain · encoder((x - loc) / scale). These five are found from data and never trained.
    """

    encoder: Callable
    decoder: Callable | None
    """None where only an embedding is wanted."""
    loc: Sample
    scale: Float[Array, ""]
    gain: Float[Array, ""]
    latent_loc: Latent
    latent_scale: Float[Array, ""]

    @property
    def latent_size(self) -> int:
        """Number of latent coordinates."""
        return self.latent_loc.shape[0]

    def shifted(self, loc: Sample) -> "Autoencoder":
        """The same model for data moved by `loc`."""
        return eqx.tree_at(lambda model: model.loc, self, self.loc + loc)

    def encode(self, x: Sample, context: None = None) -> Latent:
        """The latent coordinates of x, in the units of the distances that it was trained with."""
        return self.gain * self.encoder((x - self.loc) / self.scale)

    def decode(self, z: Latent, context: None = None) -> Sample:
        """The data point of latent coordinates. Raises `ConfigError` without a decoder."""
        if self.decoder is None:
            raise ConfigError(
                "This autoencoder was fitted with decoder=False: it encodes only. Fit one with a decoder."
            )
        return self.loc + self.scale * self.decoder((z - self.latent_loc) / self.latent_scale)


def autoencoder(
    shape: tuple[int, ...],
    latent_size: int,
    *,
    width_size: int = 128,
    activation: Callable = jax.nn.silu,
    scale: Float[Array, ""] | None = None,
    decoder: bool = True,
    key: PRNGKeyArray,
) -> Autoencoder:
    """An autoencoder of samples of this shape with zero mean: convolutions for images (height, width, channels) of at
    least 8 by 8 pixels, and networks with two hidden layers of `width_size` for everything else.

    `scale`: the typical size of the data's numbers, 1 by default. Raises `ConfigError` for sizes below 1.
    """
    if latent_size < 1 or width_size < 1:
        raise ConfigError(f"latent_size={latent_size} and width_size={width_size} have to be at least 1.")
    size, (down, up) = math.prod(shape), jax.random.split(key)
    image = image_shape(shape)
    if image is None:
        widths = (width_size, width_size)
        encoder = MLP(size, latent_size, widths, activation=activation, key=down)
        decoding = MLP(latent_size, size, widths, activation=activation, silent=True, key=up)
    else:
        encoder = ImageFeatures(image, latent_size, activation=activation, key=down)
        decoding = ImageDecoder(latent_size, image, activation=activation, key=up)
    one = jnp.ones(())
    return Autoencoder(
        encoder,
        decoding if decoder else None,
        jnp.zeros(size),
        one if scale is None else scale,
        one,
        jnp.zeros(latent_size),
        one,
    )


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """(height, width, channels) where samples of this shape are images that are worth convolutions."""
    if len(shape) not in (2, 3) or min(shape[:2]) < 8:
        return None
    return shape[0], shape[1], shape[2] if len(shape) == 3 else 1
