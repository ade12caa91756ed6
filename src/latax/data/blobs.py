"""Images of one blob with four known factors, and the generator itself, which needs no training.

The factors are place and widths, x, y, wide and high, in pixels; each comes from one coordinate of a standard normal
point z, or from a rotation of it:

    x = middle + 0.22 side tanh(f_0),  y likewise,  wide = 0.11 side exp(0.4 tanh(f_2)),  high likewise,  f = M z.

Nothing wraps around: a blob that goes right stays right. With `bend`, the factors are curved functions of z:

    f_0 + i f_1 = sinh(b w) / b  with  w = (M z)_0 + i (M z)_1,  and f_2 + i f_3 likewise.

The map is conformal, so the gradients of the four factors are at right angles everywhere but where cosh(b w) = 0: along
each of them one factor changes and no other, and no straight line does that. Their directions turn from place to place
by arg cosh(b w), which for b = 0.6 is 20 degrees one deviation from the origin both ways.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.data.samples import Samples, default_names

#: Side of the images that `make` makes, in pixels.
SIDE = 16
FACTORS = ("x", "y", "wide", "high")
_PLACE, _WIDTH, _SPREAD = 0.22, 0.11, 0.4


class Blobs(eqx.Module):
    """z (4,) -> an image (side, side, 1) with values from 0 to 1; a decoder that is known.

    **Arguments:** `side`: in pixels, at least 8; `mixing`: an orthogonal matrix M (4, 4), the identity by default, by
    which the factors are no coordinates of z; `bend`: b, by which they are no straight lines either; 0 or more.
    """

    mixing: Float[Array, "4 4"]
    side: int = eqx.field(static=True)
    bend: float = eqx.field(static=True)

    def __init__(self, side: int = SIDE, mixing: Float[Array, "4 4"] | None = None, bend: float = 0.0):
        if side < 8:
            raise ConfigError(f"side={side}: a blob needs at least 8 pixels to be seen.")
        if not 0 <= bend < np.inf:
            raise ConfigError(f"bend={bend}: expected 0, for factors along straight lines, or a number above.")
        self.side = side
        self.bend = bend
        self.mixing = jnp.eye(4) if mixing is None else mixing

    def __call__(self, z: Float[Array, " 4"]) -> Float[Array, "{self.side} {self.side} 1"]:
        """The image."""
        x, y, wide, high = self.factors(z)
        pixels = jnp.arange(self.side, dtype=z.dtype)
        row = jnp.exp(-0.5 * ((pixels - y) / high) ** 2)
        column = jnp.exp(-0.5 * ((pixels - x) / wide) ** 2)
        return (row[:, None] * column[None])[..., None]

    def factors(self, z: Float[Array, " 4"]) -> Float[Array, " 4"]:
        """x, y, wide and high, in pixels."""
        bounded = jnp.tanh(self.unbounded(z))
        place = (self.side - 1) / 2 + _PLACE * self.side * bounded[:2]
        return jnp.concatenate([place, _WIDTH * self.side * jnp.exp(_SPREAD * bounded[2:])])

    def unbounded(self, z: Float[Array, " 4"]) -> Float[Array, " 4"]:
        """f, of which each factor is a bounded function that increases: along ∇f_k the k-th factor alone changes."""
        f = self.mixing @ z
        if not self.bend:
            return f
        b, real, imaginary = self.bend, self.bend * f[::2], self.bend * f[1::2]
        curved = jnp.sinh(real) * jnp.cos(imaginary), jnp.cosh(real) * jnp.sin(imaginary)
        return jnp.stack(curved, axis=1).ravel() / b

    @property
    def span(self) -> Float[np.ndarray, " 4"]:
        """The range of each factor, in pixels."""
        place, width = 2 * _PLACE * self.side, 2 * _WIDTH * self.side * np.sinh(_SPREAD)
        return np.array([place, place, width, width])


def make(size: int, seed: int = 0) -> Samples:
    """`size` blobs of 16 by 16 pixels, with `truth`: "factors" (size, 4) and "latent" (size, 4)."""
    decoder = Blobs()
    z = jr.normal(jr.key(seed), (size, 4), jnp.float32)
    images, factors = jax.jit(jax.vmap(lambda z: (decoder(z), decoder.factors(z))))(z)
    shape = (SIDE, SIDE, 1)
    return Samples(
        np.asarray(images).reshape(size, -1),
        feature_names=default_names(shape, "pixel"),
        sample_shape=shape,
        origin=f"rendered blobs with place and widths as factors, seed {seed}",
        truth={"factors": np.asarray(factors), "latent": np.asarray(z)},
    )
