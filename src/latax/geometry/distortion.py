"""How far a stretch is from one: the densities γ of the distortion term of low-bending embeddings.

A stretch s is a length in latent space divided by the length on the manifold. γ(s) >= 0 and is zero at s = 1 only.
The one that is meant has to be named with every result: values of different γ do not compare.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax._errors import ConfigError

Stretch = Float[Array, "..."]


class AbstractDistortion(eqx.Module):
    """A density γ of distortion, as a function of the squared stretch: that has derivatives where s = 0, too."""

    @abc.abstractmethod
    def of_square(self, square: Stretch) -> Stretch:
        """γ(√square), for squares >= 0."""

    def __call__(self, stretch: Stretch) -> Stretch:
        """γ(s), for any stretch s >= 0."""
        return self.of_square(stretch**2)


class Inverse(AbstractDistortion):
    """γ(s) = s² + 1/s² - 2 = (s - 1/s)²: infinite at 0, so nothing may collapse. γ''(1) = 8.

    Below s = 1e-3 it goes on as its tangent in s²: finite, and still steep.
    """

    def of_square(self, square: Stretch) -> Stretch:
        """s² + 1/s² - 2."""
        least = jnp.asarray(1e-6, square.dtype)
        safe = jnp.maximum(square, least)
        below = jnp.minimum(square - least, 0)
        return square + (1 - below / safe) / safe - 2


class Regularised(AbstractDistortion):
    """γ(s) = s² + (1 + c)²/(s² + c) - (2 + c): `Inverse` made finite, 1/c, at 0. γ''(1) = 8 / (1 + c)."""

    c: float = eqx.field(static=True, default=0.05, converter=float)

    def __check_init__(self):
        if not self.c > 0:
            raise ConfigError(f"Regularised: c = {self.c:g} has to be positive; 0.01 to 0.1 makes a smooth start.")

    def of_square(self, square: Stretch) -> Stretch:
        """s² + (1 + c)²/(s² + c) - (2 + c)."""
        return square + (1 + self.c) ** 2 / (square + self.c) - (2 + self.c)


class Quadratic(AbstractDistortion):
    """γ(s) = (s - 1)²: does not keep points from collapsing. γ''(1) = 2."""

    def of_square(self, square: Stretch) -> Stretch:
        """(s - 1)²."""
        positive = square > 0
        root = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)
        return (root - 1) ** 2


class Logarithmic(AbstractDistortion):
    """γ(s) = log² s: twice as long is as bad as half as long. γ''(1) = 2. Squares below 1e-12 count as that."""

    def of_square(self, square: Stretch) -> Stretch:
        """log² s."""
        return (0.5 * jnp.log(jnp.maximum(square, 1e-12))) ** 2


DISTORTIONS: dict[str, AbstractDistortion] = {
    "inverse": Inverse(),
    "regularised": Regularised(),
    "quadratic": Quadratic(),
    "log": Logarithmic(),
}
