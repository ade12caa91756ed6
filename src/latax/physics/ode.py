"""Ordinary differential equations with named states, from a plain function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, FixedStep
from latax.physics.names import function_name
from latax.physics.own_function import called
from latax.physics.parameter import Parameter
from latax.physics.parts import AbstractPartsDynamics, Parts
from latax.physics.physics import Correction
from latax.physics.space import ParameterSpace, Params


class ODE(AbstractPartsDynamics):
    """dy/dt = function(t, y, p) for a few named states.

    ```python
    def spring(t, y, p):
        return y.velocity, -p.stiffness * y.position

    physics = ODE(
        spring,
        parameters=[Parameter("stiffness", 0.1, 10.0, unit="N/m/kg")],
        states=["position", "velocity"],
        observed=["position"],
        corrected=["velocity"],
    )
    ```

    **Arguments:**

    - `function`: `(t, y, p) -> dy`. `y` and `p` are named tuples of numbers, and `dy` is one number per state, in the
      order of `states`. It has to be written with `jax.numpy`.
    - `parameters`: what differs from sample to sample.
    - `states`: the names of the states.
    - `observed`: those that the data show, in the order of the data; by default all.
    - `corrected`: those whose rate of change a correction is added to; by default all.
    - `rest`: initial values of unobserved states; 0 where not given.
    - `solver`: by default one step of the classical Runge-Kutta method for each usual interval between two times.

    Raises `ConfigError` for names that are unknown, double or no Python names, and, when it is solved, for a function
    that gives something else than one number per state.
    """

    function: Callable[[Float[Array, ""], Any, Params], Any]
    parameters: ParameterSpace
    solver: AbstractSolver
    parts: Parts

    def __init__(
        self,
        function: Callable[[Float[Array, ""], Any, Params], Any],
        parameters: Sequence[Parameter],
        states: Sequence[str],
        *,
        observed: Sequence[str] | None = None,
        corrected: Sequence[str] | None = None,
        rest: Mapping[str, float] | None = None,
        solver: AbstractSolver | None = None,
    ):
        self.function = function
        self.parameters = ParameterSpace(parameters)
        self.solver = FixedStep("rk4") if solver is None else solver
        if not states:
            raise ConfigError("an ODE needs at least one state, e.g. states=['position', 'velocity'].")
        self.parts = Parts(states, "state", (), observed, corrected, rest)

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states."""
        return self.parts.names

    def rate(
        self, t: Float[Array, ""], y: Float[Array, " states"], params: Params, correction: Correction | None = None
    ) -> Float[Array, " states"]:
        """dy/dt, the correction added to the corrected states."""
        what = f"the function '{function_name(self.function)}' of the physics"
        given = called(self.function, t=t, y=self.parts.named(y), p=params)
        return self.parts.rates(given, None if correction is None else correction(t, y), y.dtype, what)
