"""Flows of spline coupling layers: a bijection of R^size that starts as the identity.

The features are dealt on a circle at random, and each layer moves the next half of the circle given the rest, so that
two layers of an even number of features, or three of an odd one, move every feature. Then they are dealt anew. Layers
that do not fill a round join the first. So in any flow of three or more layers (four of an odd number of features
above three) every output depends on every input, whatever the deals were; independent random permutations do not
guarantee this (of two features they can leave one unmoved forever). And of three features each is moved given both
others, which a surface in space needs; with alternating halves the deal would decide which one is.
"""

import math
from collections.abc import Callable

import equinox as eqx
import jax
from flowjax.bijections import AbstractBijection, Chain, Scan
from jaxtyping import Array, Int, PRNGKeyArray

from latax._errors import ConfigError
from latax.density.coupling import SplineCoupling, moved_size
from latax.density.mixing import LUMixing, Mixing, Permutation, check_mixing, deals


def spline_coupling_flow(
    size: int,
    *,
    layers: int = 5,
    width_size: int = 100,
    blocks: int = 2,
    bins: int = 10,
    interval: float = 6.0,
    mixing: Mixing = "permutation",
    context_size: int | None = None,
    activation: Callable = jax.nn.relu,
    key: PRNGKeyArray,
) -> AbstractBijection:
    """A conditional neural spline flow on R^size (Durkan et al. 2019, arXiv 1906.04032).

    **Arguments:**

    - `size`: number of features; one feature works, as a composition of splines that see only the context.
    - `layers`: number of coupling layers. Three are needed for every output to depend on every input (four of an odd
      number of features above three).
    - `width_size`, `blocks`: of the residual network that reads the splines' parameters off the kept half.
    - `bins`, `interval`: every spline has `bins` bins on [-interval, interval] and is the identity outside.
    - `mixing`: how features are dealt into halves. "permutation" deals at random; "lu" adds a trainable linear map.
    - `context_size`: length of the conditioning vector, None for an unconditional flow.
    - `activation`: of the residual network. The map has continuous derivatives in the kept half only if it has.

    `transform` maps latent to data and `inverse` data to latent. Raises `ConfigError` for a size or number of layers
    below one, an interval that is not positive, fewer than two bins, or an unknown kind of mixing.
    """
    _check(size, layers, bins, interval)
    check_mixing(mixing)
    deal_key, layer_key = jax.random.split(key)
    orders, undo = deals(size, _rounds(size, layers), moved_size(size), key=deal_key)
    lu = mixing == "lu"

    @eqx.filter_vmap
    def layer(order: Int[Array, " d"], key: PRNGKeyArray) -> AbstractBijection:
        coupling = SplineCoupling(
            size,
            width_size=width_size,
            blocks=blocks,
            bins=bins,
            interval=interval,
            activation=activation,
            context_size=context_size,
            key=key,
        )
        return Chain([Permutation(order), *([LUMixing(size)] if lu else []), coupling])

    # All layers are alike, so one is compiled and the others are its repetition with other numbers.
    scan = Scan(layer(orders, jax.random.split(layer_key, layers)))
    return Chain([scan, *([LUMixing(size)] if lu else []), Permutation(undo)])


def _rounds(size: int, layers: int) -> tuple[int, ...]:
    """How many layers each deal of the features serves: a round, the first also what does not fill another."""
    turns = 2 if size % 2 == 0 else 3
    rounds = max(layers // turns, 1)
    return (layers - (rounds - 1) * turns,) + (turns,) * (rounds - 1)


def _check(size: int, layers: int, bins: int, interval: float) -> None:
    if size < 1 or layers < 1:
        raise ConfigError(f"A flow needs at least one feature and one layer; got size={size} and layers={layers}.")
    if bins < 2:
        raise ConfigError(f"bins={bins} leaves a spline nothing to bend. Use at least 2; 8 to 10 are usual.")
    if not 0 < interval < math.inf:
        raise ConfigError(f"interval={interval} is not a positive number. Splines act on [-interval, interval]; try 6.")
