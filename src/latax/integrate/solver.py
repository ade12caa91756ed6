"""What a solver of initial value problems dy/dt = f(t, y) promises."""

import abc
from collections.abc import Callable

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

Field = Callable[[Float[Array, ""], Float[Array, "*state"]], Float[Array, "*state"]]


class AbstractSolver(eqx.Module):
    """Solves dy/dt = field(t, y)."""

    @abc.abstractmethod
    def solve(
        self, field: Field, y0: Float[Array, "*state"], ts: Float[Array | np.ndarray, " T"]
    ) -> Float[Array, "T *state"]:
        """The solution at the increasing times `ts`, of which the first is that of `y0`.

        Where the solution explodes or the solver fails, the values from there on are not finite.
        """
