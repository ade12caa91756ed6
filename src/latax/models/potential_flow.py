"""Traversals as potential flows: K learned potentials whose gradients move a frozen decoder's latent coordinates.

    dz/dt = ∇u^k(z, t),    t in [0, 1]

along paths that a classifier can tell apart from pairs of decoded data, that show in the data, and whose potentials
obey an equation (Song, Keller, Sebe and Welling, "Latent traversals in generative models as potential flows", ICML
2023, arXiv 2304.12944). Every batch holds samples of all K potentials; times are those of each sample; the negative
direction is the same flow backwards in time.

Batches hold `z` (B, n), draws of the prior in the units of the model; `s` (B,), uniform numbers in [0, 1] that say
where on its path a sample is looked at; and `k` (B,), which potential it follows. B is a multiple of K, and a batch of
training is ordered by k.
"""

from collections.abc import Sequence
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, FixedStep
from latax.models.latent_space import LatentSpace, check_space
from latax.models.pair_classifier import PairClassifier
from latax.potential import (
    AbstractGuidance,
    AbstractPotential,
    AbstractPotentialPDE,
    FixedSpeed,
    Path,
    PotentialNet,
    Potentials,
    decoded_change,
    follow,
    gradient,
    misalignment,
    require_smooth,
    squared_residual,
    tangential,
)
from latax.potential.activation import Activation
from latax.potential.initial import InitialCondition
from latax.potential.potential import Velocity
from latax.train import Batch

Terms = dict[str, Float[Array, ""]]
Latent = Float[Array, " n"]
Data = Float[Array, "*data"]

#: Draws by which the units of a latent space are found.
_DRAWS = 1024
#: Steps of the classical Runge-Kutta method for each stretch of a path in training.
_SUBSTEPS = 2


class PotentialFlow(eqx.Module):
    """Potentials on the latent space of a decoder. All methods act on one point; use `jax.vmap` for many.

    The potentials see coordinates of order one: a latent point is loc + scale · z, with z as a point of the model.
    """

    space: LatentSpace
    potentials: Potentials
    pde: AbstractPotentialPDE
    """Every array of it has a leading axis of length K."""
    classifier: PairClassifier
    loc: Latent
    scale: Float[Array, ""]
    hold_norm: bool = eqx.field(static=True)

    @property
    def count(self) -> int:
        """K, the number of potentials."""
        return self.potentials.count

    def decode(self, z: Latent) -> Data:
        """The data of a point of the model."""
        return self.space.decode(self.loc + self.scale * z)

    def draw(self, key: PRNGKeyArray) -> Latent:
        """A draw of the prior, as a point of the model."""
        return (self.space.draw(key) - self.loc) / self.scale

    def velocity(self, u: AbstractPotential) -> Velocity:
        """The velocity of one potential's flow."""
        return tangential(gradient(u)) if self.hold_norm else gradient(u)

    def velocities(self, z: Latent, t: Float[Array, ""]) -> Float[Array, "K n"]:
        """The velocities of all flows at one point."""
        return eqx.filter_vmap(lambda u: self.velocity(u)(z, t))(self.potentials.stacked)

    def path(
        self,
        z: Latent,
        k: Int[Array, ""],
        ts: Float[Array | np.ndarray, " T"],
        *,
        solver: AbstractSolver | None = None,
        density: bool = False,
        key: PRNGKeyArray | None = None,
    ) -> Path:
        """The path of a point of the model along the flow number k, as `latax.potential.follow`."""
        return follow(self.velocity(self.potentials.at(k)), z, ts, solver=solver, density=density, key=key)

    def composed(
        self,
        z: Latent,
        weights: Float[Array, " K"],
        ts: Float[Array | np.ndarray, " T"],
        *,
        solver: AbstractSolver | None = None,
    ) -> Path:
        """The path of a point of the model along Σ a_k ∇u^k."""
        velocity = gradient(self.potentials.combined(weights))
        return follow(tangential(velocity) if self.hold_norm else velocity, z, ts, solver=solver)


def potential_flow(
    space: LatentSpace,
    count: int,
    *,
    pde: AbstractPotentialPDE,
    hidden: Sequence[int] = (64, 64),
    activation: Activation = jnp.tanh,
    speed: float = 0.3,
    hold_norm: bool = False,
    shape: tuple[int, ...] | None = None,
    key: PRNGKeyArray,
) -> PotentialFlow:
    """New potentials for a latent space.

    **Arguments:** `count`: K; `pde`: one equation for all, of whose constants each potential gets its own; `speed`: how
    far a flow goes in one unit of time, as a share of the typical |z|; `hold_norm`: keep |z| along every path; `shape`:
    that of the decoded data, found by `check_space` if it is not given.

    Raises `ConfigError` for fewer than two potentials, a space in which nothing can be learned, and an activation that
    is not smooth with an equation of second order.
    """
    if count < 2:
        raise ConfigError(f"potentials={count}: paths are learned by telling them apart; give at least 2.")
    shape = check_space(space) if shape is None else shape
    if pde.order >= 2:
        require_smooth(activation, f"the equation {type(pde).__name__}")
    for_nets, for_classifier, for_draws = jr.split(key, 3)
    draws = jax.lax.map(space.draw, jr.split(for_draws, _DRAWS))
    loc = jnp.mean(draws, axis=0)
    scale = jnp.sqrt(jnp.mean((draws - loc[None]) ** 2))
    make = lambda key: PotentialNet(space.size, hidden, activation=activation, speed=speed, key=key)
    each = lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)) if eqx.is_array(leaf) else leaf
    return PotentialFlow(
        space=space,
        potentials=Potentials.of(make, count, key=for_nets),
        pde=jax.tree.map(each, pde),
        classifier=PairClassifier(shape, count, key=for_classifier),
        loc=loc,
        scale=jnp.where(scale > 0, scale, 1),
        hold_norm=hold_norm,
    )


class TraversalObjective(eqx.Module):
    """Terms `distinct`, `equation`, `initial`, `guidance`, `speed` and, on request, `alignment`: means over the batch.

    `distinct`: cross-entropy of the classifier over pairs; `equation` and `initial`: squared residuals per latent
    coordinate, at the place on the path where a sample is looked at and at its start; `guidance`: see
    `latax.potential.guidance`; `speed`: squared deviation from the speed asked for; `alignment`: see
    `latax.potential.alignment`, at every K-th of the places that are looked at.

    **Arguments:**

    - `pairs`: "start": the start of a path and a point on it; "adjacent": two points on it, 1 / `steps` apart.
    - `steps`: into how many a path is cut for adjacent pairs; no pair is nearer than one of them.
    - `probes`: as in `latax.potential.squared_residual`.
    - `aligned`: whether there is a term `alignment`.
    """

    guidance: AbstractGuidance
    initial: InitialCondition
    speed: FixedSpeed
    pairs: Literal["start", "adjacent"] = eqx.field(static=True, default="start")
    steps: int = eqx.field(static=True, default=8)
    probes: int | None = eqx.field(static=True, default=None)
    aligned: bool = eqx.field(static=True, default=False)

    def __call__(self, model: PotentialFlow, batch: Batch, key: Key[Array, ""]) -> Terms:
        """The terms."""
        k, n = model.count, model.space.size
        z, s = batch["z"].reshape(k, -1, n), batch["s"].reshape(k, -1)
        keys = jr.split(key, s.shape)

        def of_potential(
            u: AbstractPotential, pde: AbstractPotentialPDE, number: Array, z: Array, s: Array, keys: Array
        ) -> tuple[Array, Array, Array, dict[str, Array]]:
            return jax.vmap(lambda z, s, key: self._sample(model, u, pde, number, z, s, key))(z, s, keys)

        numbers = jnp.arange(k)
        columns = (model.potentials.stacked, model.pde, numbers, z, s, keys)
        first, second, places, terms = eqx.filter_vmap(of_potential)(*columns)
        logits = jax.vmap(jax.vmap(model.classifier))(first, second)
        labels = jnp.broadcast_to(numbers[:, None], s.shape)
        distinct = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        if self.aligned:
            some, at = jax.lax.stop_gradient(places.reshape(-1, n)[::k]), last_time(s, self.steps)
            of_point = lambda z, t: misalignment(model.decode, z, model.velocities(z, t))
            terms["alignment"] = jax.vmap(of_point)(some, at.reshape(-1)[::k])
        return {"distinct": jnp.mean(distinct), **{name: jnp.mean(term) for name, term in terms.items()}}

    def _sample(
        self,
        model: PotentialFlow,
        u: AbstractPotential,
        pde: AbstractPotentialPDE,
        k: Int[Array, ""],
        z: Latent,
        s: Float[Array, ""],
        key: PRNGKeyArray,
    ) -> tuple[Data, Data, Latent, dict[str, Float[Array, ""]]]:
        """A pair of decoded data, the later place, and the terms of one sample."""
        n = z.shape[0]
        velocity = model.velocity(u)
        ends, t = pair_times(s, self.pairs, self.steps)
        path = follow(velocity, z, ends, solver=FixedStep(substeps=_SUBSTEPS)).z
        place = path[-1]
        v = velocity(place, t)
        # One derivative of the decoder gives the second image and what guidance wants to know.
        data, change = decoded_change(model.decode, place, v)
        terms = {
            "equation": squared_residual(pde, u, place, t, probes=self.probes, key=key) / n,
            "initial": self.initial(u, z) / n,
            "guidance": self.guidance.loss(data, change, v, k),
            "speed": self.speed.loss(data, change, v, k),
        }
        return model.decode(path[-2]), data, place, terms


def pair_times(s: Float[Array, ""], pairs: str, steps: int) -> tuple[Float[Array, " T"], Float[Array, ""]]:
    """The times of a path whose last two points are the pair, and the last of them."""
    zero, stop = jnp.zeros_like(s), last_time(s, steps)
    return jnp.stack([zero, stop] if pairs == "start" else [zero, s * (1 - 1 / steps), stop]), stop


def last_time(s: Float[Array, "..."], steps: int) -> Float[Array, "..."]:
    """The end of a step of 1 / `steps` that begins at the share s of what is before the last."""
    return s * (1 - 1 / steps) + 1 / steps


class PathLoss(eqx.Module):
    """Metric: what paths are to be, distinct and aligned; what else training asks for is how, and no end.

    -log of the probability that the classifier gives the true path of a sample, and `alignment` times the misalignment
    of all flows at the place that is looked at. Paths that all are told apart can still become more aligned.
    """

    pairs: str = eqx.field(static=True)
    steps: int = eqx.field(static=True)
    alignment: float = eqx.field(static=True, default=0.0)

    def __call__(self, model: PotentialFlow, batch: Batch) -> Float[Array, " batch"]:
        """In nats."""
        return jax.vmap(lambda z, s, k: self._sample(model, z, s, k))(batch["z"], batch["s"], batch["k"])

    def _sample(self, model: PotentialFlow, z: Latent, s: Float[Array, ""], k: Int[Array, ""]) -> Float[Array, ""]:
        times, t = pair_times(s, self.pairs, self.steps)
        path = model.path(z, k, times, solver=FixedStep(substeps=_SUBSTEPS)).z
        logits = model.classifier(model.decode(path[-2]), model.decode(path[-1]))
        loss = -jax.nn.log_softmax(logits)[k]
        if not self.alignment:
            return loss
        return loss + self.alignment * misalignment(model.decode, path[-1], model.velocities(path[-1], t))


def decoded_pair(
    model: PotentialFlow, z: Latent, s: Float[Array, ""], k: Int[Array, ""], pairs: str, steps: int
) -> tuple[Data, Data]:
    """The pair of data on the path number k from z that the classifier is shown."""
    times, _ = pair_times(s, pairs, steps)
    path = model.path(z, k, times, solver=FixedStep(substeps=_SUBSTEPS)).z
    return model.decode(path[-2]), model.decode(path[-1])


class StartUnits(eqx.Module):
    """`begin` of the phase: the classifier's units are those of the first batch's pairs."""

    pairs: str = eqx.field(static=True)
    steps: int = eqx.field(static=True)

    def __call__(self, model: PotentialFlow, batch: Batch) -> PotentialFlow:
        """The model with these units."""
        pair = lambda z, s, k: decoded_pair(model, z, s, k, self.pairs, self.steps)
        classifier = model.classifier.in_units_of(*jax.vmap(pair)(batch["z"], batch["s"], batch["k"]))
        return eqx.tree_at(lambda m: m.classifier, model, classifier)


class PriorDraws(eqx.Module):
    """Batches of fresh draws of the prior, as many for each potential. Raises `ConfigError` for other batch sizes."""

    space: LatentSpace
    loc: Latent
    scale: Float[Array, ""]
    count: int = eqx.field(static=True)

    def __call__(self, key: Key[Array, ""], batch_size: int) -> Batch:
        """One batch."""
        if batch_size % self.count:
            raise ConfigError(
                f"batch_size={batch_size} is not a multiple of the {self.count} potentials. Each batch needs as many "
                "samples of all of them."
            )
        places, times = jr.split(key)
        z = jax.vmap(self.space.draw)(jr.split(places, batch_size))
        # Evenly spread times for each potential, moved by chance: less noise than independent ones.
        each = batch_size // self.count
        moved = jr.uniform(times, (self.count, 1), z.dtype)
        s = (jnp.arange(each, dtype=z.dtype)[None] / each + moved) % 1
        k = jnp.repeat(jnp.arange(self.count), each)
        return {"z": (z - self.loc[None]) / self.scale, "s": s.ravel(), "k": k}
