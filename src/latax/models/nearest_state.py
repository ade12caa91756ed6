"""The state nearest to a disturbed one, among all that a forecaster makes at time 0.

An encoder that has seen clean states only takes noise on some nodes for another state. Its decoder knows which states
there are: of these, the one nearest by

    Σ_i 2 (√(1 + r_i²) - 1) + |v|²,    r = (x - decode(v, 0)) / σ,

hardly moves for nodes that are far off, since each counts by its distance there and not by the square of it, and nodes
that were not observed do not count at all. It is the mode of the posterior of v for noise with such tails. The first
state alone says little about some directions of v, so what to go on with is the state, encoded anew.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from latax.calculus import jacobian_by_jvps
from latax.models.dynamic_manifold import DynamicManifoldVAE

State = Float[Array, " s"]
Latent = Float[Array, " n"]

#: By how much σ is too large at first: far from the minimum the sum has narrow kinks then.
_COARSER = (16.0, 1.0)
#: Steps with each σ, and shares of a step that are tried.
_STEPS, _SHARES = 16, (1.0, 0.5, 0.2, 0.05, 0.0)
#: Draws of the prior beside the encoder's guess, and how many of the best of these the fit begins at.
_DRAWS, _BEST = 127, 3


def nearest_state(model: DynamicManifoldVAE, start: State, deviation: Float[Array, ""]) -> State:
    """The state at time 0 that the model makes and that is nearest to `start`, of which NaN was not observed.

    `deviation`: σ, the usual error of the model's own first states, in units of the data.
    """
    decode = lambda v: model.decode(v, jnp.zeros((), v.dtype))
    filled = jnp.where(jnp.isfinite(start), start, model.loc)
    guess = model.encode(filled).mean
    draws = jr.normal(jr.key(0), (_DRAWS, guess.shape[0]), guess.dtype)
    return decode(robust_latent(decode, start, jnp.concatenate([guess[None], draws]), deviation))


def robust_latent(
    decode: Callable[[Latent], State], start: State, guesses: Float[Array, "g n"], deviation: Float[Array, ""]
) -> Latent:
    """The v that is least by the sum above, from the best of the guesses.

    By Gauss' and Newton's steps for squares with weights 1 / √(1 + r²), found anew for each: that sum of squares lies
    above the sum that is meant, and touches it where the weights are from, so a step that lowers the one lowers the
    other. Of several shares of a step the best is taken, which may be none.
    """
    observed = jnp.isfinite(start)
    x = jnp.where(observed, start, 0)
    identity, shares = jnp.eye(guesses.shape[1], dtype=guesses.dtype), jnp.asarray(_SHARES, guesses.dtype)

    def residuals(state: State, scale: Float[Array, ""]) -> State:
        return jnp.where(observed, (x - state) / scale, 0)

    def total(v: Latent, scale: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.sum(2 * (jnp.sqrt(1 + residuals(decode(v), scale) ** 2) - 1)) + jnp.sum(v**2)

    def closer(v: Latent, scale: Float[Array, ""]) -> Latent:
        state, jacobian = jacobian_by_jvps(decode, v)
        r, slopes = residuals(state, scale), jnp.where(observed[:, None], jacobian / scale, 0)
        weighted = slopes / jnp.sqrt(1 + r**2)[:, None]
        step = jax.scipy.linalg.solve(weighted.T @ slopes + identity, weighted.T @ r - v, assume_a="pos")
        tried = v[None] + shares[:, None] * step[None]
        return tried[jnp.argmin(jax.vmap(total, (0, None))(tried, scale))]

    def found(v: Latent) -> tuple[Latent, Float[Array, ""]]:
        for factor in _COARSER:
            v = jax.lax.fori_loop(0, _STEPS, lambda i, v, scale=factor * deviation: closer(v, scale), v)
        return v, total(v, deviation)

    first = jax.vmap(total, (0, None))(guesses, _COARSER[0] * deviation)
    best = guesses[jax.lax.top_k(-first, min(_BEST, len(guesses)))[1]]
    values, sums = jax.vmap(found)(best)
    return values[jnp.argmin(sums)]
