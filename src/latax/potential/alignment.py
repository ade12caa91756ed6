"""Does each of K flows change the data in a way of its own? A loss of all velocities v^k at one point.

That a classifier tells paths apart does not make them factors of the data: a rotation of the factors is as distinct as
they are. What a rotation does change are angles. By Hadamard's inequality the determinant of the cosines between K
vectors is at most 1, and 1 for those at right angles alone. With J the Jacobian of the decoder, the loss

    -1/4K [log det cos(v^k, v^l) + log det cos(J v^k, J v^l)]

is zero where velocities are at right angles in latent space and so are the changes of the data that they make. For as
many flows as coordinates that is the singular value decomposition of J, which is unique where the singular values
differ: the velocities are its right-singular vectors, as far as gradients of K potentials can be that everywhere. The
mean of the squared cosines has the same zeros, and for ill-conditioned J false minima besides.

For fewer flows than coordinates these are not all zeros: there is a continuum of K orthonormal vectors whose changes
are at right angles, and of those only the K most visible singular vectors have the largest volume of changes. With J v̂
the changes by unit velocities, log det (J v̂)(J v̂)ᵀ = Σ log |J v̂^k|² + log det cos(J v^k, J v^l): so a little of the
guidance `LogJVP` beside this loss, w < a/4 where the weight of the loss is a and that of the guidance w, asks for that
volume, and of the frames in the plane that has it for the singular vectors all the same.

The second term alone is the contrast of independent mechanism analysis (Gresele, von Kügelgen, Stimper, Schölkopf and
Besserve, NeurIPS 2021, arXiv 2106.05200); right angles in both spaces are what the coordinates of a trained VAE tend to
(Rolínek, Zietlow and Martius, CVPR 2019, arXiv 1812.06775). To be seen, as `LogJVP` wants it, is another thing, and the
opposite in part: among orthonormal velocities the product of all |J v^k| is least for singular vectors.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax.linear_algebra import log_det_of_positive
from latax.potential.potential import Latent, Scalar

#: This share of every cosine is left out, so that the loss is finite for flows that are the same, and for more flows
#: than coordinates: at most ½ log(1 / _LEAST).
_LEAST = 1e-3


def misalignment(
    decode: Callable[[Latent], Float[Array, "*data"]], z: Latent, velocities: Float[Array, "K n"]
) -> Scalar:
    """The loss above for the velocities of K flows at z: zero or more, in nats, and blind to their lengths.

    It costs K forward derivatives of the decoder, which share one evaluation.
    """
    _, linear = jax.linearize(lambda z: decode(z).ravel(), z)
    return (hadamard_gap(velocities) + hadamard_gap(jax.vmap(linear)(velocities))) / 2


def hadamard_gap(vectors: Float[Array, "K m"]) -> Scalar:
    """-1/2K log det of the cosines between K vectors: zero for those at right angles alone.

    One of length zero counts as at right angles to all.
    """
    gram = vectors @ vectors.T
    squares = jnp.diagonal(gram)
    lengths = jnp.sqrt(jnp.where(squares > 0, squares, 1))
    cosines = (1 - _LEAST) * gram / lengths[:, None] / lengths[None, :]
    count = vectors.shape[0]
    cosines = jnp.where(jnp.eye(count, dtype=bool), 1, cosines)
    return -0.5 * log_det_of_positive(cosines) / count
