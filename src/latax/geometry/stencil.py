"""Second derivatives of a map φ from its values at scattered neighbours, without midpoints.

At x, with neighbours at normal coordinates v_j = log_x(y_j) in an orthonormal basis, the local quadratic model

    φ(y_j) - φ(x) = J v_j + H(v_j, v_j) / 2

is fitted by least squares. Its H is a fixed linear map of the differences on the left, with an error of the order of
the size of the neighbourhood for one map, and of its square on the average over evenly scattered neighbours. In normal
coordinates H is the Riemannian Hessian. The estimator of Donoho and Grimes, "Hessian eigenmaps", PNAS 100, 2003, with
the manifold's own coordinates in place of local principal components.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float


class Stencils(NamedTuple):
    """The linear maps, one for each centre, and how well the neighbours determine them.

    - `second`: from k differences of values to the h = n (n + 1) / 2 different entries of H, in the order of
        `numpy.triu_indices`; in one over squared length.
    - `condition`: the ratio of the greatest to the least singular value of the fit, with neighbourhoods of size one;
        infinite where the neighbours do not determine H.
    """

    second: Float[np.ndarray, "C h k"]
    condition: Float[np.ndarray, " C"]


def stencil_unknowns(n: int) -> int:
    """Entries of J and H for one coordinate of φ: n + n (n + 1) / 2."""
    return n + n * (n + 1) // 2


def hessian_stencils(coordinates: Float[np.ndarray, "C k n"]) -> Stencils:
    """The stencils of C centres from the normal coordinates of their neighbours, none of which is at its centre alone.

    Computed in float64.
    """
    v = np.asarray(coordinates, np.float64)
    size = np.linalg.norm(v, axis=2).max(axis=1)[:, None, None]
    scaled = v / size
    n = v.shape[2]
    a, b = np.triu_indices(n)
    quadratic = np.where(a == b, 0.5, 1.0) * scaled[:, :, a] * scaled[:, :, b]
    left, values, right = np.linalg.svd(np.concatenate([scaled, quadratic], axis=2), full_matrices=False)
    full = values.shape[1] == stencil_unknowns(n)
    least = values[:, -1] if full else np.zeros(len(values))
    condition = np.divide(values[:, 0], least, out=np.full(len(values), np.inf), where=least > 0)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)
    solution = np.einsum("cqu,cq,ckq->cuk", right, inverse, left)
    return Stencils(solution[:, n:] / size**2, condition)


def stencil_hessian(second: Float[Array, "h k"], differences: Float[Array, "k l"]) -> Float[Array, "l n n"]:
    """H of every coordinate of φ from the differences φ(y_j) - φ(x), as `mean_bending` takes it."""
    h = second.shape[0]
    n = (math.isqrt(8 * h + 1) - 1) // 2
    place = np.zeros((n, n), int)
    place[np.triu_indices(n)] = np.arange(h)
    place = np.maximum(place, place.T)
    return (second @ differences).T[:, place]
