"""Initial value problems with steps that keep an error tolerance, by Diffrax."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax._wording import look_up
from latax.integrate.solver import AbstractSolver, Field

if TYPE_CHECKING:
    import diffrax

METHODS = {"tsit5": "Tsit5", "dopri5": "Dopri5", "kvaerno5": "Kvaerno5"}
ADJOINTS = {
    "checkpointed": "RecursiveCheckpointAdjoint",
    "direct": "DirectAdjoint",
    "backsolve": "BacksolveAdjoint",
    "forward": "ForwardMode",
}


class Adaptive(AbstractSolver):
    """Runge-Kutta methods of order 5 with adaptive steps.

    In a batch every sample keeps its own tolerance, and all take as long as the slowest.

    **Arguments:**

    - `rtol`, `atol`: relative and absolute error allowed in a step. In float32, below about 1e-6 nothing is gained.
    - `method`: "tsit5" or "dopri5" (explicit); "kvaerno5" (implicit, for stiff equations, where explicit ones need
      very many steps).
    - `max_steps`: where these do not suffice, the rest of the solution is not finite.
    - `adjoint`: how derivatives are taken. "checkpointed": exact derivatives of the steps taken, with little memory.
      "direct": the same with more memory, and forward-mode derivatives too. "backsolve": solves the adjoint equation
      backwards; constant memory, derivatives accurate only to the tolerance, and nothing for unstable equations.
      "forward": in forward mode only, which training cannot use.

    Raises `ConfigError` for an unknown method or adjoint, and for tolerances that are not positive.
    """

    rtol: float = eqx.field(static=True, default=1e-5)
    atol: float = eqx.field(static=True, default=1e-6)
    method: str = eqx.field(static=True, default="tsit5", kw_only=True)
    max_steps: int = eqx.field(static=True, default=4096, kw_only=True)
    adjoint: str = eqx.field(static=True, default="checkpointed", kw_only=True)

    def __check_init__(self):
        look_up(METHODS, self.method, "adaptive method")
        look_up(ADJOINTS, self.adjoint, "adjoint")
        if not (self.rtol > 0 and self.atol > 0 and self.max_steps > 0):
            raise ConfigError(
                f"rtol = {self.rtol}, atol = {self.atol}, max_steps = {self.max_steps}: all three have to be positive."
            )

    def solve(
        self,
        field: Field,
        y0: Float[Array, "*state"],
        ts: Float[Array | np.ndarray, " T"],
        interval: float | None = None,
    ) -> Float[Array, "T *state"]:
        """The solution at `ts`, however far they are apart."""
        import diffrax

        ts = jnp.asarray(ts, y0.dtype)
        if len(ts) == 1:
            return y0[None]

        def call(t: Any, y: Any, field: Any) -> Any:
            return field(t, y)

        # Diffrax differentiates with respect to its arguments; what the field has closed over becomes one.
        field = eqx.filter_closure_convert(field, ts[0], y0)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(call),
            getattr(diffrax, METHODS[self.method])(),
            ts[0],
            ts[-1],
            None,
            y0,
            field,
            saveat=diffrax.SaveAt(ts=ts),
            stepsize_controller=diffrax.PIDController(self.rtol, self.atol),
            adjoint=self._adjoint(),
            max_steps=self.max_steps,
            throw=False,
        )
        assert solution.ys is not None
        return jnp.asarray(solution.ys)

    def forward(self) -> "Adaptive":
        """The same solver with derivatives in forward mode."""
        options = {"method": self.method, "max_steps": self.max_steps, "adjoint": "forward"}
        return Adaptive(self.rtol, self.atol, **options)

    def _adjoint(self) -> "diffrax.AbstractAdjoint":
        import diffrax

        return getattr(diffrax, ADJOINTS[self.adjoint])()
