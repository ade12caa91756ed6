"""Partial differential equations for potentials u(z, t), as residuals that are zero where the equation holds.

Every residual is that of one point and one time. None is a mean over coordinates or a sum over a batch: the squared
length of a gradient is Σ_i (∂u/∂z_i)², and the Laplacian is the trace of the Hessian and not the sum of its rows.
"""

import abc
from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from latax import calculus
from latax._errors import ConfigError
from latax.calculus import ScalarField
from latax.potential.potential import Latent, PotentialFunction, Scalar, Time

#: The trace of the Hessian of a function at a point, exactly or by an unbiased estimate.
Laplacian = Callable[[ScalarField, Latent], Scalar]
#: Latent coordinates up to which a Laplacian is taken exactly unless told otherwise.
MOST_EXACT = 64


def rate(u: PotentialFunction, z: Latent, t: Time) -> Scalar:
    """∂u/∂t."""
    return jax.jvp(lambda t: u(z, t), (t,), (jnp.ones_like(t),))[1]


def acceleration(u: PotentialFunction, z: Latent, t: Time) -> Scalar:
    """∂²u/∂t², of this point alone."""
    return jax.jvp(lambda t: rate(u, z, t), (t,), (jnp.ones_like(t),))[1]


class AbstractPotentialPDE(eqx.Module):
    """An equation for u(z, t). For one of your own, write a subclass, or give a function to `UserPDE`."""

    #: The highest derivative in z. Two and more need smooth activations.
    order: eqx.AbstractVar[int]

    @abc.abstractmethod
    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """Zero where the equation holds.

        `laplacian` may be an unbiased estimate, so it has to enter linearly: then so does the residual.
        """


class NoPDE(AbstractPotentialPDE):
    """No equation at all."""

    order: ClassVar[int] = 0

    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """Zero."""
        return jnp.zeros_like(t)


class AbstractDiffusion(AbstractPotentialPDE):
    """An equation with a diffusivity, which stays positive whatever training makes of its root."""

    root: eqx.AbstractVar[Float[Array, ""]]
    """√D."""

    @property
    def diffusivity(self) -> Float[Array, ""]:
        """D."""
        return self.root**2


def _root(diffusivity: float | Float[Array, ""]) -> Float[Array, ""]:
    if isinstance(diffusivity, int | float) and not diffusivity >= 0:
        raise ConfigError(f"diffusivity={diffusivity}: expected zero or more; heat does not flow uphill.")
    return jnp.sqrt(jnp.asarray(diffusivity, float))


class Wave(AbstractPotentialPDE):
    """∂²u/∂t² = c² Δu, with the wave speed c, which may be trained; its sign does not matter."""

    order: ClassVar[int] = 2
    speed: Float[Array, ""] = eqx.field(default=1.0, converter=jnp.asarray)

    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """∂²u/∂t² - c² Δu."""
        return acceleration(u, z, t) - self.speed**2 * laplacian(lambda z: u(z, t), z)


class Heat(AbstractDiffusion):
    """∂u/∂t = D Δu, with the diffusivity D."""

    order: ClassVar[int] = 2
    root: Float[Array, ""]

    def __init__(self, diffusivity: float | Float[Array, ""] = 1.0):
        self.root = _root(diffusivity)

    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """∂u/∂t - D Δu."""
        return rate(u, z, t) - self.diffusivity * laplacian(lambda z: u(z, t), z)


def towards_zero(z: Latent) -> Scalar:
    """-½|z|², whose gradient pulls to zero: with D = 1 the standard normal stays as it is."""
    return -0.5 * jnp.sum(z**2)


class FokkerPlanck(AbstractDiffusion):
    """∂u/∂t = -∇·(u ∇A) + D Δu: u is a density that drifts along ∇A and diffuses.

    **Arguments:** `diffusivity`: D; `drift`: A(z), by default -½|z|² (Ornstein and Uhlenbeck).
    """

    order: ClassVar[int] = 2
    root: Float[Array, ""]
    drift: ScalarField

    def __init__(self, diffusivity: float | Float[Array, ""] = 1.0, drift: ScalarField = towards_zero):
        self.root, self.drift = _root(diffusivity), drift

    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """∂u/∂t + ∇u·∇A + u ΔA - D Δu."""
        value, slope = jax.value_and_grad(u)(z, t)
        carried = jnp.vdot(slope, jax.grad(self.drift)(z)) + value * laplacian(self.drift, z)
        return rate(u, z, t) + carried - self.diffusivity * laplacian(lambda z: u(z, t), z)


class ProbabilityFlow(AbstractDiffusion):
    """∂u/∂t = (∇A - ∇u)·∇u + D Δu: u = A - D log p for a density p of the Fokker-Planck equation.

    The gradient flow of u moves points as the density p moves. With A = 0 that is the flow of the heat equation.

    **Arguments:** `diffusivity`: D; `drift`: A(z), by default -½|z|² (Ornstein and Uhlenbeck).
    """

    order: ClassVar[int] = 2
    root: Float[Array, ""]
    drift: ScalarField

    def __init__(self, diffusivity: float | Float[Array, ""] = 1.0, drift: ScalarField = towards_zero):
        self.root, self.drift = _root(diffusivity), drift

    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """∂u/∂t + (∇u - ∇A)·∇u - D Δu."""
        slope = jax.grad(u)(z, t)
        carried = jnp.vdot(slope - jax.grad(self.drift)(z), slope)
        return rate(u, z, t) + carried - self.diffusivity * laplacian(lambda z: u(z, t), z)


class HamiltonJacobi(AbstractPotentialPDE):
    """∂u/∂t + factor |∇u|² = -f², the velocity of optimal transport where factor = ½ and f = 0.

    **Arguments:** `forcing`: f(z, t), for instance another potential; none by default. `factor`: ½ by default.
    """

    order: ClassVar[int] = 1
    forcing: PotentialFunction | None = None
    factor: float = eqx.field(static=True, default=0.5)

    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """∂u/∂t + factor |∇u|² + f²."""
        found = rate(u, z, t) + self.factor * jnp.sum(jax.grad(u)(z, t) ** 2)
        return found if self.forcing is None else found + self.forcing(z, t) ** 2


class UserPDE(AbstractPotentialPDE):
    """An equation of your own.

    **Arguments:** `function`: `(u, z, t, laplacian) -> residual` of one point, written with `jax.numpy`, the Laplacian
    linear in it; `order`: the highest derivative in z.
    """

    function: Callable[[PotentialFunction, Latent, Time, Laplacian], Scalar]
    order: int = eqx.field(static=True, default=2)

    def residual(self, u: PotentialFunction, z: Latent, t: Time, laplacian: Laplacian = calculus.laplacian) -> Scalar:
        """What the function says. Raises `ConfigError` where that is not one number."""
        found = self.function(u, z, t, laplacian)
        if jnp.shape(found) != ():
            raise ConfigError(
                f"The equation's function returns an array of shape {jnp.shape(found)} for one point; expected one "
                "number. It is not called with a batch."
            )
        return found


PDES: dict[str, Callable[[], AbstractPotentialPDE]] = {
    "wave": Wave,
    "heat": Heat,
    "fokker-planck": FokkerPlanck,
    "probability-flow": ProbabilityFlow,
    "hamilton-jacobi": HamiltonJacobi,
    "none": NoPDE,
}


def squared_residual(
    pde: AbstractPotentialPDE,
    u: PotentialFunction,
    z: Latent,
    t: Time,
    *,
    probes: int | None = None,
    key: PRNGKeyArray | None = None,
) -> Scalar:
    """The squared residual at one point, or an unbiased estimate of it.

    **Arguments:**

    - `probes`: random directions for each of two estimates of the Laplacian; 0 for the exact one. By default exact up
        to 64 latent coordinates, and 8 above. The square of one estimate would be too large by its variance, so the
        result is the product of two independent ones, which may be negative.
    - `key`: for random directions.

    Raises `ConfigError` for negative `probes`, and where a key is missing.
    """
    if probes is None:
        probes = 0 if z.shape[0] <= MOST_EXACT else 8
    if probes < 0:
        raise ConfigError(f"probes={probes}: expected a number of random directions, or 0 for the exact Laplacian.")
    if probes == 0 or pde.order < 2:
        return pde.residual(u, z, t) ** 2
    if key is None:
        raise ConfigError(
            f"The Laplacian in {z.shape[0]} dimensions is estimated from random directions. Pass key=jax.random.key(0),"
            " or probes=0 for the exact one."
        )
    first, second = jr.split(key)
    return pde.residual(u, z, t, _by_probes(probes, first)) * pde.residual(u, z, t, _by_probes(probes, second))


def _by_probes(probes: int, key: PRNGKeyArray) -> Laplacian:
    return lambda f, z: calculus.laplacian_estimate(f, z, probes=probes, key=key).value
