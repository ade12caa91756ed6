"""A decoder and the space that it decodes: what a flow has to know of a generative model, and nothing else."""

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError

Latent = Float[Array, " n"]

#: Packages whose functions hold no module of the user's.
_LIBRARIES = frozenset(("jax", "jaxlib", "numpy", "scipy", "equinox", "optax", "builtins", "functools"))
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
    try:
        image = jax.eval_shape(space.decode, draw)
    except Exception as error:
        said = str(error).strip().splitlines()
        raise ConfigError(
            f"The decoder fails for one point: {type(error).__name__}{f': {said[0]}' if said else ''}. It is given "
            f"shape ({space.size},), without a batch axis, and nothing else: no key, no state, no names of axes."
        ) from error
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
    """A function, and all that it closes over, calls or holds that may be a module: these are no leaves of it."""
    waiting, found = [function], {}
    while waiting:
        part = waiting.pop()
        if id(part) in found or part is None or _is_foreign(part):
            continue
        found[id(part)] = part
        waiting += _within(part)
    return list(found.values())


def _within(part: Any) -> list[Any]:
    if isinstance(part, functools.partial):
        return [part.func, *part.args, *part.keywords.values()]
    if isinstance(part, types.MethodType):
        return [part.__self__, part.__func__]
    if isinstance(part, types.FunctionType):
        cells = [cell.cell_contents for cell in part.__closure__ or () if _is_full(cell)]
        named = [part.__globals__[name] for name in part.__code__.co_names if name in part.__globals__]
        return [*cells, *named, *(part.__defaults__ or ()), getattr(part, "__wrapped__", None)]
    if hasattr(part, "__wrapped__"):  # such as what jax.jit gives
        return [part.__wrapped__]
    if isinstance(part, Mapping):
        return list(part.values())
    if isinstance(part, list | tuple):
        return list(part)
    if isinstance(part, eqx.Module) or not hasattr(part, "__dict__"):  # whose parts are leaves
        return [type(part).__call__] if isinstance(part, eqx.Module) and callable(part) else []
    return [*vars(part).values(), vars(type(part)).get("__call__")]


def _is_full(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name that was never given a value
        return False


def _is_foreign(part: Any) -> bool:
    """Whether this is a library, or of one: arrays, types, and functions that know nothing of the user's modules."""
    if isinstance(part, types.ModuleType | type | np.ndarray | jax.Array | str | int | float):
        return True
    if isinstance(part, Mapping | list | tuple):
        return False
    home = str(getattr(part, "__module__", None) or type(part).__module__).partition(".")[0]
    is_wrapper = hasattr(part, "__wrapped__") or isinstance(part, functools.partial | eqx.Module)
    return home in _LIBRARIES and not is_wrapper
