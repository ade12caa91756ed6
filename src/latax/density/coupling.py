"""The coupling layer: half of the features go through splines whose parameters are read off the other half.

    y_kept = x_kept,    y_moved = spline(x_moved; net(x_kept, context))

(Dinh et al. 2017, arXiv 1605.08803; splines as in Durkan et al. 2019, arXiv 1906.04032). A vector of one feature has
no other half: its spline is then free, or a function of the context alone.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from latax.density.spline import parameter_count, spline, spline_inverse
from latax.nn import ResidualNet
from latax.nn.linear import zeros


class SplineCoupling(AbstractBijection):
    """One coupling layer on R^size, which starts as the identity.

    The last size // 2 features are moved and the others kept: of an odd number, the larger half is what is known.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    cond_shape: tuple[int, ...] | None = eqx.field(static=True)
    interval: float = eqx.field(static=True)
    conditioner: "ResidualNet | FreeParameters"

    def __init__(
        self,
        size: int,
        *,
        width_size: int = 100,
        blocks: int = 2,
        bins: int = 10,
        interval: float = 6.0,
        activation: Callable = jax.nn.relu,
        context_size: int | None = None,
        key: PRNGKeyArray,
    ):
        self.shape = (size,)
        self.cond_shape = None if context_size is None else (context_size,)
        self.interval = interval
        kept = size - moved_size(size)
        out_size = moved_size(size) * parameter_count(bins)
        if kept == 0 and context_size is None:
            self.conditioner = FreeParameters(out_size)
        else:
            self.conditioner = ResidualNet(
                kept,
                out_size,
                width_size=width_size,
                blocks=blocks,
                context_size=context_size,
                activation=activation,
                key=key,
            )

    def transform_and_log_det(self, x, condition=None):
        """Latent to data; x and the result have shape (size,)."""
        return self._apply(spline, jnp.asarray(x), condition)

    def inverse_and_log_det(self, y, condition=None):
        """Data to latent; y and the result have shape (size,)."""
        return self._apply(spline_inverse, jnp.asarray(y), condition)

    def _apply(self, elementwise: Callable, x: Float[Array, " d"], condition: ArrayLike | None) -> tuple[Array, Array]:
        cut = self.shape[0] - moved_size(self.shape[0])
        kept, moved = x[:cut], x[cut:]
        context = None if self.cond_shape is None or condition is None else jnp.asarray(condition)
        parameters = self.conditioner(kept, context).reshape(moved.shape[0], -1)
        moved, log_det = elementwise(moved, parameters, self.interval)
        return jnp.concatenate((kept, moved)), log_det


class FreeParameters(eqx.Module):
    """A conditioner with nothing to condition on: its output is a trainable vector that starts at zero."""

    values: Float[Array, " p"]

    def __init__(self, out_size: int):
        self.values = zeros(out_size)

    def __call__(self, x: Float[Array, " in"], context: Float[Array, " c"] | None = None) -> Float[Array, " p"]:
        """The vector, whatever the arguments."""
        return self.values


def moved_size(size: int) -> int:
    """How many of `size` features a coupling layer moves: half of them, rounded down, but at least one."""
    return max(size // 2, 1)
