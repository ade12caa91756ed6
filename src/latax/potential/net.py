"""A network for a potential, smooth in z and t, for any number of latent coordinates."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.nn import MLP
from latax.potential.activation import Activation
from latax.potential.potential import AbstractPotential, Latent, Scalar, Time

#: Draws of z and t by which a new potential finds its units.
_DRAWS = 64


class TimeFeatures(eqx.Module):
    """From t in [0, 1] to (t, sin ω_1 t, cos ω_1 t, ...), as many as one likes, whatever the latent space.

    The frequencies are spaced evenly on a logarithmic scale from 1 to `highest` (radians per unit of time).
    """

    count: int = eqx.field(static=True, default=4)
    highest: float = eqx.field(static=True, default=8.0)

    def __check_init__(self):
        if self.count < 0 or not self.highest >= 1:
            raise ConfigError(
                f"count={self.count}, highest={self.highest}: expected no negative number of frequencies, and at least "
                "1 radian per unit of time as the highest one."
            )

    @property
    def size(self) -> int:
        """How many features there are."""
        return 1 + 2 * self.count

    def __call__(self, t: Time) -> Float[Array, " f"]:
        """The features."""
        angles = t * jnp.asarray(np.geomspace(1.0, self.highest, self.count), t.dtype)
        return jnp.concatenate([t[None], jnp.sin(angles), jnp.cos(angles)])


class PotentialNet(AbstractPotential):
    """u(z, t) = gain · network(z, features of t).

    The gain is found when the potential is made and never trained: over z from the standard normal and t from [0, 1]
    the root mean square of |∇u| is `speed` · √n, so that one unit of time moves a typical point, whose distance from
    zero is √n, by that share of it. There is no activation at the end, which would bound the path instead.
    """

    net: MLP
    gain: Scalar
    features: TimeFeatures
    size: int = eqx.field(static=True)

    def __init__(
        self,
        size: int,
        hidden: Sequence[int] = (64, 64),
        *,
        activation: Activation = jnp.tanh,
        speed: float = 0.3,
        features: TimeFeatures | None = None,
        key: PRNGKeyArray,
    ):
        """`size`: latent coordinates; `hidden`: widths of the hidden layers. Raises `ConfigError` for a size below 1,
        no hidden layer (the potential would be linear), or a speed that is not positive."""
        if size < 1:
            raise ConfigError(f"size={size}: a potential needs at least one latent coordinate.")
        if not hidden or min(hidden) < 1:
            raise ConfigError(f"hidden={tuple(hidden)}: give at least one hidden layer, each of at least one unit.")
        if not 0 < speed < float("inf"):
            raise ConfigError(f"speed={speed}: expected a positive share of √{size} per unit of time.")
        for_net, for_draws = jr.split(key)
        self.features = TimeFeatures() if features is None else features
        self.net = MLP(size + self.features.size, 1, hidden, activation=activation, key=for_net)
        self.size = size
        self.gain = jnp.ones(())
        self.gain = speed / self._typical_speed(for_draws) * math.sqrt(size)

    def __call__(self, z: Latent, t: Time) -> Scalar:
        """The value u(z, t)."""
        return self.gain * self.net(jnp.concatenate([z, self.features(t)]))[0]

    def _typical_speed(self, key: PRNGKeyArray) -> Scalar:
        places, times = jr.split(key)
        z = jr.normal(places, (_DRAWS, self.size))
        return _root_mean_square(self, z, jr.uniform(times, (_DRAWS,)))


@eqx.filter_jit
def _root_mean_square(u: PotentialNet, z: Float[Array, "draws n"], t: Float[Array, " draws"]) -> Scalar:
    """That of |∇u|. Compiled as a whole, since a potential is mostly made outside of compiled code."""
    gradients = jax.vmap(jax.grad(u))(z, t)
    return jnp.sqrt(jnp.mean(jnp.sum(gradients**2, axis=1)))
