"""A partial differential equation of one field on a grid, by the method of lines; for several see `pde_system`."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, FixedStep
from latax.physics.grid import Grid
from latax.physics.names import function_name
from latax.physics.own_function import called
from latax.physics.parameter import Parameter
from latax.physics.physics import AbstractDynamics, Correction, checked
from latax.physics.space import ParameterSpace, Params


class PDE(AbstractDynamics):
    """∂u/∂t = function(t, u, p, grid) for a field u on a grid, all of it observed. Several fields are a `PDESystem`.

    ```python
    def diffusion(t, u, p, grid):
        return p.diffusion * grid.laplacian(u)

    physics = PDE(
        diffusion,
        parameters=[Parameter("diffusion", 0.005, 0.2, unit="m²/s")],
        grid=Grid({"s": (0.0, 1.9, 20)}, {"s": "dirichlet"}),
    )
    ```

    Explicit solvers are stable only for small steps: the classical Runge-Kutta method for diffusion D on a grid of
    spacing h in d dimensions up to a step of about 0.7 h²/(D d), Euler's up to 0.5 h²/(D d).

    **Arguments:**

    - `function`: `(t, u, p, grid) -> du`. `u` and `du` have the grid's shape, `p` is a named tuple of numbers. It has
      to be written with `jax.numpy`, and uses the derivatives of the grid.
    - `parameters`: what differs from sample to sample.
    - `grid`: the nodes and the boundary conditions.
    - `solver`: by default one step of the classical Runge-Kutta method for each usual interval between two times.

    Raises `ConfigError`, when it is solved, for a function whose result has not the grid's shape.
    """

    function: Callable[[Float[Array, ""], Float[Array, "*grid"], Params, Grid], Any]
    parameters: ParameterSpace
    grid: Grid
    solver: AbstractSolver

    def __init__(
        self,
        function: Callable[[Float[Array, ""], Float[Array, "*grid"], Params, Grid], Any],
        parameters: Sequence[Parameter],
        grid: Grid,
        *,
        solver: AbstractSolver | None = None,
    ):
        self.function = function
        self.parameters = ParameterSpace(parameters)
        self.grid = grid
        self.solver = FixedStep("rk4") if solver is None else solver

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of the grid."""
        return self.grid.shape

    @property
    def state_shape(self) -> tuple[int, ...]:
        """The shape of the grid."""
        return self.grid.shape

    @property
    def correction_shape(self) -> tuple[int, ...]:
        """The shape of the grid."""
        return self.grid.shape

    def initial_state(self, observed: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """The field itself."""
        return observed

    def observe(self, y: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """The field itself."""
        return y

    def rate(
        self, t: Float[Array, ""], y: Float[Array, "*grid"], params: Params, correction: Correction | None = None
    ) -> Float[Array, "*grid"]:
        """∂u/∂t, with the correction if there is one."""
        what = f"the function '{function_name(self.function)}' of the physics"
        given = called(self.function, t=t, u=y, p=params, grid=self.grid)
        _check_one(given, self.grid.shape, what)
        rate = checked(given, self.grid.shape, y.dtype, what)
        if correction is None:
            return rate
        return rate + checked(correction(t, y), self.grid.shape, y.dtype, "the correction")


def _check_one(given: Any, shape: tuple[int, ...], what: str) -> None:
    """Raise `ConfigError` for several arrays."""
    if isinstance(given, tuple | list) and any(map(jnp.ndim, given)):
        raise ConfigError(
            f"{what} gave {len(given)} arrays; expected one of shape {shape}: a PDE has one field. Several are a "
            "PDESystem(function, parameters, grid, fields=['u', 'v'])."
        )
