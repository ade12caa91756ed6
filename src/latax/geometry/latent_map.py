"""What curves need of a map from latent coordinates to data, checked before anything is computed."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from latax._errors import ConfigError
from latax.calculus import VectorMap


def as_point(z: ArrayLike) -> Float[Array, "..."]:
    """Coordinates as JAX holds them: single precision, unless double is switched on and they have it."""
    z = jnp.asarray(z)
    return z if jnp.issubdtype(z.dtype, jnp.floating) else z.astype(float)


def check_map(f: VectorMap, z: Float[Array, " n"]) -> None:
    """Raise `ConfigError` unless f maps z (n,) to a vector of at least n numbers. Does not evaluate f."""
    image = jax.eval_shape(f, z)
    shape = getattr(image, "shape", None)
    if shape is None or len(shape) != 1:
        got = f"gives an array of shape {shape}" if shape is not None else f"gives {type(image).__name__}"
        raise ConfigError(
            f"The map {got} at one latent point of shape {z.shape}; expected one vector of data. "
            "Flatten it: lambda z: decoder(z).reshape(-1)."
        )
    if shape[0] < z.shape[0]:
        raise ConfigError(
            f"The map goes from {z.shape[0]} latent coordinates to {shape[0]} numbers, where it cannot have full rank: "
            "different points have the same image and the metric is singular. Pass the decoder, not the encoder."
        )
