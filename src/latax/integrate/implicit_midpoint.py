"""Initial value problems by the implicit midpoint rule, whose steps can be undone."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import optimistix
from jax import lax
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.integrate.solver import AbstractSolver, Field


class ImplicitMidpoint(AbstractSolver):
    """y' = y + h k with k = f(t + h/2, y + h/2 k): order 2, and a step of -h from y' is back at y.

    So the way back is the inverse of the way there, however long the steps are: to the tolerance of the equation for k,
    and not only to the error of the method. Each step solves that equation by fixed-point iteration, which converges
    where h/2 times the greatest stretch of f is below one. Quadratic invariants such as |y| are kept as well.

    **Arguments:**

    - `substeps`: equal steps from each time to the next.
    - `tolerance`: of k, relative and absolute; by default what the precision allows.
    - `max_iterations`: where these do not suffice, the rest of the solution is not finite.

    Raises `ConfigError` for numbers that are not positive.
    """

    substeps: int = eqx.field(static=True, default=8)
    tolerance: float | None = eqx.field(static=True, default=None, kw_only=True)
    max_iterations: int = eqx.field(static=True, default=100, kw_only=True)

    def __check_init__(self):
        if self.substeps < 1 or self.max_iterations < 1:
            raise ConfigError(
                f"substeps = {self.substeps}, max_iterations = {self.max_iterations}: expected whole numbers from 1 on."
            )
        if self.tolerance is not None and not self.tolerance > 0:
            raise ConfigError(f"tolerance = {self.tolerance}: expected a positive number, or None.")

    def solve(
        self,
        field: Field,
        y0: Float[Array, "*state"],
        ts: Float[Array | np.ndarray, " T"],
        interval: float | None = None,
    ) -> Float[Array, "T *state"]:
        """The solution at `ts`."""
        if len(ts) == 1:
            return y0[None]
        ts = jnp.asarray(ts, y0.dtype)
        tolerance = 8 * float(jnp.finfo(y0.dtype).eps) if self.tolerance is None else self.tolerance
        iteration = optimistix.FixedPointIteration(rtol=tolerance, atol=tolerance)

        def step(y: Float[Array, "*state"], t: Float[Array, ""], h: Float[Array, ""]) -> Float[Array, "*state"]:
            # The unknown is the midpoint y + h/2 k; it has the size of y, to which the tolerance then refers.
            following = lambda middle, _: y + h / 2 * field(t + h / 2, middle)
            start = following(y, None)
            found = optimistix.fixed_point(following, iteration, start, max_steps=self.max_iterations, throw=False)
            good = found.result == optimistix.RESULTS.successful
            return jnp.where(good, 2 * found.value - y, jnp.nan)

        def advance(
            y: Float[Array, "*state"], ends: tuple[Float[Array, ""], Float[Array, ""]]
        ) -> tuple[Float[Array, "*state"], Float[Array, "*state"]]:
            start, stop = ends
            h = (stop - start) / self.substeps
            y = lax.fori_loop(0, self.substeps, lambda i, y: step(y, start + jnp.asarray(i, h.dtype) * h, h), y)
            return y, y

        _, ys = lax.scan(advance, y0, (ts[:-1], ts[1:]))
        return jnp.concatenate([y0[None], ys])
