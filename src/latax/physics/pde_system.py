"""Partial differential equations of several fields on one grid: reaction and diffusion, by the method of lines."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, FixedStep
from latax.physics.grid import Grid
from latax.physics.names import function_name
from latax.physics.own_function import called
from latax.physics.parameter import Parameter
from latax.physics.parts import AbstractPartsDynamics, Parts
from latax.physics.physics import Correction
from latax.physics.space import ParameterSpace, Params


class PDESystem(AbstractPartsDynamics):
    """∂u/∂t = function(t, u, p, grid) for a few named fields on a grid, some of which may be unobserved.

    ```python
    def gray_scott(t, u, p, grid):
        growth = u.food * u.cells**2
        food = 0.16 * grid.laplacian(u.food) - growth + p.feed * (1 - u.food)
        cells = 0.08 * grid.laplacian(u.cells) + growth - (p.feed + p.kill) * u.cells
        return food, cells

    physics = PDESystem(
        gray_scott,
        parameters=[Parameter("feed", 0.02, 0.06, unit="1/s"), Parameter("kill", 0.05, 0.07, unit="1/s")],
        grid=Grid({"x": (0.0, 32.0, 32), "y": (0.0, 32.0, 32)}, {"x": "periodic", "y": "periodic"}),
        fields=["food", "cells"],
        observed=["cells"],
        rest={"food": 1.0},
    )
    ```

    At each time a sample has the shape (*grid, observed fields); data of a single observed field may do without the
    last axis. Steps have to be as short as those of a `PDE`, by the largest diffusivity.

    **Arguments:**

    - `function`: `(t, u, p, grid) -> du`. `u` is a named tuple of arrays of the grid's shape, and `du` one such array
      per field, in the order of `fields`; `p` is a named tuple of numbers. It has to be written with `jax.numpy`, and
      uses the derivatives of the grid; for a field with other boundary conditions, of `grid.with_boundary(...)`.
    - `parameters`: what differs from sample to sample.
    - `grid`: the nodes, and the boundary conditions that are usual.
    - `fields`: the names of the fields.
    - `observed`: those that the data show, in the order of the data's last axis; by default all.
    - `corrected`: those whose rate of change a correction is added to; by default all.
    - `rest`: initial values of unobserved fields, a number or an array of the grid's shape; 0 where not given.
    - `solver`: by default one step of the classical Runge-Kutta method for each usual interval between two times.

    Raises `ConfigError` for names that are unknown, double or no Python names, for initial values of another shape,
    and, when it is solved, for a function that gives something else than one array of the grid's shape per field.
    """

    function: Callable[[Float[Array, ""], Any, Params, Grid], Any]
    parameters: ParameterSpace
    grid: Grid
    solver: AbstractSolver
    parts: Parts

    def __init__(
        self,
        function: Callable[[Float[Array, ""], Any, Params, Grid], Any],
        parameters: Sequence[Parameter],
        grid: Grid,
        fields: Sequence[str],
        *,
        observed: Sequence[str] | None = None,
        corrected: Sequence[str] | None = None,
        rest: Mapping[str, Any] | None = None,
        solver: AbstractSolver | None = None,
    ):
        self.function = function
        self.parameters = ParameterSpace(parameters)
        self.grid = grid
        self.solver = FixedStep("rk4") if solver is None else solver
        if not fields:
            raise ConfigError("a PDESystem needs at least one field, e.g. fields=['prey', 'hunter'].")
        self.parts = Parts(fields, "field", grid.shape, observed, corrected, rest)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields."""
        return self.parts.names

    @property
    def initial_names(self) -> tuple[str, ...]:
        """initial_<field><node> at every node for every field, the fields running fastest as in the state."""
        nodes = ("_".join(map(str, node)) for node in np.ndindex(*self.grid.shape))
        return tuple(f"initial_{field}{node}" for node in nodes for field in self.fields)

    def rate(
        self, t: Float[Array, ""], y: Float[Array, "*grid fields"], params: Params, correction: Correction | None = None
    ) -> Float[Array, "*grid fields"]:
        """∂u/∂t, the correction added to the corrected fields."""
        what = f"the function '{function_name(self.function)}' of the physics"
        given = called(self.function, t=t, u=self.parts.named(y), p=params, grid=self.grid)
        return self.parts.rates(given, None if correction is None else correction(t, y), y.dtype, what)
