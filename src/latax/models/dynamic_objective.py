"""How a VAE with a dynamical latent manifold is trained: the evidence bound, and the flow of the manifold's metric.

Terms, each the mean over trajectories, draws of v and times:

- `reconstruction`: squared error of the state at time t, per number, in units of the data's variance.
- `kl`: KL(q(v | x_0), N(0, 1)) in nats. v -> u being a bijection, it is that of u from the prior's image, too.
- `flow`: the mean square of the entries of the flow's residual.
- `penalty`: `latax.geometry.order_penalty` of the metric over κ Σ: no direction may collapse.
- `metric`: how far a metric network is from the induced metric; there is none without such a network.
- `volume`: minus the log-volume of the manifold at u, with `volume_weight` "log-det" only.

**Weighting by volume.** With the prior density N(v; 0, 1) of v by its own coordinates, the bound is the usual one: the
volume form of the manifold cancels ("none"). If the density of u that belongs to it is meant by volume, ½ log det
g(u) is added to the bound ("log-det"). That is no density any more: it grows with the surface, and what holds it is the
flow. If the expectation itself is meant by volume, the reconstruction is weighted by √det g ("sqrt-det"): here
relative to the mean over the batch, within a factor of e³ of the geometric mean, and without a gradient of its own.
"""

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.lax import stop_gradient
from jaxtyping import Array, Float, Key

from latax.geometry import MovingFrame, order_penalty, order_violation
from latax.linear_algebra import log_abs_diagonal_of_r, singular_values
from latax.models.dynamic_manifold import DynamicManifoldVAE

Batch = dict[str, Array]
Values = Float[Array | np.ndarray, "*points"]
VolumeWeight = Literal["none", "sqrt-det", "log-det"]
Collocation = Literal["data", "uniform"]
Matching = Literal["relative", "absolute"]

_MOST_LOG_WEIGHT, _LEAST_STRETCH = 3.0, 1e-6
#: Numbers of the manifold that training lowers by no weight: the mean log-volume and log-condition.
RECORDED = ("log_volume", "log_condition")
#: Points whose volume and condition number go on record in training, and times at which a trajectory is, in validation.
_LOOKED_AT, _VALIDATED = 32, 16


class Weights(NamedTuple):
    """The weights of the terms. Those of the reconstruction and the KL are those of a Gaussian with variance
    kl / (2 reconstruction) times the numbers in a state."""

    reconstruction: float = 100.0
    kl: float = 2e-4
    flow: float = 1.0
    penalty: float = 1.0
    metric: float = 1.0


class DynamicObjective(eqx.Module):
    """The terms of one batch; `batch["x"]`: (B, T·S), whole trajectories, of which some times are looked at.

    - `times_per_sample`: how many times of each trajectory; `draws`: of v for each.
    - `flow_times`: at how many of these times the geometric terms are taken, which is what costs; None for all. With
        "sqrt-det" it is all.
    - `collocation`: the geometric terms at the same times, or at as many uniform ones.
    - `least`: κ.
    - `matching`: the squared error of the metric network relative to the size of the induced metric, or as it is.
    - `shared`: whether the geometric terms take the same draws of v as the reconstruction, or their own.
    - `detached`: the geometric terms shape the surface where the data are. If not, they also move the data on it: to
        where the reference metric is small, be that the very end of a chart. The volume of "log-det" is a part of the
        bound and always does.
    - `flow_times`: the geometric terms at so many of the times, at most `times_per_sample`; None for all.
    - `geometry`: False leaves all geometric terms out: the same architecture as an ordinary VAE.
    """

    times_per_sample: int = eqx.field(static=True, default=10)
    draws: int = eqx.field(static=True, default=1)
    collocation: Collocation = eqx.field(static=True, default="data")
    volume_weight: VolumeWeight = eqx.field(static=True, default="none")
    least: float = eqx.field(static=True, default=0.5)
    matching: Matching = eqx.field(static=True, default="relative")
    shared: bool = eqx.field(static=True, default=True)
    detached: bool = eqx.field(static=True, default=True)
    geometry: bool = eqx.field(static=True, default=True)
    flow_times: int | None = eqx.field(static=True, default=None)

    def __call__(self, model: DynamicManifoldVAE, batch: Batch, key: Key[Array, ""]) -> dict[str, Float[Array, ""]]:
        """The terms, and `log_volume` and `log_condition` of the manifold for the record."""
        x = trajectories(model, batch)
        rows, count = x.shape[:2]
        draw, choose, place, other = jr.split(key, 4)
        posterior = jax.vmap(model.encode)(x[:, 0])
        v = _draws(posterior, self.draws, draw)
        chosen = jr.randint(choose, (rows, self.times_per_sample), 0, count)
        t = jnp.asarray(model.shares, x.dtype)[chosen]
        wanted = jnp.take_along_axis(x, chosen[..., None], axis=1)
        kl = jnp.mean(jax.vmap(lambda mean, log_variance: type(posterior)(mean, log_variance).kl())(*posterior))
        u = jax.vmap(jax.vmap(model.chart))(v)
        if not self.geometry or model.manifold is None:
            points = over_times(model.embed, u, t)
            return {"reconstruction": jnp.mean(self._errors(model, points, wanted)), "kl": kl}
        at = (t if self.collocation == "data" else jr.uniform(place, t.shape, t.dtype))[:, : self.flow_times]
        drawn_again = u if self.shared else jax.vmap(jax.vmap(model.chart))(_draws(posterior, self.draws, other))
        drawn_again = stop_gradient(drawn_again) if self.detached else drawn_again
        frames = over_times(model.frame, drawn_again, at)
        same = not self.detached and self.shared and self.collocation == "data" and at.shape == t.shape
        terms = {"kl": kl}
        if self.volume_weight == "none":
            points = frames.point if same else over_times(model.embed, u, t)
            errors = self._errors(model, points, wanted)
        else:  # The volume at the points that are decoded, wherever the flow is looked at.
            decoded = frames if same else over_times(model.frame, u, t)
            errors, log_volumes = self._errors(model, decoded.point, wanted), _log_volumes(decoded)
            if self.volume_weight == "sqrt-det":
                errors *= stop_gradient(volume_weights(log_volumes))
            else:
                terms["volume"] = -jnp.mean(log_volumes)
        terms["reconstruction"] = jnp.mean(errors)
        one = lambda u, t, frame: self._geometric(model, frame, u, t)
        found = over_times(one, drawn_again, at, frames)
        terms |= {name: jnp.mean(value) for name, value in found.items()}
        return terms | _record(frames)

    def _errors(
        self, model: DynamicManifoldVAE, points: Float[Array, "B m K d"], wanted: Float[Array, "B K s"]
    ) -> Float[Array, "B m K"]:
        states = jax.vmap(model.state)(points.reshape(-1, points.shape[-1])).reshape(*points.shape[:3], -1)
        return jnp.mean(((states - wanted[:, None]) / model.scale) ** 2, axis=-1)

    def _geometric(
        self, model: DynamicManifoldVAE, frame: MovingFrame, u: Float[Array, " n"], t: Float[Array, ""]
    ) -> dict[str, Float[Array, ""]]:
        g, rate = model.metric_and_rate(frame, u, t)
        context = model.context(u, t)
        lower = self.least * context.target
        terms = {
            "flow": jnp.mean(model.flow.residual(g, rate, context) ** 2),
            "penalty": order_penalty(g, lower),
        }
        if model.metric is not None:
            induced = frame.metric
            size = stop_gradient(jnp.mean(induced**2)) + 1e-12 if self.matching == "relative" else 1.0
            terms["metric"] = jnp.mean((g - induced) ** 2) / size
            if self.shared:  # The penalty is for the manifold, and not only for a network that speaks of it.
                terms["penalty"] = (terms["penalty"] + order_penalty(induced, lower)) / 2
        return terms


def over_times(function, u: Float[Array, "B m n"], t: Float[Array, "B K"], *others):
    """function(u, t, ...) for every draw at every time of its trajectory: arrays of shape (B, m, K, ...)."""
    shape = (*u.shape[:2], t.shape[1])
    # One axis of rows: under several maps, matrix products with many batch axes are several times slower on CPU.
    flat = lambda a: a.reshape(-1, *a.shape[3:])
    us = jnp.broadcast_to(u[:, :, None], (*shape, u.shape[2]))
    ts = jnp.broadcast_to(t[:, None], shape)
    found = jax.vmap(function)(*jax.tree.map(flat, (us, ts, *others)))
    return jax.tree.map(lambda a: a.reshape(*shape, *a.shape[1:]), found)


def trajectories(model: DynamicManifoldVAE, batch: Batch) -> Float[Array, "B T s"]:
    """The samples of a batch as flat states by time."""
    x = batch["x"]
    return x.reshape(len(x), len(model.times), -1)


def _draws(posterior, count: int, key: Key[Array, ""]) -> Float[Array, "B m n"]:
    noise = jr.normal(key, (len(posterior.mean), count, posterior.mean.shape[1]), posterior.mean.dtype)
    return posterior.mean[:, None] + jnp.exp(0.5 * posterior.log_variance)[:, None] * noise


def volume_weights(log_volume: Float[Array, "B m K"]) -> Float[Array, "B m K"]:
    """√det g relative to its mean, from its logarithm, within a factor of e³ of the geometric mean before that."""
    centred = log_volume - jnp.mean(log_volume)
    weights = jnp.exp(jnp.clip(centred, -_MOST_LOG_WEIGHT, _MOST_LOG_WEIGHT))
    return weights / jnp.mean(weights)


def _log_volumes(frames: MovingFrame) -> Float[Array, "B m K"]:
    return jax.vmap(jax.vmap(jax.vmap(log_abs_diagonal_of_r)))(frames.jacobian)


def _record(frames: MovingFrame) -> dict[str, Float[Array, ""]]:
    jacobians = frames.jacobian.reshape(-1, *frames.jacobian.shape[-2:])[:_LOOKED_AT]
    volumes, conditions = jax.vmap(volume_and_condition)(stop_gradient(jacobians))
    return dict(zip(RECORDED, (jnp.mean(volumes), jnp.mean(conditions)), strict=True))


def volume_and_condition(jacobian: Float[Array, "d n"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The log-volume of a surface, and the log of the greatest stretch divided by the least.

    Stretches below 10⁻⁶ of the greatest count as that: those of a collapsed surface are rounding.
    """
    stretches = singular_values(jacobian)
    stretches = jnp.maximum(stretches, _LEAST_STRETCH * jnp.maximum(stretches[0], 1e-15))
    return jnp.sum(jnp.log(stretches)), jnp.log(stretches[0] / stretches[-1])


class Look(NamedTuple):
    """What the manifold is like at one point and time, or at many."""

    log_volume: Values
    condition: Values
    residual: Values
    """Size of the flow's residual, relative to that of all its terms together; of the metric, where there are none."""
    operator_share: Values
    """How much of the flow's terms is that of the operator."""
    violation: Values
    """The share of directions in which the metric is below κ Σ."""
    mismatch: Values
    """How far the metric that follows the flow is from the induced one, relative to that; 0 where it is the same."""


def look(
    model: DynamicManifoldVAE, v: Float[Array, " n"], t: Float[Array, ""], least: float | Float[Array, ""]
) -> Look:
    """The diagnostics of the induced metric and the flow at one latent point and time (in units of the window)."""
    u = model.chart(v)
    frame, context = model.frame(u, t), model.context(u, t)
    g, rate = model.metric_and_rate(frame, u, t)
    log_volume, log_condition = volume_and_condition(frame.jacobian)
    size = lambda matrix: jnp.sqrt(jnp.sum(matrix**2))
    sizes = {name: size(term) for name, term in model.flow.terms(g, context).items()}
    together = sum(sizes.values(), jnp.zeros(()) if sizes else size(g)) + 1e-30
    return Look(
        log_volume,
        jnp.exp(log_condition),
        size(model.flow.residual(g, rate, context)) / (together + size(rate)),
        sizes.get("operator", jnp.zeros(())) / together,
        order_violation(frame.metric, least * context.target),
        size(g - frame.metric) / (size(frame.metric) + 1e-30),
    )


def forecast_error(model: DynamicManifoldVAE, batch: Batch) -> Float[Array, " batch"]:
    """Metric: root mean square error of each trajectory, forecast from its first state, in data units.

    At most 16 times of it, evenly spread, are looked at.
    """
    x = trajectories(model, batch)
    places = np.unique(np.linspace(0, x.shape[1] - 1, _VALIDATED).astype(int))
    t = jnp.asarray(model.shares[places], x.dtype)

    def error(x: Float[Array, "T s"]) -> Float[Array, ""]:
        v = model.encode(x[0]).mean
        return jnp.sqrt(jnp.mean((x[places] - jax.vmap(lambda t: model.decode(v, t))(t)) ** 2))

    return jax.vmap(error)(x)
