"""A decoder and the space that it decodes: what a flow has to know of a generative model, and nothing else."""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError

Latent = Float[Array, " n"]

#: Points at which a decoder is tried before anything is trained on it.
_TRIES = 8


class LatentSpace(eqx.Module):
    """Where the points of a decoder come from, and what it makes of them.

    Generators with a mapping network, z -> w -> data, have two latent spaces. Give `mapping` to move in the second,
    and leave it out to move in the first; flows and directions never guess.

    **Arguments:**

    - `size`: the number n of coordinates of the space that is moved in.
    - `sample`: key -> one draw of the prior.
    - `decode`: (n,) -> data of any shape, in JAX, without randomness.
    - `mapping`: from a draw of the prior to the space that is moved in; none by default.
    """

    size: int = eqx.field(static=True)
    sample: Callable[[PRNGKeyArray], Float[Array, " m"]]
    decode: Callable[[Latent], Float[Array, "*data"]]
    mapping: Callable[[Float[Array, " m"]], Latent] | None = None

    def draw(self, key: PRNGKeyArray) -> Latent:
        """A point of the space that is moved in."""
        z = self.sample(key)
        return z if self.mapping is None else self.mapping(z)


class StandardNormal(eqx.Module):
    """The prior N(0, I) in `size` dimensions, each coordinate within ±`truncation` where that is given."""

    size: int = eqx.field(static=True)
    truncation: float | None = eqx.field(static=True, default=None)

    def __call__(self, key: PRNGKeyArray) -> Latent:
        """One draw."""
        if self.truncation is None:
            return jr.normal(key, (self.size,))
        return jr.truncated_normal(key, -self.truncation, self.truncation, (self.size,))


class Rows(eqx.Module):
    """One of the given points, each as likely as the others: for spaces whose prior is that of encoded data."""

    points: Float[Array, "N n"]

    def __call__(self, key: PRNGKeyArray) -> Latent:
        """One draw."""
        return self.points[jr.randint(key, (), 0, self.points.shape[0])]


def check_space(space: LatentSpace) -> tuple[int, ...]:
    """The shape of the decoded data. Raises `ConfigError` for a space in which no flow can be trained.

    That is one of a single coordinate, whose draws have another size or are not finite, or whose decoder gives
    something else than one floating-point array, is random or in training mode, or the same for all points.
    """
    if space.size < 2:
        raise ConfigError(
            f"The latent space has {space.size} coordinate: every flow goes along the same line, and there is nothing "
            "to tell apart. Look at the data along it by `interpolate`, or use a model with at least two coordinates."
        )
    _refuse_training_mode(space.decode, "decoder")
    _refuse_training_mode(space.mapping, "mapping")
    draw = jax.eval_shape(space.draw, jr.key(0))
    if getattr(draw, "shape", None) != (space.size,):
        raise ConfigError(
            f"A draw of the latent space has shape {getattr(draw, 'shape', type(draw).__name__)}; expected "
            f"({space.size},), its size. Give the size after the mapping, and a sampler of one point."
        )
    image = jax.eval_shape(space.decode, draw)
    if not isinstance(image, jax.ShapeDtypeStruct) or not jnp.issubdtype(image.dtype, jnp.floating):
        raise ConfigError(
            f"The decoder gives {image} for one point; expected one array of floating-point numbers. Wrap it in a "
            "function that takes one point (without a batch axis) and returns the data only."
        )
    _try(space)
    return image.shape


def _try(space: LatentSpace) -> None:
    z = jax.vmap(space.draw)(jr.split(jr.key(0), _TRIES))
    decode = jax.jit(jax.vmap(lambda z: space.decode(z).ravel()))
    first, second = np.asarray(decode(z)), np.asarray(jax.vmap(lambda z: space.decode(z).ravel())(z))
    if not np.isfinite(np.asarray(z)).all() or not np.isfinite(first).all():
        raise ConfigError("Draws of the latent space, or what they decode to, are not finite. Look at the decoder.")
    scale = np.abs(first).max() or 1.0
    if np.abs(first - second).max() > 1e-3 * scale:
        raise ConfigError(
            "The decoder gives different data for the same point: it is random (dropout?) or in training mode. Switch "
            "that off, for instance by equinox.nn.inference_mode(decoder)."
        )
    if np.ptp(first, axis=0).max() <= 1e-6 * scale:
        raise ConfigError(
            f"The decoder gives the same data for {_TRIES} different points, so no path can be seen. Is it "
            "trained, and does it use its input?"
        )


def _refuse_training_mode(function: Callable | None, what: str) -> None:
    layers = (eqx.nn.Dropout, eqx.nn.BatchNorm)
    for node in jax.tree.leaves(_parts(function), is_leaf=lambda node: isinstance(node, layers)):
        if isinstance(node, layers) and not node.inference:
            raise ConfigError(
                f"The {what} has a {type(node).__name__} in training mode: what it gives depends on chance or on "
                f"the rest of the batch. Give equinox.nn.inference_mode({what})."
            )


def _parts(function: Any) -> list[Any]:
    """A function, and the modules and functions that it has closed over, which are no leaves of it."""
    waiting, found = [function], {}
    while waiting:
        part = waiting.pop()
        if id(part) in found or not (callable(part) or isinstance(part, list | tuple)):
            continue
        found[id(part)] = part
        if isinstance(part, functools.partial):
            waiting += [part.func, *part.args, *part.keywords.values()]
        elif isinstance(part, types.FunctionType):
            waiting += inspect.getclosurevars(part).nonlocals.values()
        elif isinstance(part, types.MethodType):
            waiting.append(part.__self__)
    return list(found.values())
