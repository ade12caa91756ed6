"""The modules' verbs as functions of one sample, defined once: `map_rows` compiles each of them only once."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PyTree

from latax.geometry import geodesic


def encode(module: Any, x: Array, context: Array | None) -> PyTree:
    """Latent coordinates."""
    return module.encode(x, context)


def decode(module: Any, u: Array, context: Array | None) -> PyTree:
    """The data point of latent coordinates."""
    return module.decode(u, context)


def project(module: Any, x: Array, context: Array | None) -> PyTree:
    """decode(encode(x))."""
    return module.decode(module.encode(x, context), context)


def residual(module: Any, x: Array, context: Array | None) -> PyTree:
    """Distance from x to its projection."""
    return jnp.linalg.norm(x - project(module, x, context))


def base(module: Any, x: Array, context: Array | None) -> PyTree:
    """The point of the base space that generates x."""
    return module.base(x, context)


@functools.cache
def shortest(decode: Callable[[Any, Array, Array | None], PyTree]) -> Callable[..., PyTree]:
    """The verb that bends a latent polygon until its image by `decode` is shortest; ends stay."""

    def points(module: Any, polygon: Array, context: Array | None) -> PyTree:
        f = lambda z: decode(module, z, context).ravel()
        found = geodesic(f, polygon[0], polygon[-1], start=polygon, refine=False)
        return found.points, found.residual, found.converged

    return points


def log_prob(module: Any, x: Array, context: Array | None) -> PyTree:
    """The log density with its parts."""
    return module.log_prob(x, context)


def sample(module: Any, key: Array, context: Array | None) -> PyTree:
    """One draw; the key as raw data, which NumPy can hold."""
    return module.sample(jr.wrap_key_data(key), context)
