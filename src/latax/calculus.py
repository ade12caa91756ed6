"""Differential operators on plain functions of one sample.

A function f takes an array of shape (n,) and returns a scalar or an array of shape (d,). Everything here can itself be
differentiated, compiled and mapped; for many samples use `jax.vmap`. Second derivatives are taken forward over
reverse, so activations must be smooth: where f is piecewise linear they are zero almost everywhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError

Scalar = Float[Array, ""]
Vector = Float[Array, " n"]
ScalarField = Callable[[Vector], Scalar]
VectorField = Callable[[Vector], Vector]
VectorMap = Callable[[Vector], Float[Array, " d"]]


class Estimate(NamedTuple):
    """An unbiased estimate from random probes, and the standard error of its mean."""

    value: Float[Array, ""]
    standard_error: Float[Array, ""]
    """Infinite for a single probe, which says nothing about its own spread."""


def pushforward(f: VectorMap, u: Vector, tangent: Vector) -> tuple[Float[Array, " d"], Float[Array, " d"]]:
    """f(u) and J(u) t: where a tangent vector t at u goes."""
    return jax.jvp(f, (u,), (tangent,))


def pullback(f: VectorMap, u: Vector, cotangent: Float[Array, " d"]) -> tuple[Float[Array, " d"], Vector]:
    """f(u) and J(u)^T w: the gradient at u of w . f."""
    value, transpose = jax.vjp(f, u)
    return value, transpose(cotangent)[0]


def jacobian_by_jvps(f: VectorMap, u: Vector) -> tuple[Float[Array, " d"], Float[Array, "d n"]]:
    """f(u) and the Jacobian J(u), by n forward derivatives that share one evaluation of f.

    The cheap way for maps from few to many dimensions, and one that is itself cheap to differentiate in reverse.
    """
    value, linear = jax.linearize(f, u)
    columns = jax.vmap(linear, out_axes=1)(jnp.eye(u.shape[0], dtype=u.dtype))
    return value, columns


def gram(f: VectorMap, u: Vector) -> Float[Array, "n n"]:
    """The pullback metric J^T J of an embedding f at u.

    For its determinant use `latax.density.log_volume`, which does not square the condition number.
    """
    _, jacobian = jacobian_by_jvps(f, u)
    return jacobian.T @ jacobian


def hvp(f: ScalarField, u: Vector, v: Vector) -> Vector:
    """The Hessian of f at u times v, forward over reverse: the cost of about two gradients, no n x n array."""
    return jax.jvp(jax.grad(f), (u,), (v,))[1]


def laplacian(f: ScalarField, u: Vector) -> Scalar:
    """The trace of the Hessian of f at u, exactly, by n Hessian-vector products that share one gradient."""
    return divergence(jax.grad(f), u)


def laplacian_estimate(f: ScalarField, u: Vector, *, probes: int, key: PRNGKeyArray) -> Estimate:
    """The trace of the Hessian of f at u from random signs (Hutchinson 1990): unbiased, `probes` products.

    Exact for a diagonal Hessian. Its square is a biased estimate of the squared Laplacian; multiply two independent
    estimates instead. Raises `ConfigError` for fewer than one probe.
    """
    return divergence_estimate(jax.grad(f), u, probes=probes, key=key)


def divergence(f: VectorField, u: Vector) -> Scalar:
    """The trace of the Jacobian of f: R^n -> R^n at u, exactly, by n forward derivatives."""
    return jnp.trace(jacobian_by_jvps(f, u)[1])


def divergence_estimate(f: VectorField, u: Vector, *, probes: int, key: PRNGKeyArray) -> Estimate:
    """The trace of the Jacobian of f at u from random signs e: the mean of e . J e over `probes` draws.

    Unbiased, with variance from the off-diagonal part alone. Raises `ConfigError` for fewer than one probe.
    """
    if probes < 1:
        raise ConfigError(f"probes={probes}: an estimate needs at least one random probe.")
    _, linear = jax.linearize(f, u)
    signs = jax.random.rademacher(key, (probes, u.shape[0]), u.dtype)
    values = jax.vmap(lambda e: jnp.vdot(e, linear(e)))(signs)
    if probes == 1:
        return Estimate(values[0], jnp.full_like(values[0], jnp.inf))
    return Estimate(jnp.mean(values), jnp.std(values, ddof=1) / probes**0.5)
