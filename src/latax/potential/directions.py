"""Constant directions in latent space: what every potential is compared with.

All return `count` unit vectors as rows, the most important first, each (but for random ones) with its largest entry
positive. Their flows are straight lines: `straight` makes potentials of them, as fast as those that they are compared
with.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax import calculus
from latax._errors import ConfigError
from latax.potential.potential import Latent, LinearPotential, Potentials

Directions = Float[Array, "K n"]
#: From latent coordinates to data of any shape.
Decode = Callable[[Latent], Float[Array, "*data"]]


def random_directions(size: int, count: int, *, key: PRNGKeyArray) -> Directions:
    """Unit vectors drawn uniformly from the sphere in `size` dimensions, at right angles as far as there is room."""
    _check_count(count, size)
    return jnp.linalg.qr(jr.normal(key, (size, count)))[0].T


def principal_directions(
    z: Float[Array, "N n"], count: int, *, features: Callable[[Latent], Float[Array, " f"]] | None = None
) -> Directions:
    """The latent directions in which samples, or features of them, vary most (Härkönen et al. 2020, arXiv 2004.02546).

    Without `features` they are the principal components of the latent coordinates `z` themselves, which mean something
    for a learned mapping or for encoded data: draws of a standard normal have none. With `features`, such as the first
    layer of a decoder, they are the directions u_k of the least Σ_i |z_i - Σ_k u_k c_ik|² (section 3.2) for the
    coordinates c_ik of the features of z_i along their principal components.
    """
    _check_count(count, z.shape[1])
    centred = z - jnp.mean(z, axis=0, keepdims=True)
    if features is None:
        return _leading(centred, count)
    found = jax.vmap(features)(z)
    found = found - jnp.mean(found, axis=0, keepdims=True)
    coordinates = found @ _leading(found, count).T
    return _signed(_unit(jnp.linalg.lstsq(coordinates, centred)[0]))


def sefa_directions(weight: Float[Array, "o n"], count: int) -> Directions:
    """The eigenvectors of WᵀW with the largest eigenvalues, for the weights W of the decoder's first layer.

    Shen and Zhou, "Closed-Form Factorization of Latent Semantics in GANs" (SeFa), CVPR 2021, arXiv 2007.06600.
    """
    _check_count(count, weight.shape[1])
    return _leading(weight, count)


def visible_directions(decode: Decode, z: Float[Array, "N n"], count: int) -> Directions:
    """The eigenvectors of the mean of JᵀJ over the points `z`: where the decoded data change most.

    For one point these are the top right-singular vectors of the decoder's Jacobian J there.
    """
    _check_count(count, z.shape[1])
    flat = lambda z: decode(z).reshape(-1)
    metric = jnp.mean(jax.lax.map(lambda z: calculus.gram(flat, z), z), axis=0)
    vectors = jnp.linalg.eigh(metric)[1]
    return _signed(vectors[:, ::-1].T[:count])


def local_frames(decode: Decode, z: Float[Array, "N n"]) -> tuple[Float[Array, "N n n"], Float[Array, "N n"]]:
    """At each of the points `z`, all right-singular vectors of the decoder's Jacobian as rows, and its squared singular
    values, the largest first. Neither the signs nor, where two values are alike, the order go from point to point.
    """
    flat = lambda z: decode(z).reshape(-1)
    metrics = jax.lax.map(lambda z: calculus.gram(flat, z), z)
    values, vectors = jnp.linalg.eigh(metrics)
    return jnp.swapaxes(vectors[:, :, ::-1], 1, 2), values[:, ::-1]


def matched(frames: Float[np.ndarray, "N n n"], axes: Float[np.ndarray, "K n"]) -> Float[np.ndarray, "N K n"]:
    """Of each frame, the vectors that are most alike the axes, one for each, with the sign of the axis.

    The assignment maximises Σ |cos| (Kuhn 1955, by SciPy).
    """
    from scipy.optimize import linear_sum_assignment

    cosines = np.einsum("nij,kj->nki", frames, axes)
    chosen = np.stack([linear_sum_assignment(np.abs(one), maximize=True)[1] for one in cosines])
    signs = np.sign(np.take_along_axis(cosines, chosen[:, :, None], axis=2))
    return np.take_along_axis(frames, chosen[:, :, None], axis=1) * np.where(signs == 0, 1, signs)


def mean_frame(decode: Decode, z: Float[Array, "N n"], count: int, *, rounds: int = 20) -> Float[np.ndarray, "K n"]:
    """The directions of the right-singular vectors of the decoder's Jacobian in the mean, the most visible first.

    Vectors at different points belong to the same direction if they are alike, not if they have the same number: see
    `matched`. Beginning at those of `visible_directions`, directions are the principal axes of what is matched to them,
    until nothing changes. They are not at right angles in general.
    """
    size = z.shape[1]
    _check_count(count, size)
    frames, squares = (np.asarray(found, np.float64) for found in local_frames(decode, z))
    metric = np.einsum("nij,ni,nik->jk", frames, squares, frames)
    axes = np.linalg.eigh(metric)[1][:, ::-1].T
    for _ in range(rounds):
        groups = np.swapaxes(matched(frames, axes), 0, 1)
        found = np.stack([np.linalg.svd(group, full_matrices=False)[2][0] for group in groups])
        done = np.allclose(np.abs(np.sum(found * axes, axis=1)), 1, atol=1e-9)
        axes = found
        if done:
            break
    order = np.argsort(-np.einsum("kj,jl,kl->k", axes, metric, axes))
    return np.asarray(_signed(jnp.asarray(axes[order[:count]])))


def straight(directions: Directions, speed: float) -> Potentials[LinearPotential]:
    """Potentials whose flows go along these directions, by `speed` · √n in a unit of time, like those of a network."""
    n = directions.shape[1]
    stacked = eqx.filter_vmap(LinearPotential)(speed * n**0.5 * _unit(directions))
    return Potentials(stacked, directions.shape[0])


def _leading(matrix: Float[Array, "m n"], count: int) -> Directions:
    """The right-singular vectors of the largest singular values."""
    # All right-singular vectors, also where there are fewer rows than columns; never N by N left ones.
    return _signed(jnp.linalg.svd(matrix, full_matrices=matrix.shape[0] < matrix.shape[1])[2][:count])


def _unit(directions: Directions) -> Directions:
    lengths = jnp.linalg.norm(directions, axis=1, keepdims=True)
    return directions / jnp.where(lengths > 0, lengths, 1)


def _signed(directions: Directions) -> Directions:
    largest = jnp.take_along_axis(directions, jnp.argmax(jnp.abs(directions), axis=1, keepdims=True), axis=1)
    return jnp.where(largest < 0, -directions, directions)


def _check_count(count: int, size: int) -> None:
    if not 1 <= count <= size:
        raise ConfigError(f"count={count}: there are at most {size} different directions in {size} dimensions.")
