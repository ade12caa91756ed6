"""Small dense linear algebra in elementary operations: the R of a QR decomposition, and the inverse of a triangle.

LAPACK is what one would use, and through JAX it is slow on many small matrices: one call each, and derivatives that
solve more triangles. On a CPU it is also unsafe there: two batched LAPACK operations of one program that meet on
a machine with few cores wait for each other for ever (jaxlib 0.10.2: each blocks a worker of the pool that is to do its
work). These functions become plain matrix products, which batch on every device.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

#: Columns up to which the loop over columns is unrolled; LAPACK is the better choice above.
_MOST_COLUMNS = 32


def log_abs_diagonal_of_r(matrix: Float[Array, "d n"]) -> Float[Array, ""]:
    """The sum of log |R_ii| of matrix = Q R, d >= n: the log-volume that its columns span.

    Without full rank it is -inf, or as low as rounding lets it be.

    Modified Gram-Schmidt, whose R is as accurate as Householder's (Björck 1967): |R_ii| is the length of what column
    i adds to the columns before it.
    """
    if matrix.shape[1] > _MOST_COLUMNS:
        return jnp.sum(jnp.log(jnp.abs(jnp.diagonal(jnp.linalg.qr(matrix, mode="r")))))
    total = jnp.zeros((), matrix.dtype)
    columns = list(matrix.T)
    for i, column in enumerate(columns):
        square = jnp.sum(column**2)
        total = total + 0.5 * jnp.log(square)
        # A column that adds nothing makes the volume zero; it must not make the other columns' slopes undefined.
        direction = column / jnp.sqrt(jnp.where(square > 0, square, 1))
        for j in range(i + 1, len(columns)):
            columns[j] = columns[j] - jnp.dot(direction, columns[j]) * direction
    return total


def inverse_lower(matrix: Float[Array, "d d"]) -> Float[Array, "d d"]:
    """The inverse of a lower triangular matrix; what is above the diagonal is ignored.

    Halves by halves, from the diagonal up: [[A, 0], [C, B]]^-1 = [[A^-1, 0], [-B^-1 C A^-1, B^-1]], all blocks of one
    size together: 2 log2(d) batched products, and as accurate as substitution.
    """
    d = matrix.shape[0]
    size = 1 << max(0, d - 1).bit_length()
    full = jnp.eye(size, dtype=matrix.dtype).at[:d, :d].set(matrix)
    inverses = 1 / jnp.diagonal(full)[:, None, None]
    width = 1
    while width < size:
        count = size // (2 * width)
        tiles = full.reshape(count, 2 * width, count, 2 * width)
        below = jnp.stack([tiles[k, width:, k, :width] for k in range(count)])
        first, second = inverses[0::2], inverses[1::2]
        corner = -second @ below @ first
        upper = jnp.concatenate([first, jnp.zeros_like(first)], axis=2)
        inverses = jnp.concatenate([upper, jnp.concatenate([corner, second], axis=2)], axis=1)
        width *= 2
    return inverses[0, :d, :d]
