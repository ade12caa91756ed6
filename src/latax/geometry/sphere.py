"""Spheres and spherical caps, as unit vectors times a radius."""

import math

import equinox as eqx
import jax.lax as lax
import jax.numpy as jnp
import jax.random as jr
import scipy.special
from jax.scipy.special import betainc
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.geometry.manifold import AbstractHomogeneousManifold, AbstractManifold, Scalar
from latax.geometry.smooth import angle_over_sine, cos_of_root, norm, sinc_of_root

Vector = Float[Array, " d"]

_BISECTIONS = 60


class AbstractSphericalManifold(AbstractManifold):
    """What a sphere and its regions have in common: points are vectors of n + 1 coordinates with length `radius`.

    Tangent vectors at x are vectors of R^(n+1) orthogonal to x.
    """

    radius: eqx.AbstractVar[float]

    @property
    def point_shape(self) -> tuple[int, ...]:
        """(n + 1,)."""
        return (self.dim + 1,)

    @property
    def tangent_shape(self) -> tuple[int, ...]:
        """(n + 1,)."""
        return (self.dim + 1,)

    @property
    def injectivity_radius(self) -> float:
        """π radius: antipodes are joined by many shortest paths."""
        return math.pi * self.radius

    @property
    def diameter(self) -> float:
        """π radius."""
        return math.pi * self.radius

    def distance(self, x: Vector, y: Vector) -> Scalar:
        """The length of the great arc, 2 radius atan2(|x - y|, |x + y|), exact near 0 and near π radius (Kahan)."""
        return 2 * self.radius * jnp.arctan2(norm(x - y), norm(x + y))

    def midpoint(self, x: Vector, y: Vector) -> Vector:
        """(x + y) at the sphere's radius; not finite for antipodes, which have none."""
        total = x + y
        return self.radius * total / jnp.linalg.norm(total)

    def metric(self, x: Vector, v: Vector, w: Vector) -> Scalar:
        """v . w."""
        return jnp.dot(v, w)

    def basis(self, x: Vector) -> Float[Array, "n d"]:
        """The last n columns of the Householder reflection that takes the first unit vector to the line of x."""
        unit = x / jnp.linalg.norm(x)
        first = jnp.zeros_like(x).at[0].set(1)
        mirror = unit + jnp.where(unit[0] < 0, -1, 1).astype(x.dtype) * first
        reflection = jnp.eye(self.dim + 1, dtype=x.dtype) - 2 * jnp.outer(mirror, mirror) / jnp.dot(mirror, mirror)
        return reflection[1:]

    def exp(self, x: Vector, v: Vector) -> Vector:
        """cos(|v| / radius) x + sin(|v| / radius) radius v / |v|, for every v."""
        angle_squared = jnp.dot(v, v) / self.radius**2
        return cos_of_root(angle_squared) * x + sinc_of_root(angle_squared) * v

    def log(self, x: Vector, y: Vector) -> Vector:
        """The part of y orthogonal to x, stretched to the length of the great arc."""
        square = self.radius**2
        cosine = jnp.dot(x, y) / square
        across = (y - x) - jnp.dot(y - x, x) / square * x
        return angle_over_sine(jnp.dot(across, across) / square, cosine) * across


class Sphere(AbstractSphericalManifold, AbstractHomogeneousManifold):
    """The n-sphere of this radius in R^(n+1).

    Raises `ConfigError` for n < 1 and for a radius that is not positive.
    """

    dim: int = eqx.field(static=True)
    radius: float = eqx.field(static=True, default=1.0, converter=float)

    def __check_init__(self):
        _check(self.dim, self.radius)

    @property
    def volume(self) -> float:
        """2 π^((n+1)/2) / Γ((n+1)/2) radius^n."""
        return _area(self.dim, self.radius)

    def sample(self, key: PRNGKeyArray) -> Vector:
        """Uniform on the sphere."""
        return self.radius * _unit(key, self.dim + 1)

    def contains(self, x: Vector) -> Bool[Array, ""]:
        """True: a sphere has no boundary."""
        return jnp.array(True)

    def embed(self, x: Vector) -> Vector:
        """x itself."""
        return x

    @property
    def embedding_is_lowest(self) -> bool:
        """True: all geodesics close after 2π radius, and Wirtinger's inequality holds on each."""
        return True


class SphericalCap(AbstractSphericalManifold):
    """The points of a sphere at an angle of at most `opening` (radians) from the last coordinate axis.

    Below π/2 it is geodesically convex: shortest paths and midpoints of its points stay inside. `exp` may leave it; ask
    `contains`. Raises `ConfigError` for an opening outside of (0, π/2), for n < 1 and a radius that is not positive.
    """

    dim: int = eqx.field(static=True)
    opening: float = eqx.field(static=True, converter=float)
    radius: float = eqx.field(static=True, default=1.0, converter=float)

    def __check_init__(self):
        _check(self.dim, self.radius)
        if not 0 < self.opening < math.pi / 2:
            raise ConfigError(
                f"SphericalCap: opening = {self.opening:g} radians. Expected an angle in (0, π/2), below which the cap "
                "is geodesically convex; for more use the whole Sphere."
            )

    @property
    def diameter(self) -> float:
        """2 opening radius, from one edge over the axis to the other."""
        return 2 * self.opening * self.radius

    @property
    def volume(self) -> float:
        """Half of the sphere's times I(sin² opening; n/2, 1/2), the regularised incomplete beta function (Li 2011)."""
        share = scipy.special.betainc(self.dim / 2, 0.5, math.sin(self.opening) ** 2)
        return _area(self.dim, self.radius) * float(share) / 2

    def sample(self, key: PRNGKeyArray) -> Vector:
        """Uniform in the cap: the angle from the axis by bisection of its distribution function."""
        key_angle, key_around = jr.split(key)
        around = _unit(key_around, self.dim)

        def below(angle: Scalar) -> Scalar:
            return betainc(jnp.full_like(angle, self.dim / 2), jnp.full_like(angle, 0.5), jnp.sin(angle) ** 2)

        target = jr.uniform(key_angle, (), around.dtype) * below(jnp.asarray(self.opening, around.dtype))

        def halve(_, interval: tuple[Scalar, Scalar]) -> tuple[Scalar, Scalar]:
            low, high = interval
            middle = (low + high) / 2
            right = below(middle) < target
            return jnp.where(right, middle, low), jnp.where(right, high, middle)

        start = jnp.zeros_like(target), jnp.full_like(target, self.opening)
        low, high = lax.fori_loop(0, _BISECTIONS, halve, start)
        angle = (low + high) / 2
        return self.radius * jnp.append(jnp.sin(angle) * around, jnp.cos(angle))

    def contains(self, x: Vector) -> Bool[Array, ""]:
        """Whether the angle between x and the axis is at most `opening`."""
        return jnp.arctan2(jnp.linalg.norm(x[:-1]), x[-1]) <= self.opening


def _unit(key: PRNGKeyArray, size: int) -> Float[Array, " size"]:
    normal = jr.normal(key, (size,))
    return normal / jnp.linalg.norm(normal)


def _area(n: int, radius: float) -> float:
    return 2 * math.pi ** ((n + 1) / 2) / math.gamma((n + 1) / 2) * radius**n


def _check(dim: int, radius: float) -> None:
    if dim < 1:
        raise ConfigError(f"There is no sphere of dimension {dim} here. Use 1 for a circle, 2 for the sphere in R^3.")
    if not 0 < radius < math.inf:
        raise ConfigError(f"A sphere of radius {radius:g} is none: the radius has to be positive and finite.")
