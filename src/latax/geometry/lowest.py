"""The lowest energy that any embedding of a manifold can have, where it is known exactly.

On a manifold whose geodesics all close after the length 2πr (circles, spheres, SO(3)), Wirtinger's inequality on each
of them gives E(φ) >= min over s of γ(s) + λ s² / r² for every map φ into any space; on a torus of equal periods Fourier
series give the same with 3 λ / (n + 2) in place of λ. Both are attained by multiples of the classical embeddings.

For pairs at a distance the best multiple of the classical embedding is the lowest among the maps that the quotients can
see: on a circle of radius r and pairs at the distance d those without waves of k >= 4πr/d - 1 turns. A wave of
4πr/d turns, which takes both ends and the middle of a pair to one place, costs no bending at all.
"""

from typing import Any, NamedTuple, TypeGuard

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy.optimize
from jaxtyping import Float

from latax._errors import ConfigError
from latax.geometry.directions import direction_rule
from latax.geometry.distortion import AbstractDistortion, Inverse
from latax.geometry.energy import along, pair_squares
from latax.geometry.manifold import AbstractHomogeneousManifold, AbstractManifold
from latax.geometry.pairs import AbstractDistanceLaw, PairSampler, pair_along
from latax.geometry.quotient import squared_length

_DISTANCES = 24


class Lowest(NamedTuple):
    """The lowest energy, its parts, and the multiple of the classical embedding that has it."""

    energy: float
    distortion: float
    bending: float
    scale: float


def lowest_energy(
    manifold: AbstractManifold,
    bending_weight: float,
    *,
    law: AbstractDistanceLaw | None = None,
    distortion: AbstractDistortion | None = None,
) -> Lowest:
    """The lowest energy of any embedding of this manifold for the weight λ of the bending, in the limit of near pairs;
    or, for pairs by a law of their distances, of any that has no waves as short as these.

    Raises `ConfigError` where it is not known: on other manifolds than circles, spheres, SO(3) and tori of equal
    periods, and for pairs beyond the injectivity radius. On tori of four dimensions and more its error is some 1e-3,
    that of the mean over directions.
    """
    if not lowest_is_known(manifold):
        raise ConfigError(
            f"The lowest energy of embeddings of {manifold!r} is not known. It is for Sphere(n), SO3() and FlatTorus "
            "with equal periods; compare contestants with one another elsewhere."
        )
    if law is not None:
        PairSampler(manifold, law)  # refuses distances that it does not allow
    with jax.enable_x64(True):
        squares, bendings, weights = _of_classical(manifold, law)
    return best_multiple(squares, float(weights @ bendings), bending_weight, distortion=distortion, weights=weights)


def best_multiple(
    squares: Float[np.ndarray, " M"],
    bending: float,
    bending_weight: float,
    *,
    distortion: AbstractDistortion | None = None,
    weights: Float[np.ndarray, " M"] | None = None,
) -> Lowest:
    """The multiple of a map with the lowest energy, from the map's squared stretches, with weights, and its bending.

    It is searched for around that of the right size, by a factor of e⁶ either way.
    """
    gamma = distortion or Inverse()
    shares = np.full(len(squares), 1 / len(squares)) if weights is None else weights
    right = -0.5 * np.log(float(shares @ squares))

    def terms(log_scale: float) -> tuple[float, float]:
        square = np.exp(2 * log_scale)
        gammas = np.asarray(gamma.of_square(jnp.asarray(square * squares)))
        return float(shares @ gammas), float(square * bending)

    def energy(log_scale: float) -> float:
        parts = terms(log_scale)
        return parts[0] + bending_weight * parts[1]

    with jax.enable_x64(True):
        best: Any = scipy.optimize.minimize_scalar(
            energy, bounds=(right - 6, right + 6), method="bounded", options={"xatol": 1e-10}
        )
        return Lowest(float(best.fun), *terms(float(best.x)), float(np.exp(best.x)))


def lowest_is_known(manifold: AbstractManifold) -> TypeGuard[AbstractHomogeneousManifold]:
    """Whether `lowest_energy` has an answer for this manifold."""
    return isinstance(manifold, AbstractHomogeneousManifold) and manifold.embedding_is_lowest


def _of_classical(
    manifold: AbstractHomogeneousManifold, law: AbstractDistanceLaw | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squared stretch and bending of the classical embedding at one point, which is like all, in many directions and,
    with a law, at many distances; and their weights."""
    x = manifold.sample(jr.key(0))
    directions, weights = direction_rule(manifold.dim)

    def limit(coordinates):
        velocity, acceleration = along(manifold.embed, manifold, x, manifold.tangent(x, coordinates))
        return squared_length(velocity), squared_length(acceleration)

    def quotients(coordinates, r):
        return pair_squares(manifold.embed, pair_along(manifold, x, manifold.tangent(x, coordinates), r))

    if law is None:
        stretches, bendings = jax.jit(jax.vmap(limit))(jnp.asarray(directions))
        return np.asarray(stretches), np.asarray(bendings), weights
    nodes, masses = np.polynomial.legendre.leggauss(_DISTANCES)
    distances = law.quantile(jnp.asarray((nodes + 1) / 2), manifold.dim)
    over = jax.jit(jax.vmap(jax.vmap(quotients, (None, 0)), (0, None)))
    stretches, bendings = over(jnp.asarray(directions), distances)
    return np.asarray(stretches).ravel(), np.asarray(bendings).ravel(), np.outer(weights, masses / 2).ravel()
