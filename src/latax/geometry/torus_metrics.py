"""Tori as reference metrics, by angles: they have no poles, so the angles need no bounds."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.geometry.reference_metric import AbstractEmbeddedReference, Matrix, Vector, check_dimension


class FlatTorusMetric(AbstractEmbeddedReference):
    """Clifford's torus, a product of circles: Σ = diag(r_1², ..., r_d²) for angles u. Flat, and the same everywhere.

    Raises `ConfigError` where there is no radius, and for one that is not positive.
    """

    radii: tuple[float, ...] = eqx.field(static=True, converter=lambda radii: tuple(float(r) for r in radii))

    def __check_init__(self):
        check_dimension("FlatTorusMetric", self.dim)
        if not all(0 < r < math.inf for r in self.radii):
            raise ConfigError(f"FlatTorusMetric({self.radii}): radii have to be positive and finite.")

    @property
    def dim(self) -> int:
        """The number of radii."""
        return len(self.radii)

    def metric(self, u: Vector) -> Matrix:
        """The squared radii, on the diagonal."""
        return jnp.diag(self._radii(u) ** 2)

    def chart(self, v: Vector) -> Vector:
        """v itself: angles may be any number."""
        return v

    def embed(self, u: Vector) -> Float[Array, " l"]:
        """r_i cos u_i, then r_i sin u_i."""
        return jnp.concatenate([self._radii(u) * jnp.cos(u), self._radii(u) * jnp.sin(u)])

    def _radii(self, u: Vector) -> Vector:
        return jnp.asarray(np.array(self.radii), u.dtype)


class RevolutionTorusMetric(AbstractEmbeddedReference):
    """The torus in R³, a circle of radius r turned about an axis at the distance R > r: Σ = diag((R + r cos u_2)², r²).

    u_1 is the angle about the axis, u_2 the one about the tube. Raises `ConfigError` unless 0 < r < R.
    """

    major: float = eqx.field(static=True, default=2.0, converter=float)
    minor: float = eqx.field(static=True, default=0.5, converter=float)

    def __check_init__(self):
        if not 0 < self.minor < self.major < math.inf:
            raise ConfigError(
                f"RevolutionTorusMetric: minor = {self.minor:g}, major = {self.major:g}; expected 0 < minor < major, "
                "or the tube meets itself and the metric is singular there. Exchange them, or make minor smaller."
            )

    @property
    def dim(self) -> int:
        """2."""
        return 2

    def metric(self, u: Vector) -> Matrix:
        """The squared distance from the axis, and r²."""
        ring = self.major + self.minor * jnp.cos(u[1])
        return jnp.diag(jnp.stack([ring, jnp.full_like(ring, self.minor)]) ** 2)

    def chart(self, v: Vector) -> Vector:
        """v itself: angles may be any number."""
        return v

    def embed(self, u: Vector) -> Float[Array, " l"]:
        """((R + r cos u_2) cos u_1, (R + r cos u_2) sin u_1, r sin u_2)."""
        ring = self.major + self.minor * jnp.cos(u[1])
        return jnp.stack([ring * jnp.cos(u[0]), ring * jnp.sin(u[0]), self.minor * jnp.sin(u[1])])
