"""The pendulum, optionally with friction and a periodic force.

θ'' = A ω² cos(2π f t) - γ θ' - ω² sin θ; the angle θ is observed. The equation and the ranges of the forced and damped
pendulum of Takeishi and Kalousis, "Physics-Integrated Variational Autoencoders for Robust and Interpretable Generative
Modeling" (NeurIPS 2021), as in their released code.
"""

import math
from typing import Any

import jax.numpy as jnp

from latax.integrate import AbstractSolver
from latax.physics.ode import ODE
from latax.physics.parameter import Parameter

OMEGA = Parameter("omega", 0.392, 3.53, unit="rad/s")
GAMMA = Parameter("gamma", 0.0, 0.8, unit="1/s")
AMPLITUDE = Parameter("amplitude", 0.0, 40.0)
FREQUENCY = Parameter("frequency", 3.14, 6.28, unit="Hz")


def pendulum(*, damping: bool = False, forcing: bool = False, solver: AbstractSolver | None = None) -> ODE:
    """A pendulum of frequency ω; with `damping` it knows friction γ, with `forcing` a force A and its frequency f.

    States `angle` (observed) and `velocity` (at rest at first, and corrected). ω is between 0.392 and 3.53 rad/s, half
    of the least and 1.12 times the largest of the data set.
    """

    def swing(t: Any, y: Any, p: Any) -> Any:
        acceleration = -(p.omega**2) * jnp.sin(y.angle)
        if damping:
            acceleration = acceleration - p.gamma * y.velocity
        if forcing:
            acceleration = acceleration + p.amplitude * p.omega**2 * jnp.cos(2 * math.pi * p.frequency * t)
        return y.velocity, acceleration

    known = [OMEGA, *([GAMMA] if damping else []), *([AMPLITUDE, FREQUENCY] if forcing else [])]
    return ODE(swing, known, ["angle", "velocity"], observed=["angle"], corrected=["velocity"], solver=solver)
