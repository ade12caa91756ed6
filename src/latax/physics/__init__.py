"""Physics: named parameters with priors, and simulations from them that a learned correction can be added to."""

from latax.integrate import AbstractSolver, Adaptive, FixedStep
from latax.physics import catalogue
from latax.physics.advection_diffusion import advection_diffusion
from latax.physics.closed_form import ClosedForm
from latax.physics.exponential_disc import exponential_disc
from latax.physics.grid import Grid
from latax.physics.load import load
from latax.physics.ode import ODE
from latax.physics.parameter import Parameter
from latax.physics.pde import PDE
from latax.physics.pde_system import PDESystem
from latax.physics.pendulum import pendulum
from latax.physics.physics import AbstractDynamics, AbstractPhysics, Correction
from latax.physics.space import ParameterSpace, Params

__all__ = [
    "ODE",
    "PDE",
    "AbstractDynamics",
    "AbstractPhysics",
    "AbstractSolver",
    "Adaptive",
    "ClosedForm",
    "Correction",
    "FixedStep",
    "Grid",
    "PDESystem",
    "Parameter",
    "ParameterSpace",
    "Params",
    "advection_diffusion",
    "catalogue",
    "exponential_disc",
    "load",
    "pendulum",
]
