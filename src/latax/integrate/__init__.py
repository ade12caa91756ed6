"""Initial value problems dy/dt = f(t, y): fixed steps, steps that keep a tolerance, and steps that can be undone."""

from latax.integrate.adaptive import Adaptive
from latax.integrate.fixed_step import FixedStep
from latax.integrate.implicit_midpoint import ImplicitMidpoint
from latax.integrate.solver import AbstractSolver, Field
from latax.integrate.times import are_known, check_times, since_first

__all__ = [
    "AbstractSolver",
    "Adaptive",
    "Field",
    "FixedStep",
    "ImplicitMidpoint",
    "are_known",
    "check_times",
    "since_first",
]
