"""Initial value problems dy/dt = f(t, y): the interface of a solver, and explicit Runge-Kutta with fixed steps."""

import abc
import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.physics.times import are_known

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


@dataclasses.dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: k_i = f(t + c_i h, y + h Σ_j a_ij k_j), y' = y + h Σ_i b_i k_i."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]


METHODS = {
    "euler": Tableau(((),), (1.0,), (0.0,)),
    "midpoint": Tableau(((), (0.5,)), (0.0, 1.0), (0.0, 0.5)),
    "heun": Tableau(((), (1.0,)), (0.5, 0.5), (0.0, 1.0)),
    "rk4": Tableau(((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), (0.0, 0.5, 0.5, 1.0)),
}

# Times in float32 make intervals that differ by rounding; that must not cost another step.
_SLACK = 1e-3


class FixedStep(AbstractSolver):
    """An explicit Runge-Kutta method with steps that do not look at the solution.

    Either `substeps` equal steps between two times, or as few as make no step longer than `step` (in the unit of time;
    by at most a thousandth). The second needs times with known values: inside compiled code they must not be an
    argument.

    **Arguments:**

    - `method`: "euler" (order 1), "heun", "midpoint" (2), "rk4" (the classical one, 4).
    - `step`, `substeps`: one of the two; by default one step from each time to the next.

    Raises `ConfigError` for an unknown method, a step that is not positive, and both or unknown kinds of steps.
    """

    # A plain loop and not Diffrax, which takes 2.2 to 2.8 times as long with equal steps: 72 to 92 ms against 32 ms for
    # the gradient of 200 pendulums, 49 steps of rk4, with a network 4-64-64-1 in the field, on two busy cores.

    method: str = eqx.field(static=True)
    step: float | None = eqx.field(static=True)
    substeps: int = eqx.field(static=True)

    def __init__(self, method: str = "rk4", step: float | None = None, *, substeps: int | None = None):
        if method not in METHODS:
            raise ConfigError(f"there is no method '{method}' with fixed steps; there are {', '.join(METHODS)}.")
        if step is not None and substeps is not None:
            raise ConfigError(f"step = {step} and substeps = {substeps} were both given; give one of them.")
        if step is not None and not 0 < step < float("inf"):
            raise ConfigError(f"step = {step}: expected a positive length of time.")
        if substeps is not None and substeps < 1:
            raise ConfigError(f"substeps = {substeps}: expected a whole number from 1 on.")
        self.method = method
        self.step = None if step is None else float(step)
        self.substeps = substeps or 1

    def solve(
        self, field: Field, y0: Float[Array, "*state"], ts: Float[Array | np.ndarray, " T"]
    ) -> Float[Array, "T *state"]:
        """The solution at `ts`. Raises `ConfigError` when `step` is given and the values of the times are not known."""
        tableau = METHODS[self.method]
        counts = self._counts(ts)
        start, length = _steps(ts, counts, y0.dtype)

        def advance(y: Float[Array, "*state"], t_and_h: Any) -> tuple[Float[Array, "*state"], Float[Array, "*state"]]:
            y = runge_kutta_step(field, tableau, *t_and_h, y)
            return y, y

        # Backwards, every step is computed again: to write down what goes on inside of all steps takes longer than that
        # (67 ms against 32 ms for the pendulums above), and needs much more memory.
        _, ys = lax.scan(jax.checkpoint(advance, prevent_cse=False), y0, (start, length))
        ends = np.cumsum(counts) - 1
        wanted = ys if (counts == 1).all() else ys[ends]
        return jnp.concatenate([y0[None], wanted])

    def _counts(self, ts: Float[Array | np.ndarray, " T"]) -> np.ndarray:
        """How many steps there are in each interval."""
        if self.step is None:
            return np.full(len(ts) - 1, self.substeps)
        if not are_known(ts):
            raise ConfigError(
                f"FixedStep(step={self.step}) has to know the times to count its steps, and here they are an argument "
                "of compiled code. Use FixedStep(substeps=...), which takes that many steps from each time to the next."
            )
        return np.maximum(1, np.ceil(np.diff(np.asarray(ts, float)) / self.step - _SLACK)).astype(int)


def runge_kutta_step(
    field: Field, tableau: Tableau, t: Float[Array, ""], h: Float[Array, ""], y: Float[Array, "*state"]
) -> Float[Array, "*state"]:
    """One step of length h from (t, y)."""
    slopes = []
    for row, c in zip(tableau.a, tableau.c, strict=True):
        slopes.append(field(t + c * h, _moved(y, h, row, slopes)))
    return _moved(y, h, tableau.b, slopes)


def _moved(
    y: Float[Array, "*state"], h: Float[Array, ""], weights: tuple[float, ...], slopes: list[Float[Array, "*state"]]
) -> Float[Array, "*state"]:
    terms = [weight * slope for weight, slope in zip(weights, slopes, strict=True) if weight]
    return y + h * sum(terms[1:], terms[0]) if terms else y


def _steps(
    ts: Float[Array | np.ndarray, " T"], counts: np.ndarray, dtype: Any
) -> tuple[Float[Array, " steps"], Float[Array, " steps"]]:
    """Start and length of every step."""
    interval = np.repeat(np.arange(len(counts)), counts)
    within = np.concatenate([np.arange(n) for n in counts]) if len(counts) else np.zeros(0)
    number = jnp.asarray(counts[interval], dtype)
    if are_known(ts):  # In float64, and rounded once.
        ts = np.asarray(ts, float)
        length = np.diff(ts)[interval] / counts[interval]
        return jnp.asarray(ts[:-1][interval] + within * length, dtype), jnp.asarray(length, dtype)
    ts = jnp.asarray(ts, dtype)
    length = jnp.diff(ts)[interval] / number
    return ts[:-1][interval] + jnp.asarray(within, dtype) * length, length
