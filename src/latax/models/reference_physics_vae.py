"""The physics-integrated VAE as its authors released it, for tests and for studies that compare with it.

Takeishi and Kalousis 2021 (arXiv 2102.13156), in the form of their pendulum. Use `latax.models.physics_vae` for
anything else. What differs here is kept on purpose:

* parameters are Gaussian in their own units, with means made positive by softplus and draws cut off at a clamp, where
  gradients die; their prior is a Gaussian, three times as wide as the range;
* the noise is fixed, and the loss is in units of 2σ², with *half* of the KL divergence that the bound has;
* the cleansing sees means; parameters of simulations are compared in their own units;
* the correction to the observations is an array of fixed length, so nothing can be said about later times;
* corrections do not start at zero, and data are not standardised.

The released code solves by Euler's method: give a physics with `solver=FixedStep("euler")`.
"""

import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jax.lax import stop_gradient
from jaxtyping import Array, Float, Key, PRNGKeyArray

from latax.models.physics_vae import Ladder, Latents
from latax.nn import MLP, DiagonalGaussian
from latax.physics.physics import AbstractDynamics, Correction
from latax.train import Batch, Phase, Recipe

#: σ² of the likelihood is exp(this), for the pendulum.
LOG_VARIANCE = -9.0


class TwoHeads(eqx.Module):
    """A Gaussian from a sequence: features, and from them the mean and the log-variance by networks of their own."""

    features: MLP
    mean: MLP
    log_variance: MLP

    def __init__(self, in_size: int, size: int, *, key: PRNGKeyArray):
        keys = jr.split(key, 3)
        self.features = MLP(in_size, 256, (128, 128), key=keys[0])
        self.mean = MLP(256, size, (64, 32), key=keys[1])
        self.log_variance = MLP(256, size, (64, 32), key=keys[2])

    def __call__(self, x: Float[Array, " d"]) -> DiagonalGaussian:
        """The Gaussian, with a log-variance without bounds."""
        features = jax.nn.elu(self.features(x))
        return DiagonalGaussian(self.mean(features), self.log_variance(features))


class ReferencePosterior(NamedTuple):
    """What the encoder says; `physics` is a Gaussian of the parameters in their units, before the clamp."""

    inside: DiagonalGaussian
    outside: DiagonalGaussian
    physics: DiagonalGaussian
    cleansed: Float[Array, "T *sample"]


class ReferencePhysicsVAE(eqx.Module):
    """The released model. `Latents.physics` are the parameters' values, of shape (k,)."""

    physics: AbstractDynamics
    times: tuple[float, ...] = eqx.field(static=True)
    clamp: tuple[float, float] = eqx.field(static=True)
    encode_inside: TwoHeads | None
    encode_outside: TwoHeads | None
    encode_physics: TwoHeads
    cleanser: MLP
    inside: MLP | None
    outside: MLP | None

    # ---- the generative model

    def prior(self) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """Mean and standard deviation of the parameters: the middle of their range, and 0.866 of its length."""
        low, high = self._range()
        return (low + high) / 2, np.maximum(1e-3, 0.866 * (high - low))

    def correction(self, inside: Float[Array, " a"]) -> Correction | None:
        """The correction to the rate of change, of the latents, the state and the time."""
        net, shape = self.inside, self.physics.correction_shape
        if net is None:
            return None
        return lambda t, y: net(jnp.concatenate([inside, y.ravel(), t.reshape(1).astype(y.dtype)])).reshape(shape)

    def ladder(self, latents: Latents) -> Ladder:
        """All reconstructions at the times of the data."""
        params, ts = self.physics.parameters.from_array(latents.physics), np.asarray(self.times)
        alone = self.physics.trajectory(params, latents.initial, ts)
        correction = self.correction(latents.inside)
        states = alone if correction is None else self.physics.trajectory(params, latents.initial, ts, correction)
        physics, inside = (jax.vmap(self.physics.observe)(y) for y in (alone, states))
        outside = jnp.zeros_like(physics)
        if self.outside is not None:
            seen = jnp.concatenate([latents.physics, latents.inside, latents.outside])
            outside = self.outside(seen).reshape(physics.shape)
        return Ladder(physics, inside, physics + outside, inside + outside, states)

    def decode(self, latents: Latents) -> Float[Array, "T *sample"]:
        """The sequence without noise, at the times of the data."""
        return self.ladder(latents).full

    # ---- inference

    def posterior(self, x: Float[Array, "T *sample"]) -> ReferencePosterior:
        """What the encoder says about x."""
        flat = x.ravel()
        inside, outside = _said(self.encode_inside, flat), _said(self.encode_outside, flat)
        cleansed = flat + self.cleanser(jnp.concatenate([flat, inside.mean, outside.mean]))
        return ReferencePosterior(inside, outside, self.known(cleansed), cleansed.reshape(x.shape))

    def known(self, cleansed: Float[Array, " d"]) -> DiagonalGaussian:
        """q(parameters | cleansed): its mean is positive."""
        found = self.encode_physics(cleansed)
        return DiagonalGaussian(jax.nn.softplus(found.mean), found.log_variance)

    def kl(self, found: ReferencePosterior) -> Float[Array, ""]:
        """KL from the prior in nats; that of the parameters is of the Gaussian before the clamp."""
        mean, std = (jnp.asarray(a, found.physics.mean.dtype) for a in self.prior())
        relative = DiagonalGaussian((found.physics.mean - mean) / std, found.physics.log_variance - 2 * jnp.log(std))
        return found.inside.kl() + found.outside.kl() + relative.kl()

    def draw(self, x: Float[Array, "T *sample"], found: ReferencePosterior, key: PRNGKeyArray) -> Latents:
        """A draw of all latents."""
        keys = jr.split(key, 3)
        physics = jnp.clip(found.physics.sample(keys[0]), *self.clamp)
        initial = self.physics.initial_state(x[0])
        return Latents(physics, found.inside.sample(keys[1]), found.outside.sample(keys[2]), initial)

    def encode(self, x: Float[Array, "T *sample"]) -> Latents:
        """The latents at the posterior's mean."""
        found = self.posterior(x)
        physics = jnp.clip(found.physics.mean, *self.clamp)
        return Latents(physics, found.inside.mean, found.outside.mean, self.physics.initial_state(x[0]))

    def simulated(self, initial: Float[Array, "*state"], key: PRNGKeyArray) -> tuple[Array, Array]:
        """Parameters from the uniform law on their range, and what the physics alone makes of them."""
        low, high = (jnp.asarray(a, initial.dtype) for a in self._range())
        values = jr.uniform(key, low.shape, initial.dtype, low, high)
        params = self.physics.parameters.from_array(values)
        return values, self.physics.simulate(params, initial, np.asarray(self.times))

    def _range(self) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        parameters = self.physics.parameters.parameters
        return np.array([p.lower for p in parameters]), np.array([p.upper for p in parameters])


def _said(encoder: TwoHeads | None, x: Float[Array, " d"]) -> DiagonalGaussian:
    nothing = jnp.zeros(0, x.dtype)
    return DiagonalGaussian(nothing, nothing) if encoder is None else encoder(x)


def reference_physics_vae(
    physics: AbstractDynamics,
    times: Float[np.ndarray, " T"],
    *,
    inside_size: int | None = 1,
    outside_size: int | None = 2,
    clamp: tuple[float, float] = (0.0, 20.0),
    key: PRNGKeyArray,
) -> ReferencePhysicsVAE:
    """A new model of the released sizes. `clamp`: bounds of parameter draws. None: without that correction."""
    keys = jr.split(key, 6)
    size, k = len(times) * math.prod(physics.sample_shape), len(physics.parameters)
    a, b = inside_size or 0, outside_size or 0
    state, corrected = math.prod(physics.state_shape), math.prod(physics.correction_shape)
    return ReferencePhysicsVAE(
        physics=physics,
        times=tuple(float(t) for t in times),
        clamp=clamp,
        encode_inside=TwoHeads(size, a, key=keys[0]) if a else None,
        encode_outside=TwoHeads(size, b, key=keys[1]) if b else None,
        encode_physics=TwoHeads(size, k, key=keys[2]),
        cleanser=MLP(size + a + b, size, (128, 128), key=keys[3]),
        inside=None if inside_size is None else MLP(a + state + 1, corrected, (64, 64), key=keys[4]),
        outside=None if outside_size is None else MLP(k + a + b, size, (128, 128), key=keys[5]),
    )


def terms(model: ReferencePhysicsVAE, batch: Batch, key: Key[Array, ""]) -> dict[str, Float[Array, ""]]:
    """The terms of the released loss, means over the batch, in the units of the data: to be weighted by `weights`."""
    x = batch["x"].reshape(-1, len(model.times), *model.physics.sample_shape)

    def of_one(x: Float[Array, "T *sample"], key: Key[Array, ""]) -> dict[str, Float[Array, ""]]:
        draw_key, simulation_key = jr.split(key)
        found = model.posterior(x)
        latents = model.draw(x, found, draw_key)
        ladder = model.ladder(latents)
        values, made = stop_gradient(model.simulated(latents.initial, simulation_key))
        return {
            "squares": _squares(x, ladder.full),
            "kl": model.kl(found),
            "cleansing": _squares(found.cleansed, stop_gradient(ladder.physics)),
            "augmentation": jnp.mean((model.known(made.ravel()).mean - values) ** 2),
            "ladder": _ladder(model, ladder),
        }

    of_all = jax.vmap(of_one)(x, jr.split(key, len(x)))
    return {name: jnp.mean(values) for name, values in of_all.items()}


def _squares(a: Float[Array, "T *sample"], b: Float[Array, "T *sample"]) -> Float[Array, ""]:
    return jnp.sum((a - b) ** 2)


def _ladder(model: ReferencePhysicsVAE, ladder: Ladder) -> Float[Array, ""]:
    """Mean over the edges of the ladder. With one correction only, two of the four are nothing, and two are alike."""
    physics, inside, outside, full, _ = ladder
    edges = [(inside, physics), (outside, physics), (full, inside), (full, outside)]
    both = model.inside is not None and model.outside is not None
    return jnp.sum(jnp.stack([_squares(*edge) for edge in edges])) / (4 if both else 2)


def weights(
    *,
    ppc: float = 1e-2,
    cleansing: float = 1e-3,
    augmentation: float = 1e-1,
    kl: float = 1.0,
    log_variance: float = LOG_VARIANCE,
) -> dict[str, float]:
    """The weights of the released loss, by default those of the pendulum.

    With kl=2 and no regulariser, the loss is 2σ²(-ELBO) - d σ² ln(2πσ²), for d numbers in a sequence; released is 1.
    """
    kl_weight = (kl + ppc) * math.exp(log_variance)
    return {"squares": 1.0, "kl": kl_weight, "cleansing": cleansing, "augmentation": augmentation, "ladder": ppc}


def squared_error(model: ReferencePhysicsVAE, batch: Batch) -> Float[Array, " batch"]:
    """Metric: the sum of the squared errors of every sequence at the posterior's mean.

    The released code takes it at a draw instead.
    """
    x = batch["x"].reshape(-1, len(model.times), *model.physics.sample_shape)
    return jax.vmap(lambda x: _squares(x, model.decode(model.encode(x))))(x)


def recipe(steps: int, batch_size: int = 200, **weight: float) -> Recipe:
    """The released training: Adam with a large epsilon, gradients cut off one by one. `weight`: see `weights`."""
    optimizer = optax.chain(optax.clip(5.0), optax.add_decayed_weights(1e-6), optax.adam(1e-3, eps=1e-3))
    phase = Phase(
        name="model",
        objective=terms,
        steps=steps,
        batch_size=batch_size,
        optimizer=optimizer,
        weights=weights(**weight),
        metric=squared_error,
    )
    return [phase]
