"""The baselines of the physics-integrated VAE: sequence models without physics.

They are the same module, built without a physics (`latax.models.no_physics`), so that in a comparison nothing else
differs. The physics alone is that module too, with `inside_size=None, outside_size=None`.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.integrate import AbstractSolver
from latax.models.no_physics import NoDynamics, UnknownDynamics
from latax.models.physics_objective import Batch, positive, sequences, unit_of
from latax.models.physics_vae import PhysicsVAE, physics_vae


def sequence_vae(
    times: Float[np.ndarray, " T"],
    sample_shape: tuple[int, ...] = (1,),
    *,
    latent_size: int = 4,
    noise: float = 0.1,
    width_size: int = 128,
    key: PRNGKeyArray,
) -> PhysicsVAE:
    """A VAE whose decoder is a function of time and z alone: x(t) = outside(t; z). "NN only" in the paper.

    Its `Latents.outside` is z; all other latents are empty. Arguments as for `physics_vae`; raises `ConfigError` for a
    latent size below 1.
    """
    if latent_size < 1:
        raise ConfigError(f"latent_size={latent_size} must be a whole number from 1 on.")
    options = {"noise": noise, "width_size": width_size, "key": key}
    return physics_vae(NoDynamics(sample_shape), times, inside_size=None, outside_size=latent_size, **options)


def neural_ode_vae(
    times: Float[np.ndarray, " T"],
    sample_shape: tuple[int, ...] = (1,),
    *,
    order: int = 1,
    inside_size: int = 2,
    outside_size: int | None = 2,
    infers_initial: bool = False,
    noise: float = 0.1,
    width_size: int = 128,
    inside_width: int = 64,
    solver: AbstractSolver | None = None,
    key: PRNGKeyArray,
) -> PhysicsVAE:
    """A VAE whose decoder solves an unknown ODE of a given order, and may add a function of time: "NN + solver".

    Its state is the observation and its derivatives below `order`, which are at rest at first, or inferred with
    `infers_initial`. Arguments else as for `physics_vae`.
    """
    return physics_vae(
        UnknownDynamics(sample_shape, order, solver=solver),
        times,
        inside_size=inside_size,
        outside_size=outside_size,
        infers_initial=infers_initial,
        noise=noise,
        width_size=width_size,
        inside_width=inside_width,
        key=key,
    )


def start_without_physics(model: PhysicsVAE, batch: Batch) -> PhysicsVAE:
    """The baseline in the units of a first batch: where training starts.

    Observations get their mean and standard deviation over batch and time. A derivative gets the root mean square of
    the one below it, times the rate at which the observations change: that of their own differences, and not of higher
    ones, which would be those of the noise.
    """
    x = sequences(model, batch)
    loc, scale = jnp.mean(x, axis=(0, 1)), unit_of(x, (0, 1))
    model = eqx.tree_at(lambda m: (m.loc, m.scale), model, (loc, scale))
    if isinstance(model.physics, UnknownDynamics):
        order = model.physics.order
        velocity = jnp.diff(x, axis=1) / _along(jnp.asarray(np.diff(model.times), x.dtype), x)
        rate = jnp.sqrt(jnp.mean(velocity**2, axis=(0, 1))) / scale
        rate = positive(rate, 1 / (model.times[-1] - model.times[0]))
        size = positive(jnp.sqrt(jnp.mean(x**2, axis=(0, 1))), 1.0)
        states = jnp.stack([size, *(scale * rate**k for k in range(1, order))])
        model = eqx.tree_at(lambda m: (m.state_scale, m.rate_scale), model, (states, scale * rate**order))
    elif model.outside is not None:
        raised = model.outside.raised((loc / scale).ravel())
        model = eqx.tree_at(lambda m: m.outside, model, raised)
    return model


def _along(values: Float[Array, " T"], x: Float[Array, "B U *sample"]) -> Float[Array, "1 T *ones"]:
    return values.reshape(1, -1, *(1,) * (x.ndim - 2))
