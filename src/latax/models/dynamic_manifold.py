"""VAE with a dynamical latent manifold (VAE-DLM): a state at time t from the initial state, over a surface that moves.

    initial state -> q(v | x_0), Gaussian      posterior
    v -> u                                     chart of the reference metric: keeps u away from its poles
    (u, t) -> z = E(u, t)                      the manifold, a surface in R^D that moves with t
    z -> state at time t                       decoder

Time enters through the manifold alone. Its metric g, induced by E or a network that is held against that, is to follow
a metric flow to the reference metric Σ (`latax.geometry.metric_flow`). Gracyk, "Variational autoencoders with latent
high-dimensional steady geometric flows for dynamics" (arXiv 2410.10137); the code released with it is what
`latax.models.dynamic_objective` calls the reference. Times are counted in units of the observed window, from 0 to 1.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError
from latax.geometry import (
    AbstractCurvatureFlow,
    AbstractLinearFlow,
    AbstractMetricFlow,
    AbstractReferenceMetric,
    FlowContext,
    MovingFrame,
    induced_metric,
    metric_and_rate,
    moving_frame,
    ricci_tensor,
)
from latax.nn.gated import GatedFeatures, GatedMLP, gelu
from latax.nn.gaussian import DiagonalGaussian, bounded_log_variance
from latax.nn.mlp import MLP

Vector = Float[Array, " n"]
Matrix = Float[Array, "n n"]
Scalar = Float[Array, ""]
State = Float[Array, " s"]

OperatorKind = Literal["none", "symmetric", "free", "positive"]
Spread = Literal["log-variance", "signed"]

#: What is added to the metric of a network, relative to the mean of its diagonal, so that it has a determinant.
_JITTER = 1e-6


class Posterior(eqx.Module):
    """q(v | x_0): gated features of the initial state, and a network each for mean and spread.

    `spread`: "log-variance", within bounds; or "signed", a standard deviation of either sign as released, which is the
    same Gaussian.
    """

    features: GatedFeatures
    mean: MLP
    spread: MLP
    kind: Spread = eqx.field(static=True)

    def __init__(self, in_size: int, size: int, width_size: int, *, kind: Spread, key: PRNGKeyArray):
        a, b, c = jax.random.split(key, 3)
        self.features = GatedFeatures(in_size, width_size, activation=gelu, key=a)
        self.mean = MLP(width_size, size, (width_size,), activation=gelu, key=b)
        self.spread = MLP(width_size, size, (width_size,), activation=gelu, key=c)
        self.kind = kind

    def __call__(self, start: State) -> DiagonalGaussian:
        """The Gaussian."""
        h = self.features(start)
        mean, raw = self.mean(h), self.spread(h)
        return DiagonalGaussian(mean, jnp.log(raw**2 + 1e-18) if self.kind == "signed" else bounded_log_variance(raw))


class FlowOperator(eqx.Module):
    """Λ of a linear flow, learned.

    - "none": zero.
    - "symmetric": B(u)^T B(u) - α/2, with B = √(α/2) + network: constant in time and symmetric, so that the flow has an
        energy, and Λ ⪰ -α/2, so that it has a steady state, be that above Σ or below. It starts near zero.
    - "free": any matrix, of u and t.
    - "positive": B(u, t)^T B(u, t), as released. Then the steady state is below Σ.
    """

    net: GatedMLP | None
    kind: OperatorKind = eqx.field(static=True)
    size: int = eqx.field(static=True)
    rate: float = eqx.field(static=True)

    def __init__(self, kind: OperatorKind, size: int, rate: float, width_size: int, *, key: PRNGKeyArray):
        self.kind, self.size, self.rate = kind, size, rate
        in_size = size + (kind != "symmetric")
        self.net = None if kind == "none" else GatedMLP(in_size, size**2, width_size, activation=gelu, key=key)

    def __call__(self, u: Vector, t: Scalar) -> Matrix:
        """Λ(u, t)."""
        identity = jnp.eye(self.size, dtype=u.dtype)
        if self.net is None:
            return 0 * identity
        if self.kind == "symmetric":
            b = self.net(u).reshape(self.size, self.size) + (self.rate / 2) ** 0.5 * identity
            return b.T @ b - self.rate / 2 * identity
        b = self.net(jnp.append(u, t)).reshape(self.size, self.size)
        return b if self.kind == "free" else b.T @ b


class DynamicManifoldVAE(eqx.Module):
    """The model of one kind of states. Everything is for one sample and in units of the data; t in [0, 1].

    Without a `manifold`, the decoder is given v and t, and there is no geometry: the plain VAE. Without a `metric`, the
    metric is the one that E induces.
    """

    posterior: Posterior
    manifold: GatedMLP | None
    decoder: GatedMLP
    metric: GatedMLP | None
    operator: FlowOperator
    reference: AbstractReferenceMetric
    flow: AbstractMetricFlow
    loc: Scalar
    scale: Scalar
    times: tuple[float, ...] = eqx.field(static=True)
    state_shape: tuple[int, ...] = eqx.field(static=True)
    metric_start: float = eqx.field(static=True)

    @property
    def latent_size(self) -> int:
        """The number of latent coordinates."""
        return self.reference.dim

    @property
    def shares(self) -> Float[np.ndarray, " T"]:
        """The times of the data as shares of the observed window, in float64: a far origin of time costs no digits."""
        times = np.array(self.times)
        return (times - times[0]) / (times[-1] - times[0])

    def shifted(self, loc: Float[Array, " d"]) -> "DynamicManifoldVAE":
        """The same model for data that are greater by one number, that of which `loc` is made."""
        return eqx.tree_at(lambda model: model.loc, self, self.loc + loc[0])

    def encode(self, start: State) -> DiagonalGaussian:
        """q(v | x_0)."""
        return self.posterior((start - self.loc) / self.scale)

    def chart(self, v: Vector) -> Vector:
        """The coordinates u on the manifold."""
        return v if self.manifold is None else self.reference.chart(v)

    def embed(self, u: Vector, t: Scalar) -> Float[Array, " d"]:
        """E(u, t); where there is no manifold, (u, t) itself."""
        at = jnp.append(u, t)
        return at if self.manifold is None else self.manifold(at)

    def decode(self, v: Vector, t: Scalar) -> State:
        """The state at time t."""
        return self.state(self.embed(self.chart(v), t))

    def state(self, point: Float[Array, " d"]) -> State:
        """The state that a point of the manifold stands for."""
        return self.loc + self.scale * self.decoder(point)

    def frame(self, u: Vector, t: Scalar) -> MovingFrame:
        """The point E(u, t) with its Jacobian, and the rate of that."""
        return moving_frame(self.embed, u, t)

    def metric_at(self, u: Vector, t: Scalar) -> Matrix:
        """The metric of the network: A^T A + ε, A being its output and a multiple of the identity."""
        assert self.metric is not None
        identity = jnp.eye(self.latent_size, dtype=u.dtype)
        a = self.metric(jnp.append(u, t)).reshape(identity.shape) + self.metric_start * identity
        g = a.T @ a
        return g + _JITTER * jnp.trace(g) / self.latent_size * identity

    def metric_and_rate(self, frame: MovingFrame, u: Vector, t: Scalar) -> tuple[Matrix, Matrix]:
        """The metric that is to follow the flow, and its rate."""
        if self.metric is None:
            return frame.metric, frame.metric_rate
        return metric_and_rate(self.metric_at, u, t)

    def context(self, u: Vector, t: Scalar) -> FlowContext:
        """Σ and Λ at a point and time, and the curvature of the metric where the flow needs that."""
        context = FlowContext(self.reference.metric(u), self.operator(u, t))
        if not isinstance(self.flow, AbstractCurvatureFlow):
            return context
        metric = induced_metric(self.embed) if self.metric is None else self.metric_at
        return context._replace(ricci=ricci_tensor(lambda u: metric(u, t), u))


def dynamic_manifold_vae(
    times: Float[np.ndarray, " T"],
    state_shape: tuple[int, ...],
    *,
    reference: AbstractReferenceMetric,
    flow: AbstractMetricFlow,
    ambient_size: int | None = None,
    metric: Literal["induced", "network"] = "induced",
    operator: OperatorKind = "symmetric",
    manifold: bool = True,
    spread: Spread = "log-variance",
    width_size: int = 400,
    scale: Scalar | None = None,
    key: PRNGKeyArray,
) -> DynamicManifoldVAE:
    """A new model.

    **Arguments:**

    - `times`, `state_shape`: those of the data, of which the first time is that of the initial state.
    - `reference`: Σ, on as many coordinates as the latent space has.
    - `flow`: of the metric; a static one needs no operator.
    - `ambient_size`: D, at least one more than the latent coordinates, which is also the default.
    - `metric`: the induced one, exactly; or a network, which has to be matched to that.
    - `operator`: see `FlowOperator`.
    - `manifold`: False gives the plain VAE.
    - `scale`: standard deviation of the data, in which the networks see and make them; 1 by default.

    Raises `ConfigError` for an ambient space too small and an operator for a flow that has none.
    """
    size, states = reference.dim, int(np.prod(state_shape))
    ambient = size + 1 if ambient_size is None else ambient_size
    if ambient <= size:
        raise ConfigError(
            f"ambient_size={ambient} leaves no room for a surface of {size} dimensions to move in; give at least "
            f"{size + 1}, or {2 * size}, where every such surface has a place."
        )
    linear = isinstance(flow, AbstractLinearFlow)
    if operator != "none" and not linear:
        raise ConfigError(f"operator={operator!r}: a {type(flow).__name__} has no operator. Give operator='none'.")
    keys = jax.random.split(key, 5)
    reference_mode = spread == "signed"
    return DynamicManifoldVAE(
        posterior=Posterior(states, size, width_size, kind=spread, key=keys[0]),
        manifold=GatedMLP(size + 1, ambient, width_size, key=keys[1]) if manifold else None,
        decoder=GatedMLP(ambient if manifold else size + 1, states, width_size, key=keys[2]),
        metric=GatedMLP(size + 1, size**2, width_size, activation=gelu, key=keys[3])
        if manifold and metric == "network"
        else None,
        operator=FlowOperator(
            operator if manifold else "none", size, flow.rate if linear else 0.0, width_size, key=keys[4]
        ),
        reference=reference,
        flow=flow,
        loc=jnp.zeros(()),
        scale=jnp.ones(()) if scale is None else scale,
        times=tuple(float(t) for t in times),
        state_shape=state_shape,
        metric_start=0.0 if reference_mode else 1.0,
    )
