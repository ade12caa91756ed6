"""The tangent space of the image of a map: an orthonormal frame of it, from the QR decomposition of the Jacobian.

Everything of the first and second order follows from J = Q R without ever forming J^T J, whose condition number is the
square: volumes from the diagonal of R, coordinates of tangent vectors by R^-1 Q^T, normal parts by 1 - Q Q^T.
"""

from typing import NamedTuple

from jaxtyping import Array, Float

from latax.calculus import VectorMap, jacobian_by_jvps
from latax.linear_algebra import inverse_lower, orthonormalise, solve_upper


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
        return inverse_lower(self.factor.T).T


def frame(f: VectorMap, u: Float[Array, " n"]) -> Frame:
    """The orthonormal frame of the image of f at u."""
    point, jacobian = jacobian_by_jvps(f, u)
    return Frame(point, *orthonormalise(jacobian))
