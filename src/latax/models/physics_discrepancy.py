"""What a physics with learned corrections may still be missing, and what that leaves unknown of its parameters.

A correction that is kept small explains as much of a sequence as it must, and the parameters as much as they can: where
the two act alike, the data do not say which it was, and the posterior of the fitted model does not know. So a further
discrepancy is admitted, a random sum of corrections that were learned from other sequences,

    y' = physics(y, t; p) + inside(y, t; z) + Σ_r ε_r c_r(t),    x(t) = ... + Σ_r ε_r o_r(t),    ε_r ~ N(0, 1/R),

with c_r in proportion to the physics' own rate of change: that a physics is wrong by a tenth in one sequence makes a
tenth likely in another; a formula without time has the o_r alone (after Kennedy and O'Hagan, "Bayesian calibration of
computer models", JRSS B 2001; theirs is a Gaussian process in the observations). `sensitivity` is the derivative of the
sample by the parameters, all other latent coordinates, and ε; with it the posterior of a linear model gives the
parameters' spread.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax.models.physics_model import AbstractPhysicsVAE, Latents
from latax.models.physics_vae import PhysicsVAE

#: The physics' own rate of change along a sequence counts as at least this share of its unit, so that a sequence in
#: which nothing moves by the physics says nothing absurd about the others.
LEAST = 0.01


class Discrepancy(NamedTuple):
    """Corrections of R sequences, or of one (without the first axis), at the times of the data.

    - `rates`: of the rates of change, in units of the root mean square of the physics' own along the sequence; None
        for a physics without time.
    - `outputs`: of the observations, in data units.
    """

    rates: Float[Array, "R T *corrected"] | None
    outputs: Float[Array, "R T *sample"]


def learned(model: AbstractPhysicsVAE, x: Float[Array, "T *sample"]) -> Discrepancy:
    """The corrections that the model makes to one sample."""
    latents = model.encode(x)
    ladder = model.ladder(latents)
    rates = _rates(model, latents, ladder.states) if isinstance(model, PhysicsVAE) else None
    return Discrepancy(rates, ladder.full - ladder.with_inside)


def sensitivity(
    model: AbstractPhysicsVAE, x: Float[Array, "T *sample"], discrepancy: Discrepancy
) -> Float[Array, "numbers coordinates"]:
    """Derivative of the sample, in standard deviations of the noise, at the mean of its posterior.

    Its columns are a coordinate for each parameter (of an angle, its turn; the radius of its coordinates says nothing),
    those of the corrections, of the initial state where that is inferred, and of the discrepancy: each has standard
    deviation one beforehand.
    """
    if isinstance(model, PhysicsVAE):
        model = eqx.tree_at(lambda m: m.physics, model, model.physics.forward())
    found, count = model.posterior(x), len(discrepancy.outputs)
    shares = jax.tree.map(lambda a: a / np.sqrt(count), discrepancy)
    decode = _with_rates(model, model.encode(x)) if isinstance(model, PhysicsVAE) else _without_rates(model)
    space = model.physics.parameters
    at = [jnp.zeros(len(space)), found.auxiliary.mean, found.initial.mean, jnp.zeros(count)]

    def disturbed(u: Float[Array, " coordinates"]) -> Float[Array, " numbers"]:
        steps, auxiliary, initial, epsilon = jnp.split(u, np.cumsum([len(part) for part in at[:-1]]))
        further = jax.tree.map(lambda a: jnp.tensordot(epsilon, a, axes=1), shares)
        physics = space.moved(found.physics.mean, steps)
        made = decode(model.latents(x, physics, auxiliary, initial), further.rates) + further.outputs
        return (made / model.noise[None]).ravel()

    return jax.jacfwd(disturbed)(jnp.concatenate(at).astype(model.scale.dtype))


def _without_rates(model: AbstractPhysicsVAE) -> Callable[[Latents, None], Array]:
    return lambda latents, rates: model.decode(latents)


def _with_rates(model: PhysicsVAE, at: Latents) -> Callable[[Latents, Array], Array]:
    scale = _own_rate(model, at, model.ladder(at).states)
    return lambda latents, rates: _decode(model, latents, rates * scale[None])


def _rates(model: PhysicsVAE, latents: Latents, states: Float[Array, "T *state"]) -> Float[Array, "T *corrected"]:
    correction = model.correction(latents.inside)
    since = model.since
    if correction is None:
        return jnp.zeros((len(since), *model.physics.correction_shape), model.scale.dtype)
    return jax.vmap(correction)(since, states) / _own_rate(model, latents, states)[None]


def _decode(model: PhysicsVAE, latents: Latents, rates: Float[Array, "T *corrected"]) -> Float[Array, "T *sample"]:
    """The sequence without noise, with further rates of change that are given at the times of the data."""
    times, nodes = np.asarray(model.times), model.since
    correction = model.correction(latents.inside)

    def added(since: Float[Array, ""], y: Float[Array, "*state"]) -> Float[Array, "*corrected"]:
        i = jnp.clip(jnp.searchsorted(nodes, since, side="right") - 1, 0, len(times) - 2)
        share = (since - nodes[i]) / (nodes[i + 1] - nodes[i])
        further = (1 - share) * rates[i] + share * rates[i + 1]
        return further if correction is None else correction(since, y) + further

    made = model.physics.simulate(model.parameters(latents.physics), latents.initial, times, added)
    return made + model.outputs(latents, times)


def _own_rate(model: PhysicsVAE, latents: Latents, states: Float[Array, "T *state"]) -> Float[Array, "*corrected"]:
    """The size of the physics' own rate of change along a sequence: one share of the model's unit for all."""
    params, ts = model.parameters(latents.physics), jnp.asarray(model.times, model.scale.dtype)
    rates = jax.vmap(lambda t, y: model.physics.corrected_rate(t, y, params))(ts, states)
    return jnp.maximum(jnp.sqrt(jnp.mean((rates / model.rate_scale[None]) ** 2)), LEAST) * model.rate_scale
