"""What every physics is: named parameters, and a simulation from them."""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, check_times, since_first
from latax.physics.space import ParameterSpace, Params

# (time since the first, state) -> what is added to the rate of change of the corrected part of the state.
Correction = Callable[[Float[Array, ""], Float[Array, "*state"]], Float[Array, "*corrected"]]


class AbstractPhysics(eqx.Module):
    """Knowledge of a process: parameters with bounds and priors, and the observations that follow from them.

    * `parameters`: what differs from sample to sample.
    * `sample_shape`: the shape of one observation, without time.
    * `has_time`: whether a sample is a sequence; if not, `simulate` takes the parameters alone.
    """

    parameters: AbstractVar[ParameterSpace]

    @property
    @abc.abstractmethod
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one observation, without time."""

    @property
    @abc.abstractmethod
    def has_time(self) -> bool:
        """Whether a sample is a sequence of observations."""

    @abc.abstractmethod
    def simulate(
        self,
        params: Params,
        y0: Float[Array, "*state"] | None = None,
        ts: Float[Array | np.ndarray, " T"] | None = None,
        correction: Correction | None = None,
    ) -> Float[Array, "*observations"]:
        """The observations (T, *sample_shape), or (*sample_shape,) without time, that these parameters lead to."""


class AbstractDynamics(AbstractPhysics):
    """A physics in time: dy/dt = rate(t, y; params) + correction(t - t_0, y), of which a part is observed.

    What a physics does not know is added to its rate of change: a correction is a function of the time since the first
    observation and the whole state, whose result has the shape `correction_shape`, that of the corrected part of the
    state. None is the physics alone; it runs the same code.
    """

    solver: AbstractVar[AbstractSolver]

    @property
    def has_time(self) -> bool:
        """True."""
        return True

    def forward(self) -> "AbstractDynamics":
        """The same physics, whose solves have derivatives in forward mode."""
        return eqx.tree_at(lambda physics: physics.solver, self, self.solver.forward())

    @property
    @abc.abstractmethod
    def state_shape(self) -> tuple[int, ...]:
        """The shape of the whole state."""

    @property
    @abc.abstractmethod
    def correction_shape(self) -> tuple[int, ...]:
        """The shape of the part of the state whose rate of change can be corrected."""

    @property
    def initial_names(self) -> tuple[str, ...]:
        """What columns with the numbers of an initial state are called, in its order: initial0, initial1, ..."""
        return tuple(f"initial{'_'.join(map(str, i))}" for i in np.ndindex(*self.state_shape))

    @abc.abstractmethod
    def initial_state(self, observed: Float[Array, "*sample"]) -> Float[Array, "*state"]:
        """The state whose observed part is this, with the rest at its declared rest values."""

    @abc.abstractmethod
    def observe(self, y: Float[Array, "*state"]) -> Float[Array, "*sample"]:
        """The observed part of a state."""

    @abc.abstractmethod
    def rate(
        self, t: Float[Array, ""], y: Float[Array, "*state"], params: Params, correction: Correction | None = None
    ) -> Float[Array, "*state"]:
        """The rate of change of the state, with the correction if there is one.

        Raises `ConfigError` when the user's function or the correction gives another shape than it has to.
        """

    def check(self) -> None:
        """Calls the user's function once, without computing anything: raises what `rate` raises."""
        shapes = [jax.ShapeDtypeStruct(shape, jnp.zeros(0).dtype) for shape in ((), self.state_shape)]
        v = jax.ShapeDtypeStruct((self.parameters.size,), jnp.zeros(0).dtype)
        jax.eval_shape(lambda t, y, v: self.rate(t, y, self.parameters.from_normal(v)), *shapes, v)

    def corrected_rate(
        self, t: Float[Array, ""], y: Float[Array, "*state"], params: Params
    ) -> Float[Array, "*corrected"]:
        """The physics' own rate of change of what can be corrected."""
        return self.corrected_part(self.rate(t, y, params), t, y, params)

    def corrected_part(
        self, of: Float[Array, "*state"], t: Float[Array, ""], y: Float[Array, "*state"], params: Params
    ) -> Float[Array, "*corrected"]:
        """The part of something in the shape of the state, such as its units, that corrections are added to."""
        # The derivative of the rates by a correction shows which of them are corrected.
        corrected = lambda c: self.rate(t, y, params, lambda t, y: c)
        return jax.vjp(corrected, jnp.zeros(self.correction_shape, y.dtype))[1](of)[0]

    def recombined(self, states: Float[Array, "T *state"]) -> Float[Array, "T *state"]:
        """States of a trajectory at other times of it: a fixed order that looks like chance.

        What varies independently within a state is moved on its own.
        """
        return states[np.random.default_rng(0).permutation(len(states))]

    def trajectory(
        self,
        params: Params,
        y0: Float[Array, "*state"],
        ts: Float[Array | np.ndarray, " T"],
        correction: Correction | None = None,
        *,
        interval: float | None = None,
    ) -> Float[Array, "T *state"]:
        """The whole state at the increasing times `ts`, of which the first is that of `y0`.

        `interval`: the usual time from one observation to the next, which the solver's steps are made for; by default
        the median of those of `ts`. Where the solution explodes, the values are not finite. Raises `DataError` for
        times that are not increasing, and `ConfigError` for an initial state, or a result of the physics or the
        correction, of another shape.
        """
        check_times(ts)
        if y0.shape != self.state_shape:
            raise ConfigError(f"the initial state has shape {y0.shape}; expected the whole state, {self.state_shape}.")
        # In time since the first: seconds since 1970 are 128 apart in single precision.
        first = ts[0]

        def field(since: Float[Array, ""], y: Float[Array, "*state"]) -> Float[Array, "*state"]:
            t = since + jnp.asarray(first, since.dtype)
            return self.rate(t, y, params, None if correction is None else _at(correction, since))

        return self.solver.solve(field, y0, since_first(ts, first), interval)

    def simulate(
        self,
        params: Params,
        y0: Float[Array, "*state"] | None = None,
        ts: Float[Array | np.ndarray, " T"] | None = None,
        correction: Correction | None = None,
        *,
        interval: float | None = None,
    ) -> Float[Array, "T *sample"]:
        """The observed part of the state at the times `ts`: see `trajectory`."""
        if y0 is None or ts is None:
            raise ConfigError("a physics in time needs an initial state and times: simulate(params, y0, ts).")
        return jax.vmap(self.observe)(self.trajectory(params, y0, ts, correction, interval=interval))


def _at(correction: Correction, since: Float[Array, ""]) -> Correction:
    return lambda _, y: correction(since, y)


def checked(value: Any, shape: tuple[int, ...], dtype: jnp.dtype, what: str) -> Array:
    """The value as an array of this type, after a check that it is one, of this shape; `what` begins the message."""
    if not isinstance(value, jax.Array | np.ndarray | np.generic | float | int):
        wanted = f"an array of shape {shape}" if shape else "one number"
        cure = "Return what it computes." if value is None else "Compute it with jax.numpy."
        raise ConfigError(f"{what} gave {type(value).__name__}; expected {wanted}. {cure}")
    if jnp.shape(value) != shape:
        raise ConfigError(f"{what} gave an array of shape {jnp.shape(value)}; expected {shape}.")
    return jnp.asarray(value, dtype)
