"""How each model is trained: its phases, with their objectives, trained parts and validation metrics."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.random as jr
import optax
from flowjax.distributions import Transformed
from jaxtyping import Array, Float, Key, PyTree

from latax.density import AbstractEmbedding, AffineOutput
from latax.geometry import AbstractDistortion
from latax.models import dynamic_objective, physics_objective
from latax.models import low_bending as low_bending_model
from latax.models.ambient_flow import AmbientFlow, ambient_nll
from latax.models.autoencoder import Autoencoder
from latax.models.baselines import start_without_physics
from latax.models.closed_form_vae import start_closed_form
from latax.models.dynamic_manifold import DynamicManifoldVAE
from latax.models.dynamic_objective import RECORDED, DynamicObjective
from latax.models.dynamic_objective import Weights as DynamicWeights
from latax.models.flow_sequence_vae import FlowSequenceVAE
from latax.models.injective_flow import InjectiveFlow, encode_batch, latent_nll, nll, reconstruction, start_density
from latax.models.physics_model import AbstractPhysicsVAE
from latax.models.physics_objective import Noise, PhysicsObjective, Regularisers, start
from latax.models.potential_flow import PathLoss, PotentialFlow, StartUnits, TraversalObjective
from latax.models.reference_potential_flow import ReferenceTraversalObjective
from latax.models.sequence_bound import AbstractSequenceVAE, NegativeBound, SequenceObjective
from latax.potential import PotentialNet
from latax.train import Batch, Phase, Recipe
from latax.train.optimizer import adamw_cosine

Begin = Callable[[Any, Batch], Any]


class Budget(NamedTuple):
    """How long and how fast to train: optimiser steps of all phases together, samples a step, and the optimiser's."""

    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    clip: float

    def phase_options(self, steps: int) -> dict:
        """What a phase of `steps` steps takes from the budget."""
        optimizer = adamw_cosine(self.learning_rate, steps, weight_decay=self.weight_decay, clip=self.clip)
        return {"steps": steps, "batch_size": self.batch_size, "optimizer": optimizer}


def sequential(budget: Budget, reconstruction_weight: float) -> Recipe:
    """The M-flow: half of the steps for the manifold by reconstruction, the rest for the density by likelihood.

    The two never mix: maximum likelihood would prefer a wrong manifold (Brehmer and Cranmer 2020, section 3.2).
    """
    manifold = Phase(
        name="manifold",
        objective=reconstruction,
        trainable=_manifold,
        weights={"reconstruction": reconstruction_weight},
        metric=reconstruction_error,
        **budget.phase_options(budget.steps // 2),
    )
    density = Phase(
        name="density",
        objective=latent_nll,
        trainable=_density,
        prepare=encode_batch,
        begin=start_density,
        metric=latent_nll_per_sample,
        **budget.phase_options(budget.steps - budget.steps // 2),
    )
    return [manifold, density]


def prescribed(budget: Budget, *, cover: bool) -> Recipe:
    """A flow on a given manifold: its density by likelihood. On a cover every preimage counts."""
    options = {"objective": nll} if cover else {"objective": latent_nll, "prepare": encode_batch}
    phase = Phase(
        name="density",
        trainable=_density,
        begin=start_density,
        metric=nll_per_sample,
        **options,
        **budget.phase_options(budget.steps),
    )
    return [phase]


def ambient(budget: Budget, noise: float) -> Recipe:
    """An ambient flow by maximum likelihood, on data with Gaussian noise of standard deviation `noise` (data units)."""
    phase = Phase(
        name="density",
        objective=_InflatedNLL(noise) if noise else ambient_nll,
        trainable=_distribution,
        metric=nll_per_sample,
        **budget.phase_options(budget.steps),
    )
    return [phase]


def physics_integrated(
    budget: Budget, regularisers: Regularisers, noise: Noise, size: int, final_effort: float | None = None
) -> Recipe:
    """The physics-integrated VAE: one phase. `size`: numbers in one sample.

    Terms are in nats; the weights count them per number, so that gradients are of order one whatever the length. That
    of the effort goes to `final_effort` geometrically, where it is given.
    """
    return [_physics_phase(budget, regularisers, noise, size, start, final_effort)]


def closed_form(
    budget: Budget, regularisers: Regularisers, noise: Noise, size: int, final_effort: float | None = None
) -> Recipe:
    """The physics-integrated VAE for a formula without time, trained like the one for sequences."""
    return [_physics_phase(budget, regularisers, noise, size, start_closed_form, final_effort)]


def without_physics(budget: Budget, noise: Noise, size: int) -> Recipe:
    """The baselines of the physics-integrated VAE, trained like that: there is no physics to keep in charge."""
    return [
        _physics_phase(budget, Regularisers(*[0.0] * len(Regularisers._fields)), noise, size, start_without_physics)
    ]


def low_bending(
    budget: Budget,
    distortion: AbstractDistortion,
    bending_weight: float,
    *,
    stress_share: float,
    decoder_share: float,
    reconstruction_weight: float = 0.0,
) -> Recipe:
    """The low-bending autoencoder: encoder by the distances of far pairs, encoder by near pairs, then the decoder.

    `bending_weight`: λ in squared units of distance; `stress_share`, `decoder_share`: of all steps; 0 leaves that phase
    out. With a `reconstruction_weight` the decoder is trained along with the encoder by near pairs, too.
    """
    first, last = (round(share * budget.steps) for share in (stress_share, decoder_share))
    phases = []
    if first:
        phases.append(
            Phase(
                name="stress",
                objective=low_bending_model.stress,
                trainable=_encoder,
                begin=low_bending_model.start_encoder,
                metric=low_bending_model.stress_per_sample,
                **budget.phase_options(first),
            )
        )
    joint = reconstruction_weight > 0
    options = budget.phase_options(max(1, budget.steps - first - last))
    if joint:
        phases.append(_joint_embedding(distortion, bending_weight, reconstruction_weight, begun=first > 0, **options))
    else:
        phases.append(_embedding(distortion, bending_weight, begun=first > 0, **options))
    if last:
        phases.append(
            Phase(
                name="decoder",
                objective=low_bending_model.reconstruction,
                trainable=_decoder,
                prepare=low_bending_model.encode_batch,
                begin=None if joint else low_bending_model.start_decoder,
                metric=low_bending_model.reconstruction_error,
                **budget.phase_options(last),
            )
        )
    return phases


def _embedding(distortion: AbstractDistortion, bending_weight: float, *, begun: bool, **options: Any) -> Phase:
    """The encoder alone; `begun`: whether it has been started by an earlier phase."""
    return Phase(
        name="embedding",
        objective=low_bending_model.EmbeddingObjective(distortion),
        trainable=_encoder,
        weights={"bending": bending_weight},
        begin=None if begun else low_bending_model.start_encoder,
        metric=low_bending_model.EmbeddingEnergy(distortion, bending_weight),
        **options,
    )


def _joint_embedding(
    distortion: AbstractDistortion, bending_weight: float, reconstruction_weight: float, *, begun: bool, **options: Any
) -> Phase:
    """The encoder together with the decoder."""
    return Phase(
        name="embedding",
        objective=low_bending_model.JointObjective(distortion),
        trainable=_both,
        weights={"bending": bending_weight, "reconstruction": reconstruction_weight},
        begin=low_bending_model.start_decoder if begun else low_bending_model.start_both,
        metric=low_bending_model.JointEnergy(distortion, bending_weight, reconstruction_weight),
        **options,
    )


def autoencoding(budget: Budget) -> Recipe:
    """A plain autoencoder: the squared error of the reconstruction, in one phase."""
    phase = Phase(
        name="reconstruction",
        objective=low_bending_model.reconstruction,
        trainable=_both,
        metric=low_bending_model.reconstruction_error,
        **budget.phase_options(budget.steps),
    )
    return [phase]


def potential_flow(
    budget: Budget,
    objective: TraversalObjective | ReferenceTraversalObjective,
    weights: Mapping[str, float],
    *,
    train_equation: bool,
) -> Recipe:
    """Potentials on a frozen decoder: potentials and pair classifier together, in one phase.

    `train_equation`: whether the constants of the equation, such as the wave speeds, are trained as well.
    """
    phase = Phase(
        name="potentials",
        objective=objective,
        trainable=_potentials_and_equation if train_equation else _potentials,
        weights=weights,
        begin=StartUnits(objective.pairs, objective.steps),
        metric=PathLoss(objective.pairs, objective.steps, weights.get("alignment", 0.0)),
        **budget.phase_options(budget.steps),
    )
    return [phase]


def dynamic_manifold(
    budget: Budget,
    objective: DynamicObjective,
    weights: DynamicWeights,
    *,
    metric_network: bool,
    geometry: bool,
    warm_up: float,
) -> Recipe:
    """VAE-DLM, or a VAE without the geometry: one phase.

    `warm_up`: the share of the steps over which the geometric weights rise from zero.
    """
    rise = round(warm_up * budget.steps)
    ramp = lambda weight: weight if rise < 1 else optax.linear_schedule(0.0, weight, rise)
    chosen = {"reconstruction": weights.reconstruction, "kl": weights.kl}
    if geometry:
        chosen |= {
            "flow": ramp(weights.flow),
            "penalty": ramp(weights.penalty),
            **dict.fromkeys(RECORDED, 0.0),
        }
        if metric_network:
            chosen["metric"] = ramp(weights.metric)
        if objective.volume_weight == "log-det":
            chosen["volume"] = weights.kl
    phase = Phase(
        name="model",
        objective=objective,
        trainable=_networks,
        weights=chosen,
        metric=dynamic_objective.forecast_error,
        **budget.phase_options(budget.steps),
    )
    return [phase]


def flow_sequences(budget: Budget, *, known: bool, equation_weight: float, beta: float = 1.0) -> Recipe:
    """A variational autoencoder of sequences, all of it in one phase.

    `known`: whether batches say which transformation each sequence is of; `beta`: the weight of the divergence, which
    is not 1 in comparisons only; the metric has the bound itself.
    """
    phase = Phase(
        name="sequences",
        objective=SequenceObjective(known, beta),
        trainable=_sequence_parts,
        weights={"equation": equation_weight},
        metric=NegativeBound(known),
        **budget.phase_options(budget.steps),
    )
    return [phase]


def _networks(model: DynamicManifoldVAE) -> list[PyTree]:
    parts = [model.posterior, model.manifold, model.decoder, model.metric, model.operator.net]
    return [part for part in parts if part is not None]


def _physics_phase(
    budget: Budget,
    regularisers: Regularisers,
    noise: Noise,
    size: int,
    begin: Begin,
    final_effort: float | None = None,
) -> Phase:
    weights: dict[str, Any] = {"reconstruction": 1.0, "kl": 1.0} | regularisers.weights()
    weights = {name: weight / size for name, weight in weights.items()}
    if final_effort is not None:
        fall = final_effort / regularisers.effort
        weights["effort"] = optax.exponential_decay(weights["effort"], budget.steps, fall)
    return Phase(
        name="model",
        objective=PhysicsObjective(regularisers, noise),
        trainable=_learned,
        weights=weights,
        begin=begin,
        metric=physics_objective.reconstruction_error,
        describe=physics_objective.found_parameters,
        **budget.phase_options(budget.steps),
    )


class _InflatedNLL(eqx.Module):
    """`ambient_nll` of data with Gaussian noise added."""

    noise: float = eqx.field(static=True)

    def __call__(self, model: AmbientFlow, batch: Batch, key: Key[Array, ""]) -> dict[str, Array]:
        x = batch["x"]
        return ambient_nll(model, {**batch, "x": x + self.noise * jr.normal(key, x.shape, x.dtype)}, key)


def _learned(model: AbstractPhysicsVAE) -> list[PyTree]:
    # Not the units: a scale that is trained would be a noise in disguise. Nor arrays of the user's physics.
    parts = [model.encoder, model.inside, model.outside, model.log_noise]
    return [part for part in parts if part is not None]


def _manifold(model: InjectiveFlow) -> AbstractEmbedding:
    # The embedding is wrapped in the scaling of the data, which stays as it is.
    assert isinstance(model.embedding, AffineOutput)
    return model.embedding.embedding


def _density(model: InjectiveFlow) -> Transformed:
    return model.latent


def _encoder(model: Autoencoder) -> Callable:
    return model.encoder


def _decoder(model: Autoencoder) -> Callable | None:
    return model.decoder


def _both(model: Autoencoder) -> tuple[Callable, Callable | None]:
    return model.encoder, model.decoder


def _potentials(model: PotentialFlow) -> list[PyTree]:
    # Not the gain of the potentials nor the units of the classifier, which are found and stay.
    return [model.potentials.stacked.net, model.classifier.net]


def _potentials_and_equation(model: PotentialFlow) -> list[PyTree]:
    return [*_potentials(model), model.pde]


def _sequence_parts(model: AbstractSequenceVAE) -> list[PyTree]:
    # Not the units of the data, nor those of the potentials.
    parts = [model.features, model.head, model.decoder, model.log_noise]
    if not isinstance(model, FlowSequenceVAE):
        return parts
    stacked = model.potentials.stacked
    parts.append(stacked.net if isinstance(stacked, PotentialNet) else stacked)
    return [*parts, model.pde] if jax.tree.leaves(model.pde) else parts


def _distribution(model: AmbientFlow) -> Transformed:
    return model.distribution


def reconstruction_error(model: InjectiveFlow, batch: Batch) -> Float[Array, " batch"]:
    """Metric: the distance of every sample to the manifold, in data units."""
    return jax.vmap(model.reconstruction_error)(batch["x"], batch.get("context"))


def latent_nll_per_sample(model: InjectiveFlow, batch: Batch) -> Float[Array, " batch"]:
    """Metric: -log density of the latent coordinates. With a fixed manifold it differs by a constant from the NLL."""
    u = encode_batch(model, batch)["u"]
    return -jax.vmap(model.latent.log_prob)(u, batch.get("context"))


def nll_per_sample(model: InjectiveFlow | AmbientFlow, batch: Batch) -> Float[Array, " batch"]:
    """Metric: -log density of every sample, in data units."""
    return -jax.vmap(model.log_prob)(batch["x"], batch.get("context")).log_prob
