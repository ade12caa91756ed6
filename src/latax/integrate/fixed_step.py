"""Initial value problems by explicit Runge-Kutta methods with fixed steps."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax._wording import look_up
from latax.integrate.solver import AbstractSolver, Field
from latax.integrate.times import are_known


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

# A step is at most so many times longer than usual, and no solution takes more steps than that.
_LONGEST = 1.5
_MOST_STEPS = 1_000_000
# Times in float32 make intervals that differ by rounding; that must not cost another step.
_SLACK = 1e-3


class FixedStep(AbstractSolver):
    """An explicit Runge-Kutta method with steps that do not look at the solution.

    An interval longer than usual is a gap, and is divided as if there were times in it at the usual distance: no step
    is longer than one and a half of those elsewhere. What is usual `solve` is told, as by a model that was fitted to
    data, or else it is the median. Where data come more often than the solution needs steps, `every` skips times: steps
    go from one of them to the next but `every` - 1, unless there is a gap, and the states between are those of the
    cubic with the same values and slopes at both ends (Hermite's, of order 4).

    To count steps the times must have known values: inside compiled code they must not be an argument. With `substeps`
    they may be.

    **Arguments:**

    - `method`: "euler" (order 1), "heun", "midpoint" (2), "rk4" (the classical one, 4).
    - `step`: as few equal steps between two times as make none longer than this, in the unit of time (by at most a
      thousandth).
    - `substeps`: so many equal steps for each usual interval; where it is not told what is usual, from each time to the
      next, however far that is. By default one for each usual interval.
    - `every`: steps end at every time (1), every other (2), ..., and at the last.

    Raises `ConfigError` for an unknown method, a step that is not positive, and both or unknown kinds of steps.
    """

    # A plain loop and not Diffrax, which takes 2.2 to 2.8 times as long with equal steps: 72 to 92 ms against 32 ms for
    # the gradient of 200 pendulums, 49 steps of rk4, with a network 4-64-64-1 in the field, on two busy cores.

    method: str = eqx.field(static=True)
    step: float | None = eqx.field(static=True)
    substeps: int | None = eqx.field(static=True)
    every: int = eqx.field(static=True)

    def __init__(self, method: str = "rk4", step: float | None = None, *, substeps: int | None = None, every: int = 1):
        look_up(METHODS, method, "method with fixed steps")
        if step is not None and substeps is not None:
            raise ConfigError(f"step = {step} and substeps = {substeps} were both given; give one of them.")
        if step is not None and not 0 < step < float("inf"):
            raise ConfigError(f"step = {step}: expected a positive length of time.")
        if substeps is not None and substeps < 1:
            raise ConfigError(f"substeps = {substeps}: expected a whole number from 1 on.")
        if every < 1:
            raise ConfigError(f"every = {every}: expected a whole number from 1 on.")
        self.method = method
        self.step = None if step is None else float(step)
        self.substeps = substeps
        self.every = every

    def solve(
        self,
        field: Field,
        y0: Float[Array, "*state"],
        ts: Float[Array | np.ndarray, " T"],
        interval: float | None = None,
    ) -> Float[Array, "T *state"]:
        """The solution at `ts`. Raises `ConfigError` when the values of the times are not known and have to be, and for
        times so uneven that it would take very many steps."""
        if len(ts) < 2:
            return y0[None]
        if interval is None and self.substeps is None and are_known(ts):
            interval = float(np.median(np.diff(np.asarray(ts, float))))
        if self.every == 1:
            return self._solve(field, y0, ts, interval)[0]
        nodes = self._nodes(ts, interval)
        usual = None if interval is None else self.every * interval
        ys, slopes = self._solve(field, y0, ts[nodes], usual)
        slopes = jnp.concatenate([slopes, field(jnp.asarray(ts[-1], y0.dtype), ys[-1])[None]])
        return _between(ts, nodes, ys, slopes)

    def _nodes(self, ts: Float[Array | np.ndarray, " T"], interval: float | None) -> np.ndarray:
        """The numbers of the times at which steps end: `every` from one to the next, but fewer where these are far
        apart."""
        last = len(ts) - 1
        if interval is None or not are_known(ts):
            return np.unique(np.append(np.arange(0, last, self.every), last))
        times, nodes = np.asarray(ts, float), [0]
        while nodes[-1] < last:
            here = nodes[-1]
            near = times[here] + _LONGEST * self.every * interval
            reached = int(np.searchsorted(times, near, side="right")) - 1
            nodes.append(max(here + 1, min(reached, here + self.every, last)))
        return np.array(nodes)

    def _solve(
        self,
        field: Field,
        y0: Float[Array, "*state"],
        ts: Float[Array | np.ndarray, " T"],
        interval: float | None,
    ) -> tuple[Float[Array, "T *state"], Float[Array, "T-1 *state"]]:
        """The solution at `ts`, and its slopes at all but the last."""
        tableau = METHODS[self.method]
        counts = self._counts(ts, interval)
        start, length = _steps(ts, counts, y0.dtype)

        def advance(y: Float[Array, "*state"], t_and_h: Any) -> tuple[Float[Array, "*state"], Any]:
            y, slope = runge_kutta_step(field, tableau, *t_and_h, y)
            return y, (y, slope)

        # Backwards, every step is computed again: to write down what goes on inside of all steps takes longer than that
        # (67 ms against 32 ms for the pendulums above), and needs much more memory.
        _, (ys, slopes) = lax.scan(jax.checkpoint(advance, prevent_cse=False), y0, (start, length))
        if not (counts == 1).all():
            ends = np.cumsum(counts)
            ys, slopes = ys[ends - 1], slopes[ends - counts]
        return jnp.concatenate([y0[None], ys]), slopes

    def _counts(self, ts: Float[Array | np.ndarray, " T"], interval: float | None) -> np.ndarray:
        """How many steps there are in each interval."""
        if not are_known(ts):
            if self.substeps is not None:
                return np.full(len(ts) - 1, self.substeps)
            given = "" if self.step is None else f"step={self.step}"
            raise ConfigError(
                f"FixedStep({given}) has to know the times to count its steps, and here they are an argument of "
                "compiled code. Use FixedStep(substeps=...), which takes that many steps from each time to the "
                "next, or Adaptive()."
            )
        intervals = np.diff(np.asarray(ts, float))
        if self.step is not None:
            counts = np.maximum(1, np.ceil(intervals / self.step - _SLACK))
        else:
            usual = intervals if interval is None else interval
            counts = (self.substeps or 1) * np.maximum(1, np.round(intervals / usual))
        if counts.sum() > _MOST_STEPS:
            steps = f"a usual interval of {interval:g}" if self.step is None else f"step={self.step}"
            raise ConfigError(
                f"times up to {intervals.max():g} apart, with {steps}, would take {counts.sum():.3g} steps; at most "
                f"{_MOST_STEPS:,} are taken. Give FixedStep(step=...) with a longer step, or Adaptive(), which chooses "
                "its steps by the solution."
            )
        return counts.astype(int)


def runge_kutta_step(
    field: Field, tableau: Tableau, t: Float[Array, ""], h: Float[Array, ""], y: Float[Array, "*state"]
) -> tuple[Float[Array, "*state"], Float[Array, "*state"]]:
    """The state after one step of length h from (t, y), and the slope before it."""
    slopes = []
    for row, c in zip(tableau.a, tableau.c, strict=True):
        slopes.append(field(t + c * h, _moved(y, h, row, slopes)))
    return _moved(y, h, tableau.b, slopes), slopes[0]


def _moved(
    y: Float[Array, "*state"], h: Float[Array, ""], weights: tuple[float, ...], slopes: list[Float[Array, "*state"]]
) -> Float[Array, "*state"]:
    terms = [weight * slope for weight, slope in zip(weights, slopes, strict=True) if weight]
    return y + h * sum(terms[1:], terms[0]) if terms else y


def _between(
    ts: Float[Array | np.ndarray, " T"],
    nodes: np.ndarray,
    ys: Float[Array, "nodes *state"],
    slopes: Float[Array, "nodes *state"],
) -> Float[Array, "T *state"]:
    """Hermite's cubics through values and slopes at the times with the numbers `nodes`, at all times."""
    left = np.searchsorted(nodes, np.arange(len(ts)), side="right") - 1
    left = np.minimum(left, len(nodes) - 2)
    xp = np if are_known(ts) else jnp
    ts = xp.asarray(ts)
    h = ts[nodes[left + 1]] - ts[nodes[left]]
    s = (ts - ts[nodes[left]]) / h
    weights = ((1 + 2 * s) * (1 - s) ** 2, s**2 * (3 - 2 * s), h * s * (1 - s) ** 2, h * s**2 * (s - 1))
    shape = (-1, *(1,) * (ys.ndim - 1))
    ends = (ys[left], ys[left + 1], slopes[left], slopes[left + 1])
    first, *others = (jnp.asarray(w, ys.dtype).reshape(shape) * end for w, end in zip(weights, ends, strict=True))
    return sum(others, first)


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
