"""Ordinary differential equations with named states, from a plain function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, FixedStep
from latax.physics.names import check_names, function_name, name_tuple, positions, tuple_class
from latax.physics.parameter import Parameter
from latax.physics.physics import AbstractDynamics, Correction, called, checked
from latax.physics.space import ParameterSpace, Params


class ODE(AbstractDynamics):
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
    states: tuple[str, ...] = eqx.field(static=True)
    observed: tuple[str, ...] = eqx.field(static=True)
    corrected: tuple[str, ...] = eqx.field(static=True)
    rest: tuple[float, ...] = eqx.field(static=True)

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
        self.states = name_tuple(states, "states")
        if not self.states:
            raise ConfigError("an ODE needs at least one state, e.g. states=['position', 'velocity'].")
        check_names(self.states, "state")
        self.observed = self.states if observed is None else name_tuple(observed, "observed")
        self.corrected = self.states if corrected is None else name_tuple(corrected, "corrected")
        rest = {} if rest is None else rest
        positions(self.observed, self.states, "observed")
        positions(self.corrected, self.states, "corrected")
        positions(tuple(rest), self.states, "rest")
        if not self.observed:
            raise ConfigError("observed is empty; at least one state has to be seen in the data.")
        self.rest = tuple(float(rest.get(name, 0.0)) for name in self.states)

    @property
    def sample_shape(self) -> tuple[int]:
        """(number of observed states,)."""
        return (len(self.observed),)

    @property
    def state_shape(self) -> tuple[int]:
        """(number of states,)."""
        return (len(self.states),)

    def recombined(self, states: Float[Array, "T states"]) -> Float[Array, "T states"]:
        """Every state at other times of the trajectory, independently of the others."""
        rng = np.random.default_rng(0)
        return jnp.stack([column[rng.permutation(len(column))] for column in states.T], axis=1)

    @property
    def correction_shape(self) -> tuple[int]:
        """(number of corrected states,)."""
        return (len(self.corrected),)

    def initial_state(self, observed: Float[Array, " observed"]) -> Float[Array, " states"]:
        """The observed states as they are, the others at rest."""
        rest = jnp.asarray(self.rest, observed.dtype)
        return rest.at[np.array(positions(self.observed, self.states, "observed"))].set(observed)

    def observe(self, y: Float[Array, " states"]) -> Float[Array, " observed"]:
        """The observed states."""
        return y if self.observed == self.states else y[np.array(positions(self.observed, self.states, "observed"))]

    def rate(
        self, t: Float[Array, ""], y: Float[Array, " states"], params: Params, correction: Correction | None = None
    ) -> Float[Array, " states"]:
        """dy/dt, the correction added to the corrected states."""
        rates = self._rates(called(self.function, t, tuple_class("State", self.states)(*y), params), y.dtype)
        if correction is not None:
            added = checked(correction(t, y), self.correction_shape, y.dtype, "the correction")
            for i, place in enumerate(positions(self.corrected, self.states, "corrected")):
                rates[place] = rates[place] + added[i]
        return jnp.stack(rates)

    def _rates(self, rates: Any, dtype: jnp.dtype) -> list[Float[Array, ""]]:
        what = f"the function '{function_name(self.function)}' of the physics"
        if not isinstance(rates, (tuple, list, jax.Array, np.ndarray)) or getattr(rates, "ndim", 1) == 0:
            given = "one number" if hasattr(rates, "ndim") else type(rates).__name__
            raise ConfigError(
                f"{what} gave {given}; expected the rates of change of {', '.join(self.states)}, as a tuple or an "
                "array. That of a single state is a tuple too: return (rate,)."
            )
        if len(rates) != len(self.states):
            raise ConfigError(
                f"{what} gave {len(rates)} rates of change; expected {len(self.states)}, those of "
                f"{', '.join(self.states)}."
            )
        return [
            checked(rates[i], (), dtype, f"{what}, for the rate of change of '{name}',")
            for i, name in enumerate(self.states)
        ]
