"""The state nearest to a disturbed one, among all that a forecaster makes at time 0.

An encoder that has seen clean states only takes noise on some nodes for another state. Its decoder knows which states
there are: of these, the one nearest by

    Σ_i 2 (√(1 + r_i²) - 1) + |w|²,    r = (x - decode(v, 0)) / σ,    v = m + L w,

hardly moves for nodes that are far off, since each counts by its distance there and not by the square of it, and nodes
that were not observed do not count at all. It is the mode of the posterior of v for noise with such tails, and for a
Gaussian prior with the mean m and the covariance L Lᵀ of the coordinates of known states: where the encoder puts none,
the decoder was never trained. The first state alone says little about some directions of v, so what to go on with is
the state, encoded anew.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax.calculus import jacobian_by_jvps
from latax.linear_algebra import inverse_lower
from latax.models.dynamic_manifold import DynamicManifoldVAE

State = Float[Array, " s"]
Latent = Float[Array, " n"]

#: By how much σ is too large at first: far from the minimum the sum has narrow kinks then.
_COARSE = 16.0
#: Steps with each σ, and shares of a step that are tried.
_STEPS, _SHARES = 16, (1.0, 0.5, 0.2, 0.05, 0.0)
#: How many of the best guesses the coarse fit begins at.
_BEST = 3
#: What is added to the variances of coordinates, relative to their mean: known states may fill a plane only.
_LEAST_VARIANCE = 1e-4


class KnownStates(NamedTuple):
    """Latent coordinates v = mean + factor w of states that the model knows, of which w has mean 0 and covariance 1."""

    whitened: Float[Array, "k n"]
    mean: Latent
    factor: Float[Array, "n n"]
    inverse: Float[Array, "n n"]


class Fit(NamedTuple):
    """A latent point by a robust fit, and what is left open of it: v = value + spread · N(0, 1)."""

    value: Latent
    spread: Float[Array, "n n"]


def known_states(coordinates: Float[Array, "k n"]) -> KnownStates:
    """From the coordinates v of such states."""
    mean = jnp.mean(coordinates, axis=0)
    apart = coordinates - mean[None]
    covariance = apart.T @ apart / len(coordinates)
    size = covariance.shape[0]
    extra = _LEAST_VARIANCE * jnp.trace(covariance) / size + jnp.finfo(mean.dtype).tiny
    factor = jnp.linalg.cholesky(covariance + extra * jnp.eye(size, dtype=mean.dtype))
    inverse = inverse_lower(factor)
    return KnownStates(apart @ inverse.T, mean, factor, inverse)


def first_state(model: DynamicManifoldVAE, v: Latent) -> State:
    """The state at time 0."""
    return model.decode(v, jnp.zeros((), v.dtype))


def nearest_fit(model: DynamicManifoldVAE, start: State, deviation: Float[Array, ""], known: KnownStates) -> Fit:
    """The v whose state at time 0 is nearest to `start`, of which NaN was not observed.

    `deviation`: σ, the usual error of the model's own first states, in units of the data.
    """
    filled = jnp.where(jnp.isfinite(start), start, model.loc)
    place = lambda w: known.mean + known.factor @ w
    likely = known.inverse @ (model.encode(filled).mean - known.mean)
    guesses = jnp.concatenate([likely[None], known.whitened])
    found = robust_latent(lambda w: first_state(model, place(w)), start, guesses, deviation)
    return Fit(place(found.value), known.factor @ found.spread)


def near_states(model: DynamicManifoldVAE, fit: Fit, key: PRNGKeyArray, count: int) -> Float[Array, "count s"]:
    """Draws of the states at time 0 that a fit leaves open."""
    noise = jr.normal(key, (count, len(fit.value)), fit.value.dtype)
    return jax.vmap(lambda e: first_state(model, fit.value + fit.spread @ e))(noise)


def robust_latent(
    decode: Callable[[Latent], State], start: State, guesses: Float[Array, "g n"], deviation: Float[Array, ""]
) -> Fit:
    """The w that is least by the sum above, from the best of the guesses, of which the first is the one that is most
    likely.

    By Gauss' and Newton's steps for squares with weights 1 / √(1 + r²), found anew for each: that sum of squares lies
    above the sum that is meant, and touches it where the weights are from, so a step that lowers the one lowers the
    other. Of several shares of a step the best is taken, which may be none. From the best guesses it goes with larger
    σ and as much wider a prior at first; from the first guess also with σ itself at once, so that nothing found is
    farther than what that leads to. The spread is that of the last sum of squares.
    """
    observed = jnp.isfinite(start)
    x = jnp.where(observed, start, 0)
    identity, shares = jnp.eye(guesses.shape[1], dtype=guesses.dtype), jnp.asarray(_SHARES, guesses.dtype)

    def residuals(state: State, coarse: float) -> State:
        return jnp.where(observed, (x - state) / (coarse * deviation), 0)

    def total(w: Latent, coarse: float) -> Float[Array, ""]:
        squares = residuals(decode(w), coarse) ** 2
        # √(1 + r²) - 1 itself has no digits for small r in single precision.
        return jnp.sum(2 * squares / (jnp.sqrt(1 + squares) + 1)) + jnp.sum((w / coarse) ** 2)

    def normal_equations(w: Latent, coarse: float) -> tuple[Float[Array, "n n"], Latent]:
        state, jacobian = jacobian_by_jvps(decode, w)
        r = residuals(state, coarse)
        slopes = jnp.where(observed[:, None], jacobian / (coarse * deviation), 0)
        weighted = slopes / jnp.sqrt(1 + r**2)[:, None]
        return weighted.T @ slopes + identity / coarse**2, weighted.T @ r - w / coarse**2

    def closer(w: Latent, coarse: float) -> Latent:
        matrix, right = normal_equations(w, coarse)
        step = jax.scipy.linalg.solve(matrix, right, assume_a="pos")
        tried = w[None] + shares[:, None] * step[None]
        return tried[jnp.argmin(jax.vmap(lambda w: total(w, coarse))(tried))]

    def nearer(w: Latent, coarse: float) -> Latent:
        return jax.lax.fori_loop(0, _STEPS, lambda _, w: closer(w, coarse), w)

    first = jax.vmap(lambda w: total(w, _COARSE))(guesses)
    best = guesses[jax.lax.top_k(-first, min(_BEST, len(guesses)))[1]]
    begun = jnp.concatenate([guesses[:1], jax.vmap(lambda w: nearer(w, _COARSE))(best)])
    values = jax.vmap(lambda w: nearer(w, 1.0))(begun)
    value = values[jnp.argmin(jax.vmap(lambda w: total(w, 1.0))(values))]
    matrix, _ = normal_equations(value, 1.0)
    return Fit(value, inverse_lower(jnp.linalg.cholesky(matrix)).T)  # Its covariance is the inverse of the matrix.
