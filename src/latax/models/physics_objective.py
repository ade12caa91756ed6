"""How a physics-integrated VAE is trained: the evidence bound, and what keeps the physics in charge.

Every term is the mean over the batch, and in nats where nothing else is said. With F the full and R the reduced
(physics-only) reconstruction, and σ the noise, they are (Takeishi and Kalousis 2021, arXiv 2102.13156; numbers of
equations as there):

- `reconstruction`: -log N(x; F, σ²).
- `kl`: KL from the prior, of all that is inferred.
- `ppc`: the bound of the discrepancy between full and reduced posterior predictive: the mean of ‖F' - F''‖² / 2σ² over
  the edges of the ladder of reduced models, and `kl` once more.
- `effort`: the mean square of the corrections, of rates and of observations, each in its own units, times ½ for every
  number of the sequence (after Yin et al. 2021, arXiv 2010.04456, but over times and states that are independent of
  each other, not along the trajectory: see `PhysicsVAE.effort`). `ppc` looks at what becomes of the corrections later,
  and would rather slow a pendulum down than let it lose energy.
- `cleansing`: ‖cleansed - R‖² / 2σ², R a constant (R_DA,1, equation 11).
- `augmentation`: the squared error, in prior standard deviations and the mean over parameters, of those inferred from
  sequences that the physics alone has made from prior draws (R_DA,2, equation 12). No nats, but a number of order one
  whatever the parameters' units and number.
- `simulation`: -log q(z_A | x) - log q(v | x, z'), with z' ~ q(z_A | x) as when a new sequence is encoded, of sequences
  that the whole model has made, from prior draws of v, with the auxiliary coordinates z_A of one sequence of the batch
  and the residuals of another in place of noise: what the model cannot rebuild is seldom white. As z' is not the z_A
  that made x, the mean is above -log of the posterior of v, which is a mixture over z'. Ours: it teaches the posterior
  its width, which the bound alone leaves too small (the sleep phase of wake-sleep, Hinton et al. 1995).
- `matching`: KL to the prior of the batch's parameters as a whole, by mean and variance of their coordinates. Ours: a
  correction that is alike for all sequences can shift a parameter's scale, and only their prior can tell (as InfoVAE
  weighs it, Zhao et al. 2019, arXiv 1706.02262).

Prior draws for which the physics has no finite solution are left out of `augmentation` and `simulation`.
"""

import math
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.lax import stop_gradient
from jaxtyping import Array, Bool, Float, Key

from latax.models.physics_model import AbstractPhysicsVAE, Ladder, Latents, over_draws
from latax.models.physics_vae import PhysicsVAE

#: One sequence is simulated for so many of the batch: that costs little, and teaches enough.
SIMULATED = 4

Batch = dict[str, Array]
Noise = Literal["fixed", "learned", "optimal"]


class Regularisers(NamedTuple):
    """Weights of the terms beyond the evidence bound; those of zero are not computed. `latax.PhysicsVAE` has those that
    are usual."""

    ppc: float = 0.0
    effort: float = 0.0
    cleansing: float = 0.0
    augmentation: float = 0.0
    simulation: float = 0.0
    matching: float = 0.0

    def weights(self) -> dict[str, float]:
        """The terms that count."""
        return {name: weight for name, weight in self._asdict().items() if weight}


class _Wake(NamedTuple):
    """What the bound and the regularisers need to know about one sequence."""

    ladder: Ladder
    latents: Latents
    auxiliary: Float[Array, " c"]
    residual: Float[Array, "T *sample"]
    kl: Float[Array, ""]
    error: Float[Array, ""]
    """Sum of the squared errors of the standardised numbers."""
    edges: Float[Array, ""]
    effort: Float[Array, ""]
    cleansing: Float[Array, ""]


class PhysicsObjective(eqx.Module):
    """The terms of `regularisers` and of the evidence bound. `batch["x"]`: (B, numbers in a sample)."""

    regularisers: Regularisers = eqx.field(static=True)
    noise: Noise = eqx.field(static=True, default="learned")
    """"fixed": as the model has it; "learned": by gradient; "optimal": the batch's own, which the model's follows."""

    def __call__(self, model: AbstractPhysicsVAE, batch: Batch, key: Key[Array, ""]) -> dict[str, Float[Array, ""]]:
        """The terms of one batch."""
        x = sequences(model, batch)
        keys = jr.split(key, 4)
        wake = jax.vmap(_wake, (None, 0, 0))(model, x, jr.split(keys[0], len(x)))
        size, error = x[0].size, jnp.mean(wake.error)
        optimal = 0.5 * jnp.log(error / size)
        if self.noise == "fixed":
            log_noise = stop_gradient(model.log_noise)
        else:
            log_noise = model.log_noise if self.noise == "learned" else optimal
        units = jnp.sum(jnp.log(model.scale)) * (size // model.scale.size)
        reconstruction = (
            0.5 * error * jnp.exp(-2 * log_noise) + size * (log_noise + 0.5 * math.log(2 * math.pi)) + units
        )
        terms = {"reconstruction": reconstruction, "kl": jnp.mean(wake.kl)}
        if self.noise == "optimal":
            terms["noise"] = (model.log_noise - stop_gradient(optimal)) ** 2
        precision = stop_gradient(0.5 * jnp.exp(-2 * log_noise))
        wanted = self.regularisers.weights()
        if "ppc" in wanted:
            terms["ppc"] = jnp.mean(wake.edges) * precision + terms["kl"]
        if "effort" in wanted:
            terms["effort"] = 0.5 * size * jnp.mean(wake.effort)
        if "cleansing" in wanted:
            terms["cleansing"] = jnp.mean(wake.cleansing) * precision
        if "augmentation" in wanted:
            terms["augmentation"] = augmentation(model, wake.latents.initial, keys[1])
        if "matching" in wanted:
            terms["matching"] = matching(wake.latents.physics)
        if "simulation" in wanted:
            some = -(-len(x) // SIMULATED)
            seen = (wake.auxiliary[:some], wake.latents.initial[:some], wake.residual[:some])
            terms["simulation"] = simulation(model, *stop_gradient(seen), keys[2])
        return terms


def sequences(model: AbstractPhysicsVAE, batch: Batch) -> Float[Array, "B T *sample"]:
    """The samples of a batch in their shape."""
    return batch["x"].reshape(-1, *model.shape)


def _wake(model: AbstractPhysicsVAE, x: Float[Array, "T *sample"], key: Key[Array, ""]) -> _Wake:
    cleanser_key, physics_key, initial_key = jr.split(key, 3)
    # The same key: the draw that cleanses is the draw that corrects.
    found = model.posterior(x, cleanser_key)
    auxiliary = found.auxiliary.sample(cleanser_key)
    latents = model.latents(x, found.physics.sample(physics_key), auxiliary, found.initial.sample(initial_key))
    ladder = model.ladder(latents)
    squares = lambda a, b: jnp.sum(((a - b) / model.scale[None]) ** 2)
    return _Wake(
        ladder=ladder,
        latents=latents,
        auxiliary=auxiliary,
        residual=x - ladder.full,
        kl=found.auxiliary.kl() + found.physics.kl() + found.initial.kl(),
        error=squares(x, ladder.full),
        edges=_mean_over_edges(model, ladder, squares),
        effort=model.effort(latents, ladder),
        cleansing=squares(found.cleansed, stop_gradient(ladder.physics)),
    )


def _mean_over_edges(model: AbstractPhysicsVAE, ladder: Ladder, squares) -> Float[Array, ""]:
    """Mean of ‖F' - F''‖² over pairs of models that differ by one correction; zero for a physics without any."""
    pairs = []
    if model.inside is not None:
        pairs.append((ladder.with_inside, ladder.physics))
        if model.outside is not None:
            pairs.append((ladder.full, ladder.with_outside))
    if model.outside is not None:
        pairs.append((ladder.with_outside, ladder.physics))
        if model.inside is not None:
            pairs.append((ladder.full, ladder.with_inside))
    return jnp.mean(jnp.stack([squares(*pair) for pair in pairs])) if pairs else jnp.zeros(())


def augmentation(model: AbstractPhysicsVAE, initial: Float[Array, "B *state"], key: Key[Array, ""]) -> Float[Array, ""]:
    """R_DA,2: the squared error of the posterior's mean on what the physics alone makes from prior draws.

    In standard deviations of the prior, with angles the shorter way round; only q(v | cleansed) has a gradient.
    """
    space = model.physics.parameters

    def error(v: Float[Array, " m"], y0: Float[Array, "*state"]) -> tuple[Float[Array, ""], Bool[Array, ""]]:
        params = space.from_normal(v)
        x, finite = _finite(stop_gradient(model.alone(params, y0)))
        found = space.from_normal(model.encoder.known(model.standardise(x).ravel()).mean)
        pairs = zip(space.parameters, found, params, strict=True)
        return jnp.mean(jnp.stack([(p.distance(a, b) / p.std) ** 2 for p, a, b in pairs])), finite

    v = jr.normal(key, (len(initial), space.size), model.scale.dtype)
    return _mean_of(*jax.vmap(error)(v, stop_gradient(initial)))


def matching(v: Float[Array, "B m"]) -> Float[Array, ""]:
    """KL of the Gaussian with the batch's mean and variance, for each coordinate, from the standard normal."""
    mean, variance = jnp.mean(v, axis=0), jnp.var(v, axis=0) + 1e-6
    return 0.5 * jnp.sum(mean**2 + variance - 1 - jnp.log(variance))


def simulation(
    model: AbstractPhysicsVAE,
    auxiliary: Float[Array, "B c"],
    initial: Float[Array, "B *state"],
    residual: Float[Array, "B T *sample"],
    key: Key[Array, ""],
) -> Float[Array, ""]:
    """-log q(z_A | x) - log q(v | x, z') in nats, for x that the whole model makes, plus residuals.

    Only the encoder has a gradient.
    """
    arrays, rest = eqx.partition(model, eqx.is_array)
    maker = eqx.combine(stop_gradient(arrays), rest)
    keys, count = jr.split(key, 4), len(initial)
    auxiliary = auxiliary[jr.permutation(keys[0], count)]
    residual = residual[jr.permutation(keys[1], count)]
    v = jr.normal(keys[2], (count, model.physics.parameters.size), model.scale.dtype)

    def surprise(
        v: Float[Array, " m"], z: Float[Array, " c"], y0: Float[Array, "*state"], added: Array, key: Key[Array, ""]
    ) -> tuple[Float[Array, ""], Bool[Array, ""]]:
        made, finite = _finite(maker.decode(Latents(v, z[: model.inside_size], z[model.inside_size :], y0)))
        found = model.posterior(stop_gradient(made + added), key)
        return -found.physics.log_prob(v) - found.auxiliary.log_prob(z), finite

    return _mean_of(*jax.vmap(surprise)(v, auxiliary, initial, residual, jr.split(keys[3], count)))


def _finite(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Bool[Array, ""]]:
    """x, or zeros if not all of it is finite, and whether it is: a solve from a prior draw may explode."""
    finite = jnp.isfinite(x).all()
    return jnp.where(finite, x, 0), finite


def _mean_of(values: Float[Array, " B"], counts: Bool[Array, " B"]) -> Float[Array, ""]:
    """The mean of those that count; zero if none does."""
    weights = counts.astype(values.dtype)
    return jnp.sum(jnp.where(counts, values, 0)) / jnp.maximum(jnp.sum(weights), 1)


def start(model: PhysicsVAE, batch: Batch) -> PhysicsVAE:
    """The model in the units of a first batch: where training starts.

    Observations get their mean and standard deviation over batch and time, states and rates of change the root mean
    square of what the physics makes of prior draws. Where that is nothing, such as for a state that the physics leaves
    at zero, a state gets one, and a rate of change its state in the length of the sequences.
    """
    x = sequences(model, batch)
    loc, scale = jnp.mean(x, axis=(0, 1)), unit_of(x, (0, 1))
    initial = jax.vmap(model.physics.initial_state)(x[:, 0])
    v = jr.normal(jr.key(0), (len(x), model.physics.parameters.size), x.dtype)
    ts = np.asarray(model.times)

    def simulated(v: Float[Array, " m"], y0: Float[Array, "*state"]) -> tuple[Array, Array]:
        params = model.parameters(v)
        states = model.physics.trajectory(params, y0, ts)
        rates = jax.vmap(lambda t, y: model.physics.corrected_rate(t, y, params))(jnp.asarray(ts, x.dtype), states)
        return states, rates

    states, rates = jax.vmap(simulated)(v, initial)
    rms = lambda a: jnp.sqrt(jnp.nanmean(jnp.where(jnp.isfinite(a), a, jnp.nan) ** 2, axis=(0, 1)))
    state_scale = positive(rms(states), 1.0)
    begin = (jnp.asarray(ts[0], x.dtype), initial[0], model.parameters(v[0]))
    still = model.physics.corrected_part(state_scale, *begin) / (ts[-1] - ts[0])
    units = (loc, scale, state_scale, positive(rms(rates), still))
    where = lambda m: (m.loc, m.scale, m.state_scale, m.rate_scale)
    return eqx.tree_at(where, model, units)


def unit_of(x: Float[Array, "B *shape"], axes: tuple[int, ...]) -> Float[Array, "*units"]:
    """Standard deviation over these axes; of numbers that are all the same, their size, or one if they are zero."""
    size = jnp.sqrt(jnp.mean(x**2, axis=axes))
    spread = jnp.std(x, axis=axes)
    return jnp.where(spread > 1e-6 * size, spread, positive(size, 1.0))


def positive(size: Float[Array, "*n"], otherwise: Float[Array, "*#n"] | float) -> Float[Array, "*n"]:
    """The size, or another where it is zero or unknown."""
    return jnp.where(size > 0, size, otherwise)


def reconstruction_error(model: AbstractPhysicsVAE, batch: Batch) -> Float[Array, " batch"]:
    """Metric: the Euclidean distance of every sample to its reconstruction at the posterior's mean, in data units.

    Not the bound: it rewards posteriors that are too narrow, and regularised models are chosen for what they rebuild.
    """

    def error(x: Float[Array, "T *sample"]) -> Float[Array, ""]:
        return jnp.sqrt(jnp.sum((x - model.decode(model.encode(x))) ** 2))

    return jax.vmap(error)(sequences(model, batch))


def found_parameters(model: AbstractPhysicsVAE, batch: Batch) -> dict[str, Float[Array, " batch"]]:
    """The parameters at the posterior's mean, by name and in their units: for samples that make training diverge."""
    space = model.physics.parameters
    found = jax.vmap(lambda x: space.as_array(model.parameters(model.posterior(x).physics.mean)))
    values = found(sequences(model, batch))
    return {name: values[:, i] for i, name in enumerate(space.names)}


def bound(
    model: AbstractPhysicsVAE, x: Float[Array, "T *sample"], key: Key[Array, ""], draws: int = 1
) -> Float[Array, ""]:
    """A lower bound of log p(x) in nats: of the importance-weighted kind (Burda et al. 2016), the usual one for one
    draw, and closer with more. Of a sequence in time, the first observation is given: log p(x_1, x_2, ... | x_0)."""

    def log_weight(key: Key[Array, ""]) -> Float[Array, ""]:
        a, b, c = jr.split(key, 3)
        found = model.posterior(x, a)
        auxiliary, physics, initial = found.auxiliary.sample(a), found.physics.sample(b), found.initial.sample(c)
        mean = model.decode(model.latents(x, physics, auxiliary, initial))
        squares = (((x - mean) / model.noise[None]) ** 2)[model.given :]
        log_p = -0.5 * jnp.sum(squares + 2 * jnp.log(model.noise)[None] + math.log(2 * math.pi))
        for q, value in ((found.auxiliary, auxiliary), (found.physics, physics), (found.initial, initial)):
            log_p += -0.5 * jnp.sum(value**2 + math.log(2 * math.pi)) - q.log_prob(value)
        return log_p

    weights = over_draws(log_weight, key, draws, x.size)
    return jax.nn.logsumexp(weights) - math.log(draws)
