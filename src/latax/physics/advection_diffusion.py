"""Diffusion on a line, optionally with advection.

∂T/∂t = a ∂²T/∂s² - b ∂T/∂s on 20 nodes 0.1 apart, T = 0 one node outside on both sides. The equation, the
grid and the ranges of Takeishi and Kalousis, "Physics-Integrated Variational Autoencoders for Robust and Interpretable
Generative Modeling" (NeurIPS 2021), as meant by their released code, whose data have the other sign of b.
"""

from typing import Any

from latax.integrate import AbstractSolver
from latax.physics.grid import Grid
from latax.physics.parameter import Parameter
from latax.physics.pde import PDE

NODES = 20
SPACING = 0.1

DIFFUSION = Parameter("diffusion", 5e-3, 0.2, unit="m²/s")
ADVECTION = Parameter("advection", 1e-2, 1e-1, unit="m/s")


def advection_diffusion(
    *, advection: bool = False, nodes: int = NODES, spacing: float = SPACING, solver: AbstractSolver | None = None
) -> PDE:
    """Diffusion with coefficient a, between 0.005 and 0.2; with `advection` it knows the velocity b too."""

    def flow(t: Any, u: Any, p: Any, grid: Grid) -> Any:
        rate = p.diffusion * grid.second_derivative(u, "s")
        return rate - p.advection * grid.derivative(u, "s") if advection else rate

    grid = Grid({"s": (0.0, spacing * (nodes - 1), nodes)}, {"s": "dirichlet"})
    return PDE(flow, [DIFFUSION, *([ADVECTION] if advection else [])], grid, solver=solver)
