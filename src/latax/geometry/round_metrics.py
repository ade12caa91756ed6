"""Spheres and ellipsoids of any dimension as reference metrics, in hyperspherical angles.

n_1 = cos u_1, n_2 = sin u_1 cos u_2, ..., n_d = sin u_1 ... sin u_{d-1} cos u_d, n_{d+1} = sin u_1 ... sin u_d, with
u_1, ..., u_{d-1} in (0, π) and u_d in (0, 2π).

Where an angle but the last is 0 or π, at a pole, the metric has determinant zero. A Gaussian in unbounded angles goes
there, and the manifold of a model that follows the metric collapses to a line: hence the chart.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.geometry.metric import pullback_metric
from latax.geometry.reference_metric import AbstractEmbeddedReference, Matrix, Vector, check_dimension

#: The distance of the chart from the poles, in rad: sin² is 0.09 there, and the metric's condition number finite.
MARGIN = 0.3


class SphereMetric(AbstractEmbeddedReference):
    """The sphere of dimension d: Σ = r² diag(1, sin² u_1, sin² u_1 sin² u_2, ...).

    **Arguments:**

    - `dim`: d.
    - `radius`: r.
    - `margin`: the chart keeps all angles but the last this far (rad) from the poles; None leaves v as it is, so that
      nothing keeps a model from a pole (as in the released code of VAE-DLM).

    Raises `ConfigError` for fewer than one coordinate, a radius that is not positive and a margin outside of (0, π/2).
    """

    dim: int = eqx.field(static=True)
    radius: float = eqx.field(static=True, default=math.sqrt(10), converter=float)
    margin: float | None = eqx.field(static=True, default=MARGIN)

    def __check_init__(self):
        _check("SphereMetric", self.dim, [self.radius], self.margin)

    def metric(self, u: Vector) -> Matrix:
        """r² times the products of squared sines, on the diagonal."""
        squares = jnp.sin(u[:-1]) ** 2
        return self.radius**2 * jnp.diag(jnp.concatenate([jnp.ones(1, u.dtype), jnp.cumprod(squares)]))

    def chart(self, v: Vector) -> Vector:
        """ε + (π - 2ε) s(v_i) with the logistic function s, and 2π s(v_d)."""
        return hyperspherical_chart(v, self.margin)

    def embed(self, u: Vector) -> Float[Array, " l"]:
        """r n(u)."""
        return self.radius * hyperspherical(u)


class EllipsoidMetric(AbstractEmbeddedReference):
    """The ellipsoid with the semi-axes a_1, ..., a_{d+1} along the coordinates of n: the metric of a_i n_i(u).

    `margin` is that of `SphereMetric`. Raises `ConfigError` for fewer than two semi-axes, one that is not positive, and
    a margin outside of (0, π/2).
    """

    semi_axes: tuple[float, ...] = eqx.field(static=True, converter=lambda axes: tuple(float(a) for a in axes))
    margin: float | None = eqx.field(static=True, default=MARGIN)

    def __check_init__(self):
        _check("EllipsoidMetric", self.dim, self.semi_axes, self.margin)

    @property
    def dim(self) -> int:
        """One less than the number of semi-axes."""
        return len(self.semi_axes) - 1

    def metric(self, u: Vector) -> Matrix:
        """J^T J of `embed`."""
        return pullback_metric(self.embed, u)

    def chart(self, v: Vector) -> Vector:
        """That of the sphere."""
        return hyperspherical_chart(v, self.margin)

    def embed(self, u: Vector) -> Float[Array, " l"]:
        """a_i n_i(u)."""
        return jnp.asarray(np.array(self.semi_axes), u.dtype) * hyperspherical(u)


def hyperspherical(u: Vector) -> Float[Array, " l"]:
    """The unit vector n(u) (d + 1,) with these angles (d,)."""
    one = jnp.ones(1, u.dtype)
    return jnp.concatenate([one, jnp.cumprod(jnp.sin(u))]) * jnp.concatenate([jnp.cos(u), one])


def hyperspherical_chart(v: Vector, margin: float | None) -> Vector:
    """Angles from unbounded coordinates: zero becomes the middle of the equator; v itself where there is no margin."""
    if margin is None:
        return v
    part = jax.nn.sigmoid(v)
    return jnp.concatenate([margin + (math.pi - 2 * margin) * part[:-1], 2 * math.pi * part[-1:]])


def _check(what: str, dim: int, lengths, margin: float | None) -> None:
    check_dimension(what, dim)
    if not all(0 < length < math.inf for length in lengths):
        shown = ", ".join(f"{length:g}" for length in lengths)
        raise ConfigError(f"{what}: radii and semi-axes have to be positive and finite, got {shown}.")
    if margin is not None and not 0 < margin < math.pi / 2:
        raise ConfigError(
            f"{what}: margin = {margin:g} rad is not between 0 and π/2. Give e.g. {MARGIN}, or None for no bounds."
        )
