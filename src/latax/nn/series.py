"""Functions of time whose shape depends on a vector."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax.nn.mlp import MLP


class FourierSeries(eqx.Module):
    """f(t; z) = Σ_k a_k(z) cos ω_k t + b_k(z) sin ω_k t + c(z) + d(z) t / span, for `size` outputs.

    The frequencies start evenly spaced up to `highest` (in periods per unit of time) and are trained. The basis does
    not depend on z, so a batch costs one matrix product; and it goes on beyond the times of the training. It starts at
    zero.
    """

    frequencies: Float[Array, " k"]
    net: MLP
    size: int = eqx.field(static=True)
    span: float = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        size: int,
        *,
        span: float,
        highest: float,
        terms: int = 24,
        hidden: Sequence[int] = (128, 128),
        key: PRNGKeyArray,
    ):
        """`span`: the length of the observed window of time."""
        self.frequencies = jnp.asarray(np.linspace(0.5 / span, highest, terms))
        self.net = MLP(in_size, (2 * terms + 2) * size, hidden, silent=True, key=key)
        self.size, self.span = size, span

    def __call__(self, ts: Float[Array, " T"], z: Float[Array, " n"]) -> Float[Array, "T {self.size}"]:
        """The values at the times `ts`."""
        phase = 2 * jnp.pi * ts[:, None] * self.frequencies[None]
        basis = jnp.concatenate(
            [jnp.cos(phase), jnp.sin(phase), jnp.ones_like(ts)[:, None], ts[:, None] / self.span], 1
        )
        return basis @ self.net(z).reshape(-1, self.size)

    def raised(self, constant: Float[Array, " {self.size}"]) -> "FourierSeries":
        """The same series plus a constant."""
        place = slice(-2 * self.size, -self.size)
        where = lambda series: series.net.layers[-1].bias
        return eqx.tree_at(where, self, where(self).at[place].add(constant))
