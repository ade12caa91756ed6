"""The tangent space of the image of a map: an orthonormal frame of it, from the QR decomposition of the Jacobian.

Everything of the first and second order follows from J = Q R without ever forming J^T J, whose condition number is the
square: volumes from the diagonal of R, coordinates of tangent vectors by R^-1 Q^T, normal parts by 1 - Q Q^T. Written
in elementary operations, because batched LAPACK calls on small matrices are slow, and on a CPU with few cores can block
one another.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.calculus import VectorMap, jacobian_by_jvps

_MOST_COLUMNS = 32  # up to which loops over columns are unrolled; LAPACK is the better choice above


class Frame(NamedTuple):
    """The tangent space at the image of u."""

    point: Float[Array, " d"]
    """f(u)."""
    tangents: Float[Array, "d n"]
    """Q: orthonormal columns that span the tangent space."""
    factor: Float[Array, "n n"]
    """R, upper triangular: column j holds the components of df/du_j along the columns of Q."""

    def coordinates(self, vector: Float[Array, " d"]) -> Float[Array, " n"]:
        """The latent velocity whose image is the tangential part of this vector: J^+ w."""
        return solve_upper(self.factor, self.tangents.T @ vector)

    def normal_part(self, vector: Float[Array, " d"]) -> Float[Array, " d"]:
        """The part of this vector orthogonal to the tangent space."""
        return vector - self.tangents @ (self.tangents.T @ vector)

    def latent_basis(self) -> Float[Array, "n n"]:
        """R^-1: its columns are latent velocities whose images are the columns of Q."""
        n = self.factor.shape[0]
        identity = jnp.eye(n, dtype=self.factor.dtype)
        return jnp.stack([solve_upper(self.factor, column) for column in identity], axis=1)


def frame(f: VectorMap, u: Float[Array, " n"]) -> Frame:
    """The orthonormal frame of the image of f at u."""
    point, jacobian = jacobian_by_jvps(f, u)
    return Frame(point, *orthonormalise(jacobian))


def orthonormalise(matrix: Float[Array, "d n"]) -> tuple[Float[Array, "d n"], Float[Array, "n n"]]:
    """Q and R of matrix = Q R, d >= n, with a diagonal that is not negative.

    Gram-Schmidt with every projection done twice, which is enough for orthogonality to rounding (Giraud, Langou,
    Rozložník and van den Eshof 2005). A column that depends on those before it has a zero on the diagonal, and a column
    of zeros in Q.
    """
    n = matrix.shape[1]
    if n > _MOST_COLUMNS:
        q, r = jnp.linalg.qr(matrix)
        sign = jnp.where(jnp.diagonal(r) < 0, -1, 1).astype(r.dtype)
        return q * sign[None], r * sign[:, None]
    directions = jnp.zeros((matrix.shape[0], 0), matrix.dtype)
    columns = []
    for j in range(n):
        rest = matrix[:, j]
        components = jnp.zeros(j, matrix.dtype)
        for _ in range(2):
            more = directions.T @ rest
            rest, components = rest - directions @ more, components + more
        square = jnp.sum(rest**2)
        positive = square > 0
        length = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)
        direction = rest / jnp.where(positive, length, 1)
        directions = jnp.concatenate([directions, direction[:, None]], axis=1)
        columns.append(jnp.concatenate([components, length[None], jnp.zeros(n - j - 1, matrix.dtype)]))
    return directions, jnp.stack(columns, axis=1)


def solve_upper(factor: Float[Array, "n n"], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """R^-1 b for an upper triangular R, by substitution."""
    n = factor.shape[0]
    if n > _MOST_COLUMNS:
        return jnp.linalg.solve(factor, right)
    solution = jnp.zeros_like(right)
    for i in reversed(range(n)):
        solution = solution.at[i].set((right[i] - jnp.dot(factor[i], solution)) / factor[i, i])
    return solution
