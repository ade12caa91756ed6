"""The rotations of space, SO(3), as matrices."""

import math
from typing import ClassVar

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from latax.geometry.manifold import AbstractHomogeneousManifold, Scalar
from latax.geometry.smooth import angle_over_sine, cos_of_root, norm, sinc_of_root

Rotation = Float[Array, "3 3"]
Vector = Float[Array, "3"]
Quaternion = Float[Array, "4"]


class SO3(AbstractHomogeneousManifold):
    """Rotation matrices R; the distance of two is the angle (radians) of the rotation between them, at most π.

    Tangent vectors are rotation vectors in the body's frame: `exp(R, v)` is R times the rotation about v by |v|. With
    this distance R -> R / √2 is an isometric embedding in R^9.
    """

    dim: ClassVar[int] = 3
    point_shape: ClassVar[tuple[int, ...]] = (3, 3)
    tangent_shape: ClassVar[tuple[int, ...]] = (3,)
    injectivity_radius: ClassVar[float] = math.pi
    volume: ClassVar[float] = 8 * math.pi**2
    """Half of the three-sphere of radius 2, which covers it twice."""

    @property
    def diameter(self) -> float:
        """π: half a turn."""
        return math.pi

    def distance(self, x: Rotation, y: Rotation) -> Scalar:
        """The angle of x^T y, from the quaternion (w, u) of it: 2 atan2(|u|, |w|), exact near 0 and near π."""
        q = quaternion(x.T @ y)
        return 2 * jnp.arctan2(norm(q[1:]), jnp.abs(q[0]))

    def midpoint(self, x: Rotation, y: Rotation) -> Rotation:
        """x turned half the way to y."""
        q = quaternion(x.T @ y)
        half = q.at[0].add(1)  # the sum with the quaternion of no rotation; w >= 0, so it never vanishes
        return x @ rotation_matrix(half / jnp.linalg.norm(half))

    def metric(self, x: Rotation, v: Vector, w: Vector) -> Scalar:
        """v . w."""
        return jnp.dot(v, w)

    def basis(self, x: Rotation) -> Float[Array, "3 3"]:
        """The unit vectors of the body's frame."""
        return jnp.eye(3, dtype=x.dtype)

    def exp(self, x: Rotation, v: Vector) -> Rotation:
        """x turned about v, in its own frame, by |v| radians."""
        quarter = jnp.dot(v, v) / 4
        q = jnp.concatenate([cos_of_root(quarter)[None], sinc_of_root(quarter) * v / 2])
        return x @ rotation_matrix(q)

    def log(self, x: Rotation, y: Rotation) -> Vector:
        """The rotation vector that takes x to y; of the two at a distance of π, one."""
        q = quaternion(x.T @ y)
        u = q[1:]
        return 2 * angle_over_sine(jnp.dot(u, u), q[0]) * u

    def sample(self, key: PRNGKeyArray) -> Rotation:
        """Uniform (Haar): a unit quaternion with a uniform direction."""
        q = jr.normal(key, (4,))
        return rotation_matrix(q / jnp.linalg.norm(q))

    def contains(self, x: Rotation) -> Bool[Array, ""]:
        """True: SO(3) has no boundary."""
        return jnp.array(True)

    def embed(self, x: Rotation) -> Float[Array, "9"]:
        """x / √2 as a vector of R^9."""
        return x.reshape(-1) / math.sqrt(2)

    @property
    def embedding_is_lowest(self) -> bool:
        """True: all geodesics close after 2π, and Wirtinger's inequality holds on each."""
        return True


def rotation_matrix(q: Quaternion) -> Rotation:
    """The matrix of the unit quaternion (w, x, y, z)."""
    w, x, y, z = q
    return jnp.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion(rotation: Rotation) -> Quaternion:
    """The unit quaternion (w, x, y, z) of a rotation matrix, with w >= 0.

    The matrix 4 q q^T is linear in the rotation; its row with the largest diagonal entry, which is at least one, gives
    q without loss of digits for every angle (Shepperd 1978).
    """
    (a, b, c), (d, e, f), (g, h, i) = rotation
    outer = jnp.array(
        [
            [1 + a + e + i, h - f, c - g, d - b],
            [h - f, 1 + a - e - i, b + d, c + g],
            [c - g, b + d, 1 - a + e - i, f + h],
            [d - b, c + g, f + h, 1 - a - e + i],
        ]
    )
    row = outer[jnp.argmax(jnp.diagonal(outer))]
    row = jnp.where(row[0] < 0, -row, row)
    return row / jnp.linalg.norm(row)
