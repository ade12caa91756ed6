"""Metric flows: how a Riemannian metric g(u, t) changes with time, ∂_t g = velocity(g), at each point u by itself.

The linear flow with a steady-state term relaxes to a reference metric Σ(u) at the rate α, while a matrix Λ(u) damps it:

    ∂_t g = -½ (Λ g + g Λ^T) - α (g - Σ)      `SymmetricFlow`
    ∂_t g = -Λ g - α (g - Σ)                  `LiteralFlow`

The first keeps g symmetric and positive definite for every Λ, and for a symmetric Λ it is the gradient flow of an
`energy`.
The second, as released with "Variational autoencoders with latent high-dimensional steady geometric flows for dynamics"
(Gracyk, arXiv 2410.10137), leaves the symmetric matrices unless Λ and g commute, so that no metric can follow it.

Of the volume, `entropy` = ½ log det g: its rate is ½ tr(g^-1 ∂_t g). For Λ = 0 it never falls below the average of its
start and its end that time weighs, e^{-αt} entropy(g0) + (1 - e^{-αt}) entropy(Σ).

Hamilton's Ricci flow, ∂_t g = -2 Ric(g), needs the metric around the point as well: `RicciFlow` (as in Gracyk,
"Ricci flow regularization in latent spaces for the forward learning of PDEs", arXiv 2401.14591).
"""

import abc
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.linear_algebra import exponential, log_det

Matrix = Float[Array, "n n"]
Scalar = Float[Array, ""]


class FlowContext(NamedTuple):
    """What drives the metric at one point."""

    target: Matrix
    """Σ: the reference metric, symmetric and positive definite."""
    operator: Matrix
    """Λ: any matrix."""
    ricci: Matrix | None = None
    """Ric(g) of the metric that follows the flow, for flows by curvature."""


class AbstractMetricFlow(eqx.Module):
    """An equation ∂_t g = velocity(g) for the metric at one point."""

    @abc.abstractmethod
    def terms(self, g: Matrix, context: FlowContext) -> dict[str, Matrix]:
        """The summands of the velocity, by name."""

    def velocity(self, g: Matrix, context: FlowContext) -> Matrix:
        """What ∂_t g should be."""
        return sum(self.terms(g, context).values(), jnp.zeros_like(g))

    def residual(self, g: Matrix, dg_dt: Matrix, context: FlowContext) -> Matrix:
        """∂_t g minus the velocity: zero for a metric that follows the flow."""
        return dg_dt - self.velocity(g, context)


class AbstractSolvableFlow(AbstractMetricFlow):
    """A flow whose solution is known in closed form for a context that does not change with time."""

    @abc.abstractmethod
    def solution(self, start: Matrix, t: Scalar, context: FlowContext) -> Matrix:
        """The metric after the time t >= 0 from `start`."""


class StaticFlow(AbstractSolvableFlow):
    """∂_t g = 0: the geometry stays as it is."""

    def terms(self, g: Matrix, context: FlowContext) -> dict[str, Matrix]:
        """None."""
        return {}

    def solution(self, start: Matrix, t: Scalar, context: FlowContext) -> Matrix:
        """The start."""
        return start


class AbstractCurvatureFlow(AbstractMetricFlow):
    """A flow by the metric's own curvature: its context has to have that."""


class RicciFlow(AbstractCurvatureFlow):
    """∂_t g = -2 c Ric(g), with a speed c > 0: what is curved like a sphere shrinks, saddles grow, flat metrics rest.

    A sphere of dimension n loses 2 c (n - 1) of its squared radius in a unit of time, until nothing is left. Raises
    `ConfigError` for a speed that is not positive.
    """

    speed: float = eqx.field(static=True, default=1.0, converter=float)

    def __check_init__(self):
        if not 0 < self.speed < float("inf"):
            raise ConfigError(f"speed = {self.speed:g}: a Ricci flow has a positive speed, e.g. 1.")

    def terms(self, g: Matrix, context: FlowContext) -> dict[str, Matrix]:
        """curvature: -2 c Ric(g)."""
        if context.ricci is None:
            raise ConfigError("A Ricci flow needs the curvature: FlowContext(..., ricci=ricci_tensor(metric, u)).")
        return {"curvature": -2 * self.speed * context.ricci}


class AbstractLinearFlow(AbstractSolvableFlow):
    """A linear flow with the steady-state term -α (g - Σ), and a steady state g∞ where nothing changes."""

    rate: eqx.AbstractVar[float]
    """α, per unit of time."""

    @abc.abstractmethod
    def steady_state(self, context: FlowContext) -> Matrix:
        """g∞, for which the velocity is zero. The flow tends to it if Λ and its eigenvalues are not too negative."""


class SymmetricFlow(AbstractLinearFlow):
    """∂_t g = -½ (Λ g + g Λ^T) - α (g - Σ): g stays symmetric and positive definite, whatever Λ is.

    With K = (Λ + α)/2, g(t) = e^{-Kt} g(0) e^{-K^T t} + α ∫_0^t e^{-Ks} Σ e^{-K^T s} ds, and K g∞ + g∞ K^T = α Σ. It
    tends to g∞ if the eigenvalues of K have positive real parts. Raises `ConfigError` for a negative rate.
    """

    rate: float = eqx.field(static=True, default=2.0, converter=float)

    def __check_init__(self):
        _check_rate(self.rate)

    def terms(self, g: Matrix, context: FlowContext) -> dict[str, Matrix]:
        """operator: -½ (Λ g + g Λ^T); relaxation: -α (g - Σ)."""
        product = context.operator @ g
        return {"operator": -(product + product.T) / 2, "relaxation": -self.rate * (g - context.target)}

    def solution(self, start: Matrix, t: Scalar, context: FlowContext) -> Matrix:
        """The formula above, as one exponential of a matrix on the entries of g; `start` has to be symmetric."""
        n = start.shape[0]
        after = _affine(-self._on_entries(context), self.rate * context.target.reshape(-1, 1), start.reshape(-1, 1), t)
        after = after.reshape(n, n)
        return (after + after.T) / 2

    def steady_state(self, context: FlowContext) -> Matrix:
        """The solution of Lyapunov's equation K g∞ + g∞ K^T = α Σ."""
        return jnp.linalg.solve(self._on_entries(context), self.rate * context.target.reshape(-1)).reshape(
            context.target.shape
        )

    def energy(self, g: Matrix, context: FlowContext) -> Scalar:
        """F = ½ tr(g Λ g) + (α/2) |g - Σ|², whose gradient is minus the velocity for a symmetric Λ.

        That is the gradient among symmetric matrices. Among all matrices it is minus the velocity of `LiteralFlow`.
        Then F falls all the way, and with positive semidefinite Λ, F - F(g∞) at least as fast as e^{-2αt}. It is no
        energy of the flow for a Λ that is not symmetric, or changes with time.
        """
        apart = g - context.target
        return (jnp.sum((context.operator @ g) * g) + self.rate * jnp.sum(apart**2)) / 2

    def _on_entries(self, context: FlowContext) -> Matrix:
        """g -> K g + g K^T, as a matrix on the entries of g row by row."""
        identity = jnp.eye(context.target.shape[0], dtype=context.target.dtype)
        k = (context.operator + self.rate * identity) / 2
        return jnp.kron(k, identity) + jnp.kron(identity, k)


class LiteralFlow(AbstractLinearFlow):
    """∂_t g = -Λ g - α (g - Σ), as released: g is symmetric for ever only if Λ commutes with g(0) and Σ.

    With M = Λ + α, g(t) = e^{-Mt} (g(0) - g∞) + g∞ and M g∞ = α Σ. Raises `ConfigError` for a negative rate.
    """

    rate: float = eqx.field(static=True, default=2.0, converter=float)

    def __check_init__(self):
        _check_rate(self.rate)

    def terms(self, g: Matrix, context: FlowContext) -> dict[str, Matrix]:
        """operator: -Λ g; relaxation: -α (g - Σ)."""
        return {"operator": -context.operator @ g, "relaxation": -self.rate * (g - context.target)}

    def solution(self, start: Matrix, t: Scalar, context: FlowContext) -> Matrix:
        """The formula above, also where M is singular."""
        return _affine(-self._matrix(context), self.rate * context.target, start, t)

    def steady_state(self, context: FlowContext) -> Matrix:
        """α (Λ + α)^-1 Σ, which need not be symmetric."""
        return jnp.linalg.solve(self._matrix(context), self.rate * context.target)

    def _matrix(self, context: FlowContext) -> Matrix:
        return context.operator + self.rate * jnp.eye(context.target.shape[0], dtype=context.target.dtype)


def entropy(g: Matrix) -> Scalar:
    """½ log det g: the log-volume of the metric at a point; nan where the determinant is not positive."""
    return log_det(g) / 2


def entropy_rate(g: Matrix, dg_dt: Matrix) -> Scalar:
    """½ tr(g^-1 ∂_t g): how fast the entropy of a changing metric grows."""
    return jnp.trace(jnp.linalg.solve(g, dg_dt)) / 2


def _affine(
    generator: Float[Array, "m m"], drift: Float[Array, "m c"], start: Float[Array, "m c"], t: Scalar
) -> Float[Array, "m c"]:
    """The solution of dx/dt = generator x + drift, from the exponential of both together (Van Loan 1978)."""
    m, c = drift.shape
    below = jnp.zeros((c, m + c), drift.dtype)
    both = exponential(t * jnp.concatenate([jnp.concatenate([generator, drift], axis=1), below]))
    return both[:m, :m] @ start + both[:m, m:]


def _check_rate(rate: float) -> None:
    if not 0 <= rate < float("inf"):
        raise ConfigError(
            f"rate = {rate:g}: a flow goes to its reference metric at a rate of 0 or more per unit of time, e.g. 2."
        )
