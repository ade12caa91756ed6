"""The settings of potential flows, and what they are made into."""

from dataclasses import dataclass
from typing import Literal

from latax._by_name import by_name, is_own
from latax._errors import ConfigError
from latax._wording import look_up
from latax.estimators.params import (
    require_count,
    require_not_negative,
    require_positive,
    require_seed,
)
from latax.models.potential_flow import TraversalObjective
from latax.models.recipes import Budget
from latax.models.reference_potential_flow import ReferenceTraversalObjective
from latax.potential import (
    ACTIVATIONS,
    GUIDANCES,
    INITIAL_CONDITIONS,
    PDES,
    AbstractGuidance,
    AbstractPotentialPDE,
    FixedSpeed,
    Wave,
    require_smooth,
)

#: Samples of each potential in a batch, unless the batch size is given.
EACH = 32


@dataclass(kw_only=True, eq=False, repr=False)
class TraversalSettings:
    """How K potentials are made and trained."""

    potentials: int = 4
    """How many paths there are to be."""
    pde: str | AbstractPotentialPDE = "wave"
    """The equation: wave, heat, fokker-planck, probability-flow, hamilton-jacobi, none, or file.py:name."""
    initial: Literal["none", "at-rest", "stationary"] = "none"
    """What holds at time 0: nothing, no motion, or no change of the potential."""
    guidance: str | AbstractGuidance = "log-jvp"
    """What makes paths visible: log-jvp, bounded-jvp, none, or file.py:name, which may know a property of the data."""
    pairs: Literal["start", "adjacent"] = "start"
    """The pairs that the classifier tells apart: the start and a point of a path, or two points one step apart."""
    path_steps: int = 8
    """Steps of a path; no pair is nearer than one of them."""
    speed: float = 0.5
    """How far a path leads, as a share of the typical distance of latent points from their mean."""
    hold_norm: bool = False
    """Keep that distance along every path."""
    distinct_weight: float = 1.0
    """Weight of the classifier's cross-entropy."""
    equation_weight: float = 1.0
    """Weight of the squared residual of the equation."""
    initial_weight: float = 1.0
    """Weight of the initial condition."""
    guidance_weight: float = 0.1
    """Weight of the guidance."""
    speed_weight: float = 1.0
    """Weight of the squared deviation from the speed."""
    alignment_weight: float = 3.0
    """Weight of how far flows are from right angles to one another, in latent space and in their changes of the data. 0
    leaves it out, as published; paths are then distinct, but as likely mixtures of factors as the factors."""
    train_equation: bool = True
    """Train the constants of the equation, such as the wave speed of each potential."""
    reference: bool = False
    """As in the released code, faults included: one path and one pair of adjacent times per step, row sums of Hessians
    added up over the batch, Euler steps, all weights 1. Sets the equation and the terms; for comparisons only."""
    width_size: int = 64
    """Hidden units in each of the two hidden layers of a potential."""
    activation: str = "tanh"
    """Activation of the potentials: tanh, silu, softplus, sin; relu only where nothing has second derivatives."""
    probes: int | None = None
    """Random directions for the Laplacian, 0 for the exact one. By default exact up to 64 coordinates, 8 above."""
    steps: int = 2000
    """Optimiser steps."""
    batch_size: int | None = None
    """Samples for each step, a multiple of the number of potentials; by default 32 for each."""
    learning_rate: float = 3e-3
    """Learning rate of AdamW at the start; it falls to zero as a cosine."""
    weight_decay: float = 1e-4
    """Weight decay of AdamW."""
    clip: float = 1.0
    """Gradients longer than this are scaled down to it."""
    replicates: int = 1
    """Models trained at once, from the seeds seed, seed + 1, ...; the best one is used."""
    seed: int = 0
    """Seed of everything random: first weights, draws, times."""
    progress: bool = True
    """Show a progress bar on a terminal, and lines elsewhere."""

    def _check_params(self) -> None:
        require_count("potentials", self.potentials, least=2)
        require_count("path_steps", self.path_steps)
        for name in ("width_size", "steps", "replicates"):
            require_count(name, getattr(self, name))
        for name in ("speed", "learning_rate", "clip"):
            require_positive(name, getattr(self, name))
        for name in (
            "distinct_weight",
            "equation_weight",
            "initial_weight",
            "guidance_weight",
            "speed_weight",
            "alignment_weight",
            "weight_decay",
        ):
            require_not_negative(name, getattr(self, name))
        require_seed(self.seed)
        if self.probes is not None:
            require_count("probes", self.probes, least=0)
        if self.reference:
            require_count("path_steps", self.path_steps, least=2)
            if self.hold_norm:
                raise ConfigError("reference=True trains as released, where no norm is held. Drop hold_norm.")
        if self.pairs not in ("start", "adjacent"):
            raise ConfigError(f"pairs={self.pairs!r} is not known; give 'start' or 'adjacent'.")
        if self.batch_size is not None:
            require_count("batch_size", self.batch_size)
            if self.batch_size % self.potentials:
                raise ConfigError(
                    f"batch_size={self.batch_size} is not a multiple of potentials={self.potentials}. Every batch "
                    "holds as many samples of each; "
                    f"give {max(1, self.batch_size // self.potentials) * self.potentials}."
                )
        pde, activation = self._pde, look_up(ACTIVATIONS, self.activation, "activation")
        if pde.order >= 2:
            require_smooth(activation, f"the equation {type(pde).__name__}")
        self._objective  # noqa: B018 - refuses unknown names

    @property
    def _pde(self) -> AbstractPotentialPDE:
        return Wave() if self.reference else find_pde(self.pde)

    @property
    def _pairs(self) -> Literal["start", "adjacent"]:
        return "adjacent" if self.reference else self.pairs

    @property
    def _objective(self) -> TraversalObjective | ReferenceTraversalObjective:
        if self.reference:
            return ReferenceTraversalObjective(steps=self.path_steps)
        return TraversalObjective(
            find_guidance(self.guidance),
            look_up(INITIAL_CONDITIONS, self.initial, "initial condition"),
            FixedSpeed(self.speed),
            pairs=self.pairs,
            steps=self.path_steps,
            probes=self.probes,
            aligned=self.alignment_weight > 0,
        )

    @property
    def _weights(self) -> dict[str, float]:
        if self.reference:
            return dict.fromkeys(("distinct", "equation", "initial", "guidance"), 1.0)
        weights = {
            "distinct": self.distinct_weight,
            "equation": self.equation_weight,
            "initial": self.initial_weight,
            "guidance": self.guidance_weight,
            "speed": self.speed_weight,
        }
        return weights | ({"alignment": self.alignment_weight} if self.alignment_weight > 0 else {})

    @property
    def _budget(self) -> Budget:
        batch = EACH * self.potentials if self.batch_size is None else self.batch_size
        return Budget(self.steps, batch, self.learning_rate, self.weight_decay, self.clip)


def find_pde(given: str | AbstractPotentialPDE) -> AbstractPotentialPDE:
    """The equation that this is, or names: a built-in one, or a user's own as file.py:name."""
    if isinstance(given, AbstractPotentialPDE):
        return given
    if is_own(given):
        return by_name(given, AbstractPotentialPDE, "equation", "a latax.potential.AbstractPotentialPDE", "pde")
    return look_up(PDES, given, "equation")()


def find_guidance(given: str | AbstractGuidance) -> AbstractGuidance:
    """The guidance that this is, or names: a built-in one, or a user's own as file.py:name."""
    if isinstance(given, AbstractGuidance):
        return given
    if is_own(given):
        return by_name(given, AbstractGuidance, "guidance", "a latax.potential.AbstractGuidance")
    return look_up(GUIDANCES, given, "guidance")()
