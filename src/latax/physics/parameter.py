"""A physical parameter: its name, bounds, unit and prior, and its unconstrained coordinates."""

import functools
import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from latax._errors import ConfigError, DataError
from latax.physics.names import check_names
from latax.physics.prior import PRIORS, Law, law

Prior = str | tuple[str, float, float]

#: Networks see no coordinate beyond this.
_WIDEST = 4.0


def _prior(given: Any) -> Any:
    """The prior as it has to be in a static field; a list comes from a JSON file."""
    if not isinstance(given, str | tuple | list) or not given:
        raise ConfigError(f"{given!r} is no prior; give {PRIORS}.")
    return tuple(given) if isinstance(given, list) else given


def _bound(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the bound {value!r} of a parameter is no number.") from error


class Parameter(eqx.Module):
    """A number of the physics that differs from sample to sample, with what is known about it beforehand.

    The prior is written as the image of a standard normal v: value = `from_normal(v)`, v ~ N(0, I). So every value is
    within the bounds, no gradient dies at a clamp, and the prior of the latent coordinates is always N(0, I).

    **Arguments:**

    - `name`: how the physics function and all results call it, e.g. `omega` for `p.omega`.
    - `lower`, `upper`: its bounds; either may be infinite, except for uniform priors.
    - `unit`: for people.
    - `prior`: "uniform"; "loguniform"; ("normal", mean, sd) and ("lognormal", median, sd of the log), cut off at the
      bounds.
    - `circular`: an angle: `lower` and `upper` are the same point. It has two coordinates, of which it is the polar
      angle, and a uniform prior.

    Raises `ConfigError` for a name that is no Python name, bounds in the wrong order, and a prior that does not fit.
    """

    name: str = eqx.field(static=True)
    lower: float = eqx.field(static=True, default=-math.inf, converter=_bound)
    upper: float = eqx.field(static=True, default=math.inf, converter=_bound)
    unit: str = eqx.field(static=True, default="")
    prior: Prior = eqx.field(static=True, default="uniform", converter=_prior)
    circular: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        check_names((self.name,), "parameter")
        if not self.lower < self.upper:
            raise ConfigError(
                f"parameter '{self.name}': lower = {self.lower:g} is not below upper = {self.upper:g}. Exchange them?"
            )
        if self.circular and self.prior != "uniform":
            raise ConfigError(
                f"parameter '{self.name}' is circular, which goes with a uniform prior only; got {self.prior!r}. "
                "Drop the prior, or make it an ordinary parameter with bounds."
            )
        _law(self)

    @property
    def size(self) -> int:
        """The number of unconstrained coordinates: 2 if circular, else 1."""
        return 2 if self.circular else 1

    @property
    def std(self) -> float:
        """The standard deviation of the prior, in the parameter's unit; of the uniform law if circular."""
        return math.sqrt(_law(self).variance)

    def from_normal(self, v: Float[Array, " size"]) -> Float[Array, ""]:
        """The value with these coordinates; its law is the prior when they are standard normal."""
        if not self.circular:
            return _law(self).from_normal(v[0])
        turn = _polar_angle(v) / (2 * math.pi)
        turn = jnp.where(turn < 0, turn + 1, turn)
        value = self.lower + (self.upper - self.lower) * turn
        return jnp.where(value >= self.upper, value - (self.upper - self.lower), value)

    def to_normal(self, value: Float[Array, ""]) -> Float[Array, " size"]:
        """Coordinates of this value: the inverse of `from_normal`; NaN outside of the bounds.

        Of the many pairs of coordinates of an angle, the one at the root mean square radius √2.
        """
        if not self.circular:
            return _law(self).to_normal(value)[None]
        angle = (value - self.lower) * (2 * math.pi / (self.upper - self.lower))
        return math.sqrt(2) * jnp.stack([jnp.cos(angle), jnp.sin(angle)])

    def canonical(self, v: Float[Array, " size"]) -> Float[Array, " size"]:
        """The coordinates that `to_normal` gives for the value of these, as networks see them: those of an angle lose
        their radius, and all others end at ±4, so that a value at its bound is no stranger than one in 30,000."""
        if not self.circular:
            return jnp.clip(v, -_WIDEST, _WIDEST)
        squared = jnp.sum(v**2)
        return jnp.where(
            squared > 0, v * jnp.sqrt(2 / jnp.where(squared > 0, squared, 1.0)), jnp.array([math.sqrt(2), 0.0], v.dtype)
        )

    def moved(self, v: Float[Array, " size"], step: Float[Array, ""]) -> Float[Array, " size"]:
        """The coordinates of a value that is `step` away, in standard deviations of the prior: a turn if circular."""
        if not self.circular:
            return v + step
        turn = 2 * math.pi * step / math.sqrt(12)  # The standard deviation of the uniform law is period / √12.
        cos, sin = jnp.cos(turn), jnp.sin(turn)
        return jnp.stack([cos * v[0] - sin * v[1], sin * v[0] + cos * v[1]])

    def distance(self, a: Float[Array, "*#n"], b: Float[Array, "*#n"]) -> Float[Array, "*#n"]:
        """|a - b|, in the parameter's unit; the shorter way round if circular."""
        if not self.circular:
            return jnp.abs(a - b)
        period = self.upper - self.lower
        around = jnp.mod(a - b, period)
        return jnp.minimum(around, period - around)

    def within(
        self,
        values: Float[np.ndarray, "*#n"],
        low: Float[np.ndarray, "*#n"],
        high: Float[np.ndarray, "*#n"],
    ) -> Bool[np.ndarray, "*#n"]:
        """Whether values are inside of intervals. That of an angle may go on beyond a bound, a turn away."""
        period = self.upper - self.lower
        shifts = (-period, 0.0, period) if self.circular else (0.0,)
        return np.any([(low < values + shift) & (values + shift < high) for shift in shifts], axis=0)

    def check(self, values: Float[Array | np.ndarray, "*n"] | float) -> None:
        """Raise `DataError` naming the first of these values that is not finite or outside of the bounds."""
        values = np.atleast_1d(np.asarray(values, float))
        # A bound as float32 may lie a rounding beyond itself.
        slack = 1e-6 * max(abs(b) for b in (self.lower, self.upper, 0.0) if math.isfinite(b))
        wrong = ~np.isfinite(values) | (values < self.lower - slack) | (values > self.upper + slack)
        if wrong.any():
            unit = f" {self.unit}" if self.unit else ""
            raise DataError(
                f"parameter '{self.name}' = {values[wrong][0]:g}{unit}: expected a number from {self.lower:g} to "
                f"{self.upper:g}{unit}. Change the value, or the bounds of the parameter."
            )


@functools.lru_cache(maxsize=1024)
def _law_of(prior: Prior, lower: float, upper: float, name: str) -> Law:
    return law(prior, lower, upper, f"parameter '{name}'")


def _law(parameter: Parameter) -> Law:
    return _law_of(parameter.prior, parameter.lower, parameter.upper, parameter.name)


def _polar_angle(v: Float[Array, "2"]) -> Float[Array, ""]:
    """atan2(v2, v1), with derivative zero at the origin, where there is none."""
    at_origin = (v[0] == 0) & (v[1] == 0)
    return jnp.where(at_origin, 0.0, jnp.arctan2(v[1], jnp.where(at_origin, 1.0, v[0])))
