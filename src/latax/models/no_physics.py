"""What stands in for a physics in the baselines: dynamics to be learned whole, and none at all.

Both are physics without parameters. So a baseline is the physics-integrated VAE without its physics, and nothing else
differs: encoder, noise, bound and verbs are the same.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.integrate import AbstractSolver, Field
from latax.physics import FixedStep, ParameterSpace
from latax.physics.physics import AbstractDynamics, Correction
from latax.physics.space import Params


class UnknownDynamics(AbstractDynamics):
    """d^k x / dt^k = correction(t, y), of order k and with y = (x, dx/dt, ...): all that is known is the order.

    With a learned correction it is a neural ODE (Chen et al. 2018, arXiv 1806.07366). The state has the shape
    (order, *sample_shape). Its first row is observed; the others are at rest at first. `solver`: by default one step of
    the classical Runge-Kutta method for each usual interval between two times. Raises `ConfigError` for an order below
    1.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    order: int = eqx.field(static=True)
    solver: AbstractSolver
    parameters: ParameterSpace

    def __init__(self, sample_shape: tuple[int, ...], order: int = 1, *, solver: AbstractSolver | None = None):
        if order < 1:
            raise ConfigError(f"order={order}: expected a whole number from 1 on, e.g. 2 for x'' = ... .")
        self.shape, self.order = sample_shape, order
        self.solver = FixedStep("rk4") if solver is None else solver
        self.parameters = ParameterSpace([])

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one observation."""
        return self.shape

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(order, *sample_shape)."""
        return (self.order, *self.shape)

    @property
    def correction_shape(self) -> tuple[int, ...]:
        """The shape of one observation: the highest derivative is unknown."""
        return self.shape

    def initial_state(self, observed: Float[Array, "*sample"]) -> Float[Array, "order *sample"]:
        """The observation, with derivatives of zero."""
        return jnp.zeros(self.state_shape, observed.dtype).at[0].set(observed)

    def observe(self, y: Float[Array, "order *sample"]) -> Float[Array, "*sample"]:
        """The first row."""
        return y[0]

    def rate(
        self,
        t: Float[Array, ""],
        y: Float[Array, "order *sample"],
        params: Params,
        correction: Correction | None = None,
    ) -> Float[Array, "order *sample"]:
        """The derivatives of every order but the last, and the correction: zero if there is none."""
        last = jnp.zeros(self.shape, y.dtype) if correction is None else correction(t, y)
        return jnp.concatenate([y[1:], last[None]])


class Still(AbstractSolver):
    """The solution of dy/dt = 0, whatever the field: the state stays as it is."""

    def solve(
        self,
        field: Field,
        y0: Float[Array, "*state"],
        ts: Float[Array | np.ndarray, " T"],
        interval: float | None = None,
    ) -> Float[Array, "T *state"]:
        """`y0` at every time."""
        return jnp.broadcast_to(y0, (len(ts), *y0.shape))


class NoDynamics(AbstractDynamics):
    """No state, and observations of zero: what a sequence is made of is up to the correction to the observations."""

    shape: tuple[int, ...] = eqx.field(static=True)
    solver: Still
    parameters: ParameterSpace

    def __init__(self, sample_shape: tuple[int, ...]):
        self.shape, self.solver, self.parameters = sample_shape, Still(), ParameterSpace([])

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one observation."""
        return self.shape

    @property
    def state_shape(self) -> tuple[int]:
        """(0,)."""
        return (0,)

    @property
    def correction_shape(self) -> tuple[int]:
        """(0,)."""
        return (0,)

    def initial_state(self, observed: Float[Array, "*sample"]) -> Float[Array, "0"]:
        """Nothing."""
        return jnp.zeros(0, observed.dtype)

    def observe(self, y: Float[Array, "0"]) -> Float[Array, "*sample"]:
        """Zeros."""
        return jnp.zeros(self.shape, y.dtype)

    def rate(
        self, t: Float[Array, ""], y: Float[Array, "0"], params: Params, correction: Correction | None = None
    ) -> Float[Array, "0"]:
        """Nothing."""
        return y
