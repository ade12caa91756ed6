"""Does each of K flows change the data in a way of its own? A loss of all velocities v^k at one point.

That a classifier tells paths apart does not make them factors of the data: a rotation of the factors is as distinct as
they are. What a rotation does change are angles. With J the Jacobian of the decoder, the loss

    1 / K(K-1) Σ_{k≠l} ½ [cos²(v^k, v^l) + cos²(J v^k, J v^l)]

is zero where velocities are at right angles in latent space and so are the changes of the data that they make. For as
many flows as coordinates that is the singular value decomposition of J, which is unique where the singular values
differ: the velocities are its right-singular vectors, each with its own path, of a potential that has to fit everywhere.

Right angles in the data alone are the principle of independent mechanisms (Gresele, von Kügelgen, Stimper, Schölkopf
and Besserve, NeurIPS 2021, arXiv 2106.05200), which the published contrast measures by Hadamard's inequality; right
angles in both are what the coordinates of a trained VAE tend to (Rolínek, Zietlow and Martius, CVPR 2019, arXiv
1812.06775). A visible path, as `LogJVP` wants it, is another thing, and the opposite in part: among orthonormal
velocities the product of all |J v^k| is least for singular vectors.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.potential.potential import Latent, Scalar


def misalignment(
    decode: Callable[[Latent], Float[Array, "*data"]], z: Latent, velocities: Float[Array, "K n"]
) -> Scalar:
    """The loss above for the velocities of K >= 2 flows at z; between 0 and 1, and blind to their lengths.

    It costs K forward derivatives of the decoder, which share one evaluation.
    """
    _, linear = jax.linearize(lambda z: decode(z).ravel(), z)
    return (overlap(velocities) + overlap(jax.vmap(linear)(velocities))) / 2


def overlap(vectors: Float[Array, "K m"]) -> Scalar:
    """The mean squared cosine of the angle between two of the vectors. One of length zero is at right angles to all."""
    gram = vectors @ vectors.T
    squares = jnp.diagonal(gram)
    lengths = jnp.sqrt(jnp.where(squares > 0, squares, 1))
    cosines = gram / lengths[:, None] / lengths[None, :]
    count = vectors.shape[0]
    different = ~jnp.eye(count, dtype=bool)
    return jnp.sum(jnp.where(different, cosines, 0) ** 2) / (count * (count - 1))
