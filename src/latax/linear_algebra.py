"""Small dense linear algebra in elementary operations: QR, volumes, triangles, spectra and exponentials.

LAPACK is what one would use, and through JAX it is slow on many small matrices: one call each, and derivatives that
solve more triangles. On a CPU it is also unsafe there: two batched LAPACK operations of one program that meet on
a machine with few cores wait for each other for ever (jaxlib 0.10.2: each blocks a worker of the pool that is to do its
work). These functions become plain matrix products, which batch on every device.
"""

import itertools

import jax.lax as lax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

#: Columns up to which loops over columns are unrolled; LAPACK is the better choice above.
_MOST_COLUMNS = 32

#: Sweeps of Jacobi's method over all pairs of columns; it converges quadratically, after log2(n) of them or so.
_SWEEPS = 9

#: Terms of the exponential series, enough for every bit of float64 where the norm is at most 1/2, and halvings.
_SERIES, _HALVINGS = 14, 30


def orthonormalise(matrix: Float[Array, "d n"]) -> tuple[Float[Array, "d n"], Float[Array, "n n"]]:
    """Q and R of matrix = Q R, d >= n, with a diagonal that is not negative.

    Gram-Schmidt with every projection done twice, which is enough for orthogonality to rounding (Giraud, Langou,
    Rozložník and van den Eshof 2005). A column that depends on those before it has a zero on the diagonal, or rounding,
    and a column of zeros in Q where it is exactly zero; its own slope is then zero, and the others' are defined.
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
        for _ in range(2 if j else 0):
            more = directions.T @ rest
            rest, components = rest - directions @ more, components + more
        square = jnp.sum(rest**2)
        positive = square > 0
        length = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)
        direction = rest / jnp.where(positive, length, 1)
        directions = jnp.concatenate([directions, direction[:, None]], axis=1)
        columns.append(jnp.concatenate([components, length[None], jnp.zeros(n - j - 1, matrix.dtype)]))
    return directions, jnp.stack(columns, axis=1)


def log_det(matrix: Float[Array, "n n"]) -> Float[Array, ""]:
    """log det of a matrix whose determinant is positive, such as a metric; nan where it is zero or negative.

    Never log |det|: a metric with a negative determinant is a mistake, and nan is what training stops on.
    """
    sign, log_abs = jnp.linalg.slogdet(matrix)
    return jnp.where(sign > 0, log_abs, jnp.nan)


def log_det_of_positive(matrix: Float[Array, "n n"]) -> Float[Array, ""]:
    """log det of a symmetric positive definite matrix, by elimination without exchanges, which such a matrix needs none
    of. Not a number where it is not positive definite."""
    n = matrix.shape[0]
    if n > _MOST_COLUMNS:
        return log_det(matrix)
    total = jnp.zeros((), matrix.dtype)
    for _ in range(n):
        pivot, column = matrix[0, 0], matrix[1:, 0]
        total = total + jnp.log(pivot)
        matrix = matrix[1:, 1:] - column[:, None] * column[None, :] / pivot
    return total


def log_abs_diagonal_of_r(matrix: Float[Array, "d n"]) -> Float[Array, ""]:
    """The sum of log |R_ii| of matrix = Q R, d >= n: the log-volume that its columns span.

    1/2 log det of matrix^T matrix without forming it, whose condition number is the square. Without full rank it is
    -inf, or as low as rounding lets it be.
    """
    if matrix.shape[1] > _MOST_COLUMNS:
        return jnp.sum(jnp.log(jnp.abs(jnp.diagonal(jnp.linalg.qr(matrix, mode="r")))))
    return jnp.sum(jnp.log(jnp.diagonal(orthonormalise(matrix)[1])))


def solve_upper(factor: Float[Array, "n n"], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """R^-1 b for an upper triangular R, by substitution."""
    n = factor.shape[0]
    if n > _MOST_COLUMNS:
        return jnp.linalg.solve(factor, right)
    solution = jnp.zeros_like(right)
    for i in reversed(range(n)):
        solution = solution.at[i].set((right[i] - jnp.dot(factor[i], solution)) / factor[i, i])
    return solution


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


def symmetric_eigen(matrix: Float[Array, "n n"]) -> tuple[Float[Array, " n"], Float[Array, "n n"]]:
    """Eigenvalues of a symmetric matrix, in no order, and orthonormal eigenvectors as the columns of a matrix.

    Jacobi's method, with the n / 2 rotations of a round of a tournament at once (Brent and Luk 1985). Accurate to
    rounding relative to the greatest eigenvalue, equal eigenvalues or not. What is not symmetric in the matrix is
    ignored. Differentiate functions of the eigenvalues by hand: where two are equal, eigenvectors have no derivative.
    """
    n = matrix.shape[0]
    matrix = (matrix + matrix.T) / 2
    if n > _MOST_COLUMNS:
        return tuple(jnp.linalg.eigh(matrix))
    half = (n + 1) // 2
    size = 2 * half  # A row and column of zeros, which no rotation touches, makes the number even.
    order = _next_round(half)
    padded = jnp.zeros((size, size), matrix.dtype).at[:n, :n].set(matrix)

    def play(_, state):
        a, v = state
        cosine, sine = _rotations(jnp.diagonal(a)[:half], jnp.diagonal(a)[half:], jnp.diagonal(a[:half, half:]))
        a = _rotated_columns(_rotated_columns(a, cosine, sine).T, cosine, sine)
        return a[order][:, order], _rotated_columns(v, cosine, sine)[:, order]

    diagonal, vectors = lax.fori_loop(0, _SWEEPS * (size - 1), play, (padded, jnp.eye(size, dtype=matrix.dtype)))
    return jnp.diagonal(diagonal)[:n], vectors[:n, :n]


def singular_values(matrix: Float[Array, "d n"]) -> Float[Array, " n"]:
    """Singular values, d >= n, from the greatest to the least.

    Jacobi's method on the columns of R (Hestenes 1958): matrix^T matrix, whose condition number is the square, is not
    formed, and a matrix of single precision shows condition numbers up to some 10^7. Differentiate by hand.
    """
    n = matrix.shape[1]
    if n > _MOST_COLUMNS:
        return jnp.linalg.svd(matrix, compute_uv=False)
    scale = jnp.maximum(jnp.max(jnp.abs(matrix)), jnp.finfo(matrix.dtype).tiny)
    half = (n + 1) // 2
    size = 2 * half
    order = _next_round(half)
    columns = jnp.zeros((n, size), matrix.dtype).at[:, :n].set(orthonormalise(matrix / scale)[1])

    def play(_, columns):
        left, right = jnp.split(columns, 2, axis=1)
        inner = lambda a, b: jnp.sum(a * b, axis=0)
        rotations = _rotations(inner(left, left), inner(right, right), inner(left, right))
        return _rotated_columns(columns, *rotations)[:, order]

    columns = lax.fori_loop(0, _SWEEPS * (size - 1), play, columns)
    return scale * jnp.sort(jnp.sqrt(jnp.sum(columns**2, axis=0)), descending=True)[:n]


def exponential(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """The exponential of a matrix: the series at matrix / 2^s, squared s times; nan beyond a norm of 2^29.

    (JAX's own compiles five Padé approximants and a solver of LAPACK, which takes seconds.)
    """
    norm = jnp.max(jnp.sum(jnp.abs(matrix), axis=0))
    halvings = jnp.ceil(jnp.log2(jnp.maximum(2 * norm, 1)))
    small = matrix * jnp.exp2(-halvings)
    identity = jnp.eye(matrix.shape[0], dtype=matrix.dtype)

    def horner(i, total):
        return identity + small @ total / (_SERIES - i).astype(matrix.dtype)

    def square(i, power):
        return jnp.where(i < halvings, power @ power, power)

    power = lax.fori_loop(0, _SERIES, horner, identity)
    return jnp.where(halvings <= _HALVINGS, lax.fori_loop(0, _HALVINGS, square, power), jnp.nan)


def _next_round(half: int) -> np.ndarray:
    """Who sits where next, if i plays against half + i, the first stays, and all others move on by one chair."""
    top, bottom = list(range(half)), list(range(half, 2 * half))
    if half == 1:
        return np.array([0, 1])
    return np.array(list(itertools.chain(top[:1], bottom[:1], top[1:-1], bottom[1:], top[-1:])))


def _rotations(
    p: Float[Array, " half"], q: Float[Array, " half"], between: Float[Array, " half"]
) -> tuple[Float[Array, " half"], Float[Array, " half"]]:
    """Cosine and sine of the smaller angles that make [[p, between], [between, q]] diagonal."""
    apart = between != 0
    cotangent = (q - p) / (2 * jnp.where(apart, between, 1))
    sign = jnp.where(cotangent < 0, -1, 1).astype(p.dtype)
    # Where the cotangent is so great that its square overflows, the tangent is zero, as it should be.
    tangent = jnp.where(apart, sign / (jnp.abs(cotangent) + jnp.sqrt(1 + cotangent**2)), 0)
    cosine = 1 / jnp.sqrt(1 + tangent**2)
    return cosine, tangent * cosine


def _rotated_columns(
    matrix: Float[Array, "rows size"], cosine: Float[Array, " half"], sine: Float[Array, " half"]
) -> Float[Array, "rows size"]:
    left, right = jnp.split(matrix, 2, axis=1)
    return jnp.concatenate([left * cosine[None] - right * sine[None], left * sine[None] + right * cosine[None]], axis=1)
