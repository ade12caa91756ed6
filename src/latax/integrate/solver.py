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
        self,
        field: Field,
        y0: Float[Array, "*state"],
        ts: Float[Array | np.ndarray, " T"],
        interval: float | None = None,
    ) -> Float[Array, "T *state"]:
        """The solution at the increasing times `ts`, of which the first is that of `y0`.

        `interval` is the usual time from one observation to the next, for solvers that take their steps from the times:
        where these are further apart than usual, that is a gap in the data and no reason for a longer step. By default
        it is the median of the intervals of `ts`.

        Where the solution explodes or the solver fails, the values from there on are not finite.
        """

    def forward(self) -> "AbstractSolver":
        """The same solver with derivatives in forward mode, as of many numbers by few."""
        return self
