"""Potentials whose gradient flows move latent coordinates: equations, guidance, flows with their change of density."""

from latax.potential import reference
from latax.potential.activation import ACTIVATIONS, require_smooth
from latax.potential.alignment import hadamard_gap, misalignment
from latax.potential.directions import (
    local_frames,
    matched,
    mean_frame,
    principal_directions,
    random_directions,
    sefa_directions,
    straight,
    visible_directions,
)
from latax.potential.flow import Path, energy, follow, reverse_error
from latax.potential.guidance import (
    GUIDANCES,
    AbstractGuidance,
    BoundedJVP,
    FixedSpeed,
    LogJVP,
    ReferenceJVP,
    Supervised,
    Unguided,
    decoded_change,
)
from latax.potential.initial import INITIAL_CONDITIONS, at_rest, free, stationary
from latax.potential.net import PotentialNet, TimeFeatures
from latax.potential.pde import (
    PDES,
    AbstractPotentialPDE,
    FokkerPlanck,
    HamiltonJacobi,
    Heat,
    NoPDE,
    ProbabilityFlow,
    UserPDE,
    Wave,
    squared_residual,
)
from latax.potential.potential import HORIZON, AbstractPotential, LinearPotential, Potentials, check_number
from latax.potential.velocity import DivergenceFree, added, gradient, tangential

__all__ = [
    "ACTIVATIONS",
    "GUIDANCES",
    "HORIZON",
    "INITIAL_CONDITIONS",
    "PDES",
    "AbstractGuidance",
    "AbstractPotential",
    "AbstractPotentialPDE",
    "BoundedJVP",
    "DivergenceFree",
    "FixedSpeed",
    "FokkerPlanck",
    "HamiltonJacobi",
    "Heat",
    "LinearPotential",
    "LogJVP",
    "NoPDE",
    "Path",
    "PotentialNet",
    "Potentials",
    "ProbabilityFlow",
    "ReferenceJVP",
    "Supervised",
    "TimeFeatures",
    "Unguided",
    "UserPDE",
    "Wave",
    "added",
    "at_rest",
    "check_number",
    "decoded_change",
    "energy",
    "follow",
    "free",
    "gradient",
    "hadamard_gap",
    "local_frames",
    "matched",
    "mean_frame",
    "misalignment",
    "principal_directions",
    "random_directions",
    "reference",
    "require_smooth",
    "reverse_error",
    "sefa_directions",
    "squared_residual",
    "stationary",
    "straight",
    "tangential",
    "visible_directions",
]
