"""Log-volumes: 1/2 log det J^T J for the Jacobian J (d x n) of an embedding: how much it stretches n-volume.

Densities on a manifold are latent densities divided by this factor. The exact method is the one to use; the others are
for many latent coordinates, and for maps known to be conformal.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.calculus import jacobian_by_jvps, pushforward
from latax.density.stochastic_volume import stochastic_log_volume
from latax.linear_algebra import log_abs_diagonal_of_r

_MOST_EXACT = 256  # latent coordinates; above, the n forward derivatives of a batch rarely fit in memory

Embed = Callable[[Float[Array, " n"]], Float[Array, " d"]]


def embed_and_log_volume(embed: Embed, u: Float[Array, " n"]) -> tuple[Float[Array, " d"], Float[Array, ""]]:
    """The image of u and the exact log-volume there, for little more than the cost of the Jacobian.

    n forward derivatives and a QR decomposition: the sum of log |R_ii|. J^T J, whose condition number is the square, is
    never formed. -inf where the Jacobian has not full rank.
    """
    x, jacobian = jacobian_by_jvps(embed, u)
    return x, log_abs_diagonal_of_r(jacobian)


def log_volume(
    embed: Embed,
    u: Float[Array, " n"],
    *,
    method: str = "exact",
    probes: int = 1,
    steps: int = 32,
    key: PRNGKeyArray | None = None,
) -> Float[Array, ""]:
    """1/2 log det J^T J of `embed` at u.

    **Methods:**

    - "exact": as `embed_and_log_volume`.
    - "hutchinson": a random estimate whose value and gradient are both unbiased, from `probes` random directions and
      `steps` products with J and J^T for each; see `latax.density.stochastic_volume`. Needs `key`.
    - "conformal": n log |J e| for one direction e: exact if J^T J is a multiple of the identity, wrong otherwise.
    - "auto": exact up to 256 latent coordinates, then hutchinson.

    Raises `ConfigError` for an unknown method, and for a random one without a key.
    """
    if method == "auto":
        method = "exact" if u.shape[0] <= _MOST_EXACT else "hutchinson"
    if method == "exact":
        return embed_and_log_volume(embed, u)[1]
    if method == "conformal":
        n = u.shape[0]
        direction = jnp.full_like(u, n**-0.5)
        return n * jnp.log(jnp.linalg.norm(pushforward(embed, u, direction)[1]))
    if method == "hutchinson":
        if key is None:
            raise ConfigError('method="hutchinson" draws random directions. Pass key=jax.random.key(seed).')
        return stochastic_log_volume(embed, u, probes=probes, steps=steps, key=key)
    raise ConfigError(f"method={method!r} is not known. Use 'exact', 'hutchinson', 'conformal' or 'auto'.")
