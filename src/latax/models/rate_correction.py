"""The learned correction to the rates of change of a physics, a function of time, state and latent coordinates."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax.nn import MLP

#: Waves over the observed window, and the largest state of which a linear map is learned for every sequence.
WAVES, LARGEST = 6, 64


class RateCorrection(eqx.Module):
    """c(t, y; z) = A(z) (1, y, w(t)) + net(z, y, w(t)), with waves w of up to three periods over the observed window.

    What is missing in a physics is often linear in the state, such as friction, or does not depend on it, such as a
    force: the first term has this with coefficients of each sequence's own, which are made once for a solve. Of a state
    with more than 64 numbers it has (1, w(t)) only. All of it starts at zero.
    """

    net: MLP
    coefficients: MLP
    size: int = eqx.field(static=True)
    linear: bool = eqx.field(static=True)

    def __init__(self, latent_size: int, state_size: int, size: int, width: int, *, key: PRNGKeyArray):
        """`size`: numbers that are corrected; `width`: hidden units of the networks."""
        net_key, coefficients_key = jr.split(key)
        self.size, self.linear = size, state_size <= LARGEST
        terms = 1 + state_size * self.linear + 2 * WAVES
        inputs = latent_size + state_size + 2 * WAVES
        self.net = MLP(inputs, size, (width, width), activation=jnp.tanh, silent=True, key=net_key)
        self.coefficients = MLP(latent_size, size * terms, (2 * width,), silent=True, key=coefficients_key)

    def of(self, z: Float[Array, " a"]) -> "OfSequence":
        """The correction for one sequence."""
        return OfSequence(self, z, self.coefficients(z).reshape(self.size, -1))


class OfSequence(eqx.Module):
    """A `RateCorrection` with given latent coordinates."""

    correction: RateCorrection
    z: Float[Array, " a"]
    matrix: Float[Array, "size terms"]

    def __call__(self, t: Float[Array, ""], y: Float[Array, " n"]) -> Float[Array, " size"]:
        """c(t, y; z), with the observed window from t = 0 to 1 and the state in units of its own."""
        phase = np.pi * np.arange(1, WAVES + 1) * t
        waves = jnp.concatenate([jnp.cos(phase), jnp.sin(phase)]).astype(y.dtype)
        terms = [jnp.ones(1, y.dtype), *([y] if self.correction.linear else []), waves]
        return self.matrix @ jnp.concatenate(terms) + self.correction.net(jnp.concatenate([self.z, y, waves]))
