"""The physics-integrated VAE: latent coordinates that are the parameters of a physics, and corrections to it.

    y' = physics(y, t; p) + inside(y, t; z_in),    y(t_0) = y_0
    x(t) = observed part of y(t) + outside(t; p, z_in, z_out) + noise

(Takeishi and Kalousis 2021, arXiv 2102.13156). The parameters are p = from_normal(v), with v ~ N(0, I) as their prior
says, so that all latent coordinates are standard normal beforehand. Both corrections start at zero, and the physics
alone is the same code without them.

The encoder first infers what the physics does not know, q(z_in, z_out | x), then cleanses the signal of it, and infers
the parameters from the cleansed signal, q(v | cleansed).
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.integrate import since_first
from latax.models.physics_encoder import Encoder
from latax.models.physics_model import AbstractPhysicsVAE, Ladder, Latents
from latax.models.rate_correction import RateCorrection
from latax.nn import FourierSeries
from latax.physics.physics import AbstractDynamics, Correction
from latax.physics.space import Params


class PhysicsVAE(AbstractPhysicsVAE):
    """A physics in time with learned corrections, and the encoder that infers its parameters."""

    physics: AbstractDynamics
    times: tuple[float, ...] = eqx.field(static=True)
    encoder: Encoder
    inside: RateCorrection | None
    outside: FourierSeries | None
    log_noise: Float[Array, ""]
    """Logarithm of the standard deviation of the noise, in standardised units."""
    loc: Float[Array, "*sample"]
    scale: Float[Array, "*sample"]
    """Units of the observations: networks see (x - loc) / scale."""
    state_scale: Float[Array, "*state"]
    rate_scale: Float[Array, "*corrected"]
    """Units of the states and of the corrected rates of change."""
    inside_size: int = eqx.field(static=True)
    outside_size: int = eqx.field(static=True)
    infers_initial: bool = eqx.field(static=True)

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, *sample)."""
        return (len(self.times), *self.scale.shape)

    @property
    def given(self) -> int:
        """The first observation, about which the initial state is; none if there is no state."""
        return 1 if np.prod(self.physics.state_shape) else 0

    @property
    def initial_shape(self) -> tuple[int, ...]:
        """The shape of the whole state."""
        return self.physics.state_shape

    def first_state(self, x: Float[Array, "T *sample"]) -> Float[Array, "*state"]:
        """The state whose observed part is the first observation."""
        return self.physics.initial_state(x[0])

    def mean(self, x: Float[Array, "T *sample"]) -> Float[Array, "*sample"]:
        """The mean over time."""
        return jnp.mean(x, axis=0)

    # ---- the generative model

    def alone(self, params: Params, initial: Float[Array, "*state"]) -> Float[Array, "T *sample"]:
        """What the physics makes of these parameters and this initial state, without corrections."""
        return self.physics.simulate(params, initial, np.asarray(self.times), interval=self.interval)

    def correction(self, inside: Float[Array, " a"]) -> Correction | None:
        """The correction to the rate of change, for `Latents.inside`; None if the model has none."""
        net, shape = self.inside, self.physics.correction_shape
        if net is None:
            return None

        of_sequence = net.of(inside)

        def added(since: Float[Array, ""], y: Float[Array, "*state"]) -> Float[Array, "*corrected"]:
            when = jnp.asarray(since / self._span, y.dtype)
            return of_sequence(when, (y / self.state_scale).ravel()).reshape(shape) * self.rate_scale

        return added

    def ladder(self, latents: Latents, ts: Float[Array | np.ndarray, " T"] | None = None) -> Ladder:
        """All reconstructions at the times `ts`, by default those of the data: from two solves, or one."""
        ts = np.asarray(self.times) if ts is None else ts
        params = self.parameters(latents.physics)
        solve = functools.partial(self.physics.trajectory, params, latents.initial, ts, interval=self.interval)
        alone, correction = solve(), self.correction(latents.inside)
        states = alone if correction is None else solve(correction)
        physics, inside = (jax.vmap(self.physics.observe)(y) for y in (alone, states))
        outside = self.outputs(latents, ts)
        return Ladder(physics, inside, physics + outside, inside + outside, states)

    def decode(self, latents: Latents, ts: Float[Array | np.ndarray, " T"] | None = None) -> Float[Array, "T *sample"]:
        """The sequence without noise, at the times `ts`; beyond those of the data it is an extrapolation.

        However far the times are apart, steps are as long as between those of the data.
        """
        ts = np.asarray(self.times) if ts is None else ts
        params, correction = self.parameters(latents.physics), self.correction(latents.inside)
        made = self.physics.simulate(params, latents.initial, ts, correction, interval=self.interval)
        return made + self.outputs(latents, ts)

    def outputs(self, latents: Latents, ts: Float[Array | np.ndarray, " T"]) -> Float[Array, "T *sample"]:
        """The correction to the observations."""
        since = jnp.asarray(since_first(ts, self.times[0]), self.scale.dtype)
        if self.outside is None:
            return jnp.zeros((len(ts), *self.scale.shape), self.scale.dtype)
        known = self.physics.parameters.canonical(latents.physics)
        added = self.outside(since, jnp.concatenate([known, latents.inside, latents.outside]))
        return added.reshape(len(ts), *self.scale.shape) * self.scale[None]

    def effort(self, latents: Latents, ladder: Ladder) -> Float[Array, ""]:
        """Mean square of both corrections, in units of the physics' rates of change and of the observations.

        That of the rates is taken as a function: over times and states of the trajectory that are put together anew.
        Along the trajectory itself friction looks in part like a restoring force, and a correction with the least
        effort there would leave that part to a slower pendulum. Over independent times, angles and velocities it has
        nothing in common with it (as terms of a functional analysis of variance have not, Hooker 2007, and as in
        Plumlee, "Bayesian calibration of inexact computer models", JASA 2017).
        """
        outside = jnp.mean(((ladder.full - ladder.with_inside) / self.scale[None]) ** 2)
        correction = self.correction(latents.inside)
        if correction is None:
            return outside
        states = self.physics.recombined(ladder.states)
        rates = jax.vmap(correction)(self.since, states)
        return outside + jnp.mean((rates / self.rate_scale[None]) ** 2)

    @property
    def since(self) -> Float[Array, " T"]:
        """The times of the data, from the first of them on."""
        return jnp.asarray(since_first(np.asarray(self.times), self.times[0]), self.scale.dtype)

    @property
    def interval(self) -> float:
        """The usual time from one observation to the next."""
        return float(np.median(np.diff(self.times)))

    @property
    def _span(self) -> float:
        return self.times[-1] - self.times[0]

    # ---- inference

    def latents(
        self,
        x: Float[Array, "T *sample"],
        physics: Float[Array, " m"],
        auxiliary: Float[Array, " c"],
        initial: Float[Array, " s"],
    ) -> Latents:
        """Latents from coordinates as the posterior has them."""
        state = self.first_state(x)
        if self.infers_initial:
            state = state + initial.reshape(state.shape) * self.initial_spread()
        return Latents(physics, auxiliary[: self.inside_size], auxiliary[self.inside_size :], state)

    def initial_spread(self) -> Float[Array, "*state"]:
        """Prior standard deviation of the initial state around the first observation: the noise where it is observed,
        the scale of the state where it is not."""
        observed = self.physics.initial_state(jnp.ones_like(self.scale)) != self.physics.initial_state(
            jnp.zeros_like(self.scale)
        )
        return jnp.where(observed, self.physics.initial_state(self.noise), self.state_scale)


def physics_vae(
    physics: AbstractDynamics,
    times: Float[np.ndarray, " T"],
    *,
    inside_size: int | None = 1,
    outside_size: int | None = 2,
    infers_initial: bool = False,
    noise: float = 0.1,
    width_size: int = 128,
    inside_width: int = 64,
    key: PRNGKeyArray,
) -> PhysicsVAE:
    """A new physics-integrated VAE for sequences at the given times.

    **Arguments:**

    - `physics`: what is known.
    - `times`: (T,), increasing; the first is that of the initial state.
    - `inside_size`, `outside_size`: latent coordinates of the correction to the rate of change and of that to the
      observations. None: there is no such correction; 0: it is there, the same for every sequence but for what else it
      depends on.
    - `infers_initial`: the initial state is inferred (around the first observation) instead of observed.
    - `noise`: standard deviation at the start, in standard deviations of the data.
    - `width_size`, `inside_width`: hidden units of the encoder, and of the correction to the rate of change.

    Raises `ConfigError` for sizes below zero and fewer than two times.
    """
    if len(times) < 2:
        raise ConfigError(f"A sequence needs at least two times; got {len(times)}.")
    for name, size in (("inside_size", inside_size), ("outside_size", outside_size)):
        if size is not None and size < 0:
            raise ConfigError(f"{name}={size} must be a whole number from 0 on, or None for no such correction.")
    encoder_key, inside_key, outside_key = jr.split(key, 3)
    if 0 in physics.correction_shape:  # The physics lets nothing be corrected.
        inside_size = None
    a, b = inside_size or 0, outside_size or 0
    count, span = len(times), float(times[-1] - times[0])
    shape, state = physics.sample_shape, physics.state_shape
    numbers, corrected = int(np.prod(shape)), int(np.prod(physics.correction_shape))
    inside = outside = None
    if inside_size is not None:
        inside = RateCorrection(a, int(np.prod(state)), corrected, inside_width, key=inside_key)
    if outside_size is not None:
        highest = 0.5 / float(np.median(np.diff(times)))
        size = physics.parameters.size + a + b
        outside = FourierSeries(size, numbers, span=span, highest=highest, key=outside_key)
    initial = int(np.prod(state)) if infers_initial else 0
    return PhysicsVAE(
        physics=physics,
        times=tuple(float(t) for t in times),
        encoder=Encoder(
            count * numbers, physics.parameters.size, a + b, initial, width_size=width_size, key=encoder_key
        ),
        inside=inside,
        outside=outside,
        log_noise=jnp.log(jnp.asarray(noise)),
        loc=jnp.zeros(shape),
        scale=jnp.ones(shape),
        state_scale=jnp.ones(state),
        rate_scale=jnp.ones(physics.correction_shape),
        inside_size=a,
        outside_size=b,
        infers_initial=infers_initial,
    )
