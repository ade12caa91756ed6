"""Closed-form charts: manifolds that are known, as embeddings.

For a learned manifold see `latax.density.FlowEmbedding`.
"""

import itertools
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.density.embedding import AbstractCover

_MOST_PREIMAGES = 10_000


class Sphere(AbstractCover):
    """The unit n-sphere in hyperspherical angles; the unit circle for n = 1.

        x_k = cos u_k  prod_{j<k} sin u_j,   x_{n+1} = prod_j sin u_j

    u_n is the azimuth, of period 2 pi; the other angles are polar, in [0, pi] after `project`, which also returns
    v = |x| - 1. As a map from all of R^n this is a cover: every angle may be wound by 2 pi, and every polar angle may
    change its sign if the angles after it make up for that.

    `preimages` lists the 2^(n-1) (2 periods + 1)^n latent points with up to `periods` windings: all those with angles
    in [-2 pi periods, 2 pi periods], and some beyond. One period keeps all but 6e-4 of a normal law that is as wide as
    a whole turn, whatever its centre. At the poles of the polar angles the volume vanishes and the density of the chart
    is infinite.
    For other radii and centres wrap it in `AffineOutput`. Raises `ConfigError` for n < 1, and where there are too many
    preimages to sum (n > 5).
    """

    in_size: int = eqx.field(static=True)
    periods: int = eqx.field(static=True, default=1)
    context_size: ClassVar[None] = None

    def __check_init__(self):
        if self.in_size < 1 or self.periods < 0:
            raise ConfigError(
                f"There is no sphere of dimension {self.in_size} with {self.periods} windings. "
                "Use Sphere(1) for a circle, Sphere(2) for the sphere in three dimensions."
            )
        count = 2 ** (self.in_size - 1) * (2 * self.periods + 1) ** self.in_size
        if count > _MOST_PREIMAGES:
            raise ConfigError(
                f"Sphere({self.in_size}, periods={self.periods}) has {count} latent points above each of its points, "
                "too many to sum for a density. Use a smaller dimension or fewer periods, or learn the manifold."
            )

    @property
    def out_size(self) -> int:
        """n + 1."""
        return self.in_size + 1

    def embed(self, u: Float[Array, " n"], context: Float[Array, " c"] | None = None) -> Float[Array, " d"]:
        """The point of the unit sphere with angles u."""
        one = jnp.ones(1, u.dtype)
        return jnp.concatenate((jnp.cos(u), one)) * jnp.concatenate((one, jnp.cumprod(jnp.sin(u))))

    def project(
        self, x: Float[Array, " d"], context: Float[Array, " c"] | None = None
    ) -> tuple[Float[Array, " n"], Float[Array, " 1"]]:
        """The angles of x / |x|, and (|x| - 1,)."""
        n = self.in_size
        rest = jnp.sqrt(jnp.cumsum(x[::-1] ** 2)[::-1])  # rest[k] = |(x_k, ..., x_{n+1})|
        polar = jnp.arctan2(rest[1:n], x[: n - 1])
        azimuth = jnp.arctan2(x[n:], x[n - 1 : n])
        return jnp.concatenate((polar, azimuth)), rest[:1] - 1

    def preimages(self, u: Float[Array, " n"]) -> Float[Array, "k n"]:
        """The latent points above embed(u): see the class."""
        angles, _ = self.project(self.embed(u))
        factors, offsets = _deck(self.in_size, self.periods)
        return jnp.asarray(factors, u.dtype) * angles[None] + jnp.asarray(offsets, u.dtype)


def _deck(n: int, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Factors and offsets, (k, n) each, that take the angles of a point to all latent points above it.

    Where `sign` is the wanted sign of sin u_k and `turned` says whether the coordinates from k on must change theirs,
    u_k becomes sign * u_k, or sign * (pi - u_k) if turned; the azimuth makes up for a turn by half a period.
    """
    factors, offsets = [], []
    for signs in itertools.product((1, -1), repeat=n - 1):
        direction = np.cumprod((1, *signs))  # -1 where turned
        turned = direction < 0
        sign = np.array((*signs, 1))
        factors.append(np.where(np.arange(n) < n - 1, sign * direction, 1))
        offsets.append(np.where(turned, sign * np.pi, 0.0))
    windings = 2 * np.pi * np.array(list(itertools.product(range(-periods, periods + 1), repeat=n)))
    shape = (len(factors), len(windings), n)
    all_factors = np.broadcast_to(np.array(factors)[:, None], shape)
    all_offsets = np.array(offsets)[:, None] + windings[None]
    return all_factors.reshape(-1, n), all_offsets.reshape(-1, n)
