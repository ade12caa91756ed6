"""Distortion and bending of a map φ from a manifold to latent space: from pairs of points, and in the limit.

The energy of φ is the mean over the manifold, by volume, of

    γ(|Dφ(x) v|) + λ |∇²φ(x)(v, v)|²,    v a unit tangent vector at x, all directions alike,

with the Riemannian Hessian ∇² of each latent coordinate and λ in units of squared length. It is the limit of the mean
of γ(|∂φ|) + λ |∂²φ|² over pairs (`latax.geometry.quotient`) as their distance goes to zero; the limit is taken here by
automatic differentiation along geodesics, as the reference for the quotients. For an isometric φ the Hessian is the
second fundamental form. Braunsmann et al., arXiv 2208.10193; directional means in closed form.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.calculus import Estimate
from latax.geometry.directions import direction_rule, mean_inverse_square
from latax.geometry.distortion import AbstractDistortion, Inverse
from latax.geometry.manifold import AbstractManifold, Point, Tangent
from latax.geometry.pairs import Pair, PairSampler
from latax.geometry.quotient import first_quotient, second_quotient, squared_length

Embedding = Callable[[Point], Float[Array, " l"]]
Scalar = Float[Array, ""]


class Terms(NamedTuple):
    """The two parts of the energy, at one point, for one pair, or on the average."""

    distortion: Float[Array, "..."]
    """γ: a pure number."""
    bending: Float[Array, "..."]
    """In one over squared length, where φ keeps lengths."""


class Energy(NamedTuple):
    """Estimates of the two parts of the energy, with standard errors."""

    distortion: Estimate
    bending: Estimate

    def total(self, bending_weight: float) -> Scalar:
        """distortion + λ bending."""
        return self.distortion.value + bending_weight * self.bending.value


def along(phi: Embedding, manifold: AbstractManifold, x: Point, v: Tangent) -> tuple[Array, Array]:
    """Dφ(x) v and ∇²φ(x)(v, v): velocity and acceleration of φ along the geodesic from x with this velocity."""
    path = lambda t: phi(manifold.exp(x, t * v))
    velocity = lambda t: jax.jvp(path, (t,), (jnp.ones_like(t),))[1]
    zero = jnp.zeros((), x.dtype)
    return jax.jvp(velocity, (zero,), (jnp.ones_like(zero),))


def derivatives(
    phi: Embedding, manifold: AbstractManifold, x: Point
) -> tuple[Float[Array, "l n"], Float[Array, "l n n"]]:
    """Dφ and ∇²φ at x, in the orthonormal basis `manifold.basis(x)`: derivatives in normal coordinates."""
    normal = lambda c: phi(manifold.exp(x, manifold.tangent(x, c)))
    zero = jnp.zeros(manifold.dim, x.dtype)
    return jax.jacfwd(normal)(zero), jax.jacfwd(jax.jacfwd(normal))(zero)


def mean_bending(hessian: Float[Array, "l n n"]) -> Scalar:
    """The mean of |H(v, v)|² over unit directions v: (2 |H|² + |trace H|²) / (n (n + 2))."""
    n = hessian.shape[1]
    trace = jnp.trace(hessian, axis1=1, axis2=2)
    return (2 * jnp.sum(hessian**2) + jnp.sum(trace**2)) / (n * (n + 2))


def mean_distortion(jacobian: Float[Array, "l n"], distortion: AbstractDistortion) -> Scalar:
    """The mean of γ(|J v|) over unit directions v: for `Inverse`, which is steep where J squeezes, by its closed form;
    for others by `direction_rule`."""
    if isinstance(distortion, Inverse):
        metric = jacobian.T @ jacobian
        return jnp.trace(metric) / len(metric) + mean_inverse_square(metric) - 2
    directions, weights = (jnp.asarray(a, jacobian.dtype) for a in direction_rule(jacobian.shape[1]))
    squares = jnp.sum((directions @ jacobian.T) ** 2, axis=1)
    return jnp.dot(weights, distortion.of_square(squares))


def limit_terms(
    phi: Embedding, manifold: AbstractManifold, x: Point, distortion: AbstractDistortion | None = None
) -> Terms:
    """Distortion and bending of φ at the point x. `Inverse` is the distortion unless another is given."""
    jacobian, hessian = derivatives(phi, manifold, x)
    return Terms(mean_distortion(jacobian, distortion or Inverse()), mean_bending(hessian))


def probed_terms(
    phi: Embedding,
    manifold: AbstractManifold,
    x: Point,
    *,
    probes: int,
    key: PRNGKeyArray,
    distortion: AbstractDistortion | None = None,
) -> Energy:
    """Distortion and bending of φ at the point x from random directions, with standard errors.

    Unbiased estimates of `limit_terms`. Each probe costs one second derivative along a geodesic, whatever the dimension
    n of the manifold, where the exact terms cost n². Raises `ConfigError` below two probes.
    """
    _check_samples("probes", probes)
    kind = distortion or Inverse()
    return _estimate(jax.vmap(lambda key: _probe(phi, manifold, x, key, kind))(jr.split(key, probes)))


def _probe(
    phi: Embedding, manifold: AbstractManifold, x: Point, key: PRNGKeyArray, distortion: AbstractDistortion
) -> Terms:
    velocity, acceleration = along(phi, manifold, x, manifold.direction(x, key))
    return Terms(distortion.of_square(squared_length(velocity)), squared_length(acceleration))


def pair_terms(phi: Embedding, pair: Pair, distortion: AbstractDistortion | None = None) -> Terms:
    """Distortion and bending of φ by the difference quotients of one pair."""
    stretch_squared, bending = pair_squares(phi, pair)
    return Terms((distortion or Inverse()).of_square(stretch_squared), bending)


def pair_squares(phi: Embedding, pair: Pair) -> tuple[Scalar, Scalar]:
    """|∂φ|² and |∂²φ|² of one pair."""
    at_x, at_y, at_midpoint = phi(pair.x), phi(pair.y), phi(pair.midpoint)
    first = first_quotient(at_x, at_y, pair.distance)
    return squared_length(first), squared_length(second_quotient(at_x, at_y, at_midpoint, pair.distance))


def limit_energy(
    phi: Embedding,
    manifold: AbstractManifold,
    *,
    samples: int,
    key: PRNGKeyArray,
    distortion: AbstractDistortion | None = None,
    probe: bool = False,
) -> Energy:
    """The energy of φ in the limit, from `samples` points of the manifold.

    Exact at each of them; with `probe`, in one random direction at each, which is cheap where the manifold has many
    dimensions and unbiased all the same. Raises `ConfigError` below two samples.
    """
    _check_samples("samples", samples)

    def at(key: PRNGKeyArray) -> Terms:
        place, direction = jr.split(key)
        x = manifold.sample(place)
        if probe:
            return _probe(phi, manifold, x, direction, distortion or Inverse())
        return limit_terms(phi, manifold, x, distortion)

    return _estimate(jax.vmap(at)(jr.split(key, samples)))


def pair_energy(
    phi: Embedding,
    sampler: PairSampler,
    *,
    samples: int,
    key: PRNGKeyArray,
    distortion: AbstractDistortion | None = None,
) -> Energy:
    """The energy of φ by difference quotients, from `samples` pairs of points; at least two, or `ConfigError`."""
    _check_samples("samples", samples)
    at = lambda key: pair_terms(phi, sampler(key), distortion)
    return _estimate(jax.vmap(at)(jr.split(key, samples)))


def _estimate(terms: Terms) -> Energy:
    of = lambda values: Estimate(jnp.mean(values), jnp.std(values, ddof=1) / values.shape[0] ** 0.5)
    return Energy(of(terms.distortion), of(terms.bending))


def _check_samples(name: str, count: int) -> None:
    if count < 2:
        raise ConfigError(f"{name}={count}: an estimate with an error needs at least two.")
