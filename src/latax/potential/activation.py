"""Is an activation smooth enough for a second-order equation?"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "sin": jnp.sin,
    "relu": jax.nn.relu,
}
#: Where second derivatives are looked at: no zero of a usual one, on both sides, close enough to bend.
_PLACES = np.array([-1.73, -1.21, -0.83, -0.37, 0.31, 0.77, 1.19, 1.69])

Activation = Callable[[Float[Array, " n"]], Float[Array, " n"]]


def require_smooth(activation: Activation, why: str) -> None:
    """Raise `ConfigError` for an activation whose second derivative is zero on a stretch, such as ReLU or ELU.

    There the Laplacian of a potential is zero almost everywhere whatever its weights, and an equation with one is met
    by accident and teaches nothing. `why`: what needs second derivatives, for the message.
    """
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        single = lambda x: activation(x[None])[0]
        second = jax.vmap(jax.grad(jax.grad(single)))(jnp.asarray(_PLACES))
    flat = np.flatnonzero(np.asarray(second) == 0)
    if flat.size:
        smooth = [name for name in ACTIVATIONS if name != "relu"]
        raise ConfigError(
            f"{why} has second derivatives, and that of the activation {getattr(activation, '__name__', activation)} "
            f"is zero at x = {_PLACES[flat[0]]:g} and around it: the Laplacian of the potential would be zero there "
            f"whatever the weights. Take a smooth one: {', '.join(smooth)}."
        )
