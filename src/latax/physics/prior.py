"""Laws of one number as images of a standard normal: value = quantile(Φ(v)), v ~ N(0, 1), Φ its distribution function.

There are two laws, uniform and normal (truncated where there are bounds), of the number itself or of its logarithm.
Both are evaluated in the tail that v lies in, by the symmetry Φ(v) = 1 - Φ(-v): near the upper end 1 - Φ would have
lost all digits. So values and gradients are finite for |v| up to 10, in float32 too.
"""

import dataclasses
import math

import jax.numpy as jnp
from jax import lax
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Bool, Float

from latax._errors import ConfigError

# A probability below this counts as this: v stays within 11.5 standard deviations.
_TINY = 1e-30
# Bounds that keep less of a normal prior than this have probably been mistyped, and leave no digits in float32.
_LEAST_MASS = 1e-6

PRIORS = "'uniform', 'loguniform', ('normal', mean, sd) or ('lognormal', median, sd of the log)"


@dataclasses.dataclass(frozen=True)
class Law:
    """A uniform law (`sd` None) or a normal one, on [`lower`, `upper`], of a number or (`of_log`) of its logarithm."""

    lower: float
    upper: float
    mean: float = 0.0
    sd: float | None = None
    of_log: bool = False

    def from_normal(self, v: Float[Array, ""]) -> Float[Array, ""]:
        """The number at the quantile Φ(v); always within the bounds."""
        if self.sd is None:
            inner = _uniform_from_normal(v, self.lower, self.upper)
        elif math.isinf(self.lower) and math.isinf(self.upper):
            inner = self.mean + self.sd * v
        else:
            a, b = self._standard_bounds
            inner = self.mean + self.sd * _truncated_from_normal(v, a, b)
        value = jnp.exp(inner) if self.of_log else inner
        # Rounding may carry a value past its bound. It is put back, but its derivative stays that of the formula.
        return value + lax.stop_gradient(jnp.clip(value, *self.bounds) - value)

    def to_normal(self, value: Float[Array, ""]) -> Float[Array, ""]:
        """The v of this number: the inverse of `from_normal`; NaN outside of the bounds."""
        lower, upper = self.bounds
        inside = (value >= lower) & (value <= upper)
        # Where it is outside, some number inside takes its place, so that no NaN gets into the derivative.
        value = jnp.where(inside, value, self.from_normal(jnp.zeros_like(value)))
        inner = jnp.log(value) if self.of_log else value
        if self.sd is None:
            v = _uniform_to_normal(inner, self.lower, self.upper)
        elif math.isinf(self.lower) and math.isinf(self.upper):
            v = (inner - self.mean) / self.sd
        else:
            v = _truncated_to_normal((inner - self.mean) / self.sd, *self._standard_bounds)
        return jnp.where(inside, v, jnp.nan)

    @property
    def bounds(self) -> tuple[float, float]:
        """The bounds of the number itself."""
        return (math.exp(self.lower), math.exp(self.upper)) if self.of_log else (self.lower, self.upper)

    @property
    def mass(self) -> float:
        """The share of the untruncated normal that is within the bounds; 1 for a uniform law."""
        if self.sd is None:
            return 1.0
        return _normal_mass(*self._standard_bounds)

    @property
    def variance(self) -> float:
        """The variance of the number."""
        if self.of_log:
            return self._moment_of_exp(2) - self._moment_of_exp(1) ** 2
        if self.sd is None:
            return (self.upper - self.lower) ** 2 / 12
        a, b = self._standard_bounds
        at_a, at_b = _normal_density(a), _normal_density(b)
        shift = (at_a - at_b) / self.mass
        spread = ((a * at_a if at_a else 0.0) - (b * at_b if at_b else 0.0)) / self.mass
        return self.sd**2 * (1 + spread - shift**2)

    @property
    def _standard_bounds(self) -> tuple[float, float]:
        assert self.sd is not None
        return (self.lower - self.mean) / self.sd, (self.upper - self.mean) / self.sd

    def _moment_of_exp(self, k: int) -> float:
        if self.sd is None:
            return (math.exp(k * self.upper) - math.exp(k * self.lower)) / (k * (self.upper - self.lower))
        a, b = self._standard_bounds
        shift = k * self.sd
        return math.exp(k * self.mean + shift**2 / 2) * _normal_mass(a - shift, b - shift) / self.mass


def law(prior: str | tuple[str, float, float], lower: float, upper: float, what: str) -> Law:
    """The law that a user's `prior` and bounds describe. Raises `ConfigError`, beginning with `what`, if none."""
    kind, *numbers = (prior,) if isinstance(prior, str) else prior
    if kind in ("uniform", "loguniform") and not numbers:
        if math.isinf(lower) or math.isinf(upper) or (kind == "loguniform" and lower <= 0):
            least = "0 < lower < upper < infinity" if kind == "loguniform" else "two finite bounds"
            raise ConfigError(f"{what}: a {kind} prior needs {least}; the bounds are {lower} and {upper}.")
        if kind == "uniform":
            return Law(lower, upper)
        return Law(math.log(lower), math.log(upper), of_log=True)
    if kind not in ("normal", "lognormal") or len(numbers) != 2:
        raise ConfigError(f"{what}: {prior!r} is no prior; give {PRIORS}.")
    centre, sd = numbers
    of_log = kind == "lognormal"
    if not (math.isfinite(centre) and math.isfinite(sd) and sd > 0) or (of_log and centre <= 0):
        needs = "a median and an sd of the log, both above 0" if of_log else "a finite mean and an sd above 0"
        raise ConfigError(f"{what}: the prior {prior!r} needs {needs}.")
    if of_log:
        if upper <= 0:
            raise ConfigError(f"{what}: a lognormal prior is positive, and the upper bound is {upper}.")
        lower = math.log(lower) if lower > 0 else -math.inf
        found = Law(lower, math.log(upper) if upper < math.inf else upper, math.log(centre), sd, of_log=True)
    else:
        found = Law(lower, upper, centre, sd)
    if found.mass < _LEAST_MASS:
        raise ConfigError(
            f"{what}: the bounds {found.bounds[0]:g} and {found.bounds[1]:g} keep only {found.mass:.1g} of the prior "
            f"{prior!r}. Move the prior into the bounds, widen one of them, or take a uniform prior."
        )
    return found


def _uniform_from_normal(v: Float[Array, ""], lower: float, upper: float) -> Float[Array, ""]:
    upper_half = v > 0
    depth = (upper - lower) * ndtr(_flipped(v, upper_half))
    return jnp.where(upper_half, upper - depth, lower + depth)


def _uniform_to_normal(value: Float[Array, ""], lower: float, upper: float) -> Float[Array, ""]:
    upper_half = value - lower > upper - value
    depth = jnp.where(upper_half, upper - value, value - lower) / (upper - lower)
    return _flipped(_ndtri(depth), upper_half)


def _truncated_from_normal(v: Float[Array, ""], a: float, b: float) -> Float[Array, ""]:
    """The standard normal truncated to [a, b]: Φ⁻¹(Φ(a) + (Φ(b) - Φ(a)) Φ(v)), or its mirror image."""
    mirrored = _is_mirrored(v, a, b)
    low = jnp.where(mirrored, _normal_mass(-math.inf, -b), _normal_mass(-math.inf, a))
    p = low.astype(v.dtype) + _normal_mass(a, b) * ndtr(_flipped(v, mirrored))
    return _flipped(_ndtri(p), mirrored)


def _truncated_to_normal(s: Float[Array, ""], a: float, b: float) -> Float[Array, ""]:
    mirrored = _is_mirrored(s, a, b)
    low = jnp.where(mirrored, _normal_mass(-math.inf, -b), _normal_mass(-math.inf, a))
    p = (ndtr(_flipped(s, mirrored)) - low.astype(s.dtype)) / _normal_mass(a, b)
    return _flipped(_ndtri(p), mirrored)


def _is_mirrored(v: Float[Array, ""], a: float, b: float) -> Bool[Array, ""]:
    """Whether to count from above: where both bounds are on one side, always from the thin end."""
    if a > 0 or b < 0:
        return jnp.asarray(a > 0)
    return v > 0


def _flipped(v: Float[Array, ""], flip: Bool[Array, ""]) -> Float[Array, ""]:
    return jnp.where(flip, -v, v)


def _ndtri(p: Float[Array, ""]) -> Float[Array, ""]:
    most = 1 - jnp.finfo(p.dtype).epsneg
    p = jnp.where(p < _TINY, _TINY, p)
    return ndtri(jnp.where(p > most, most, p))


def _normal_mass(a: float, b: float) -> float:
    """Φ(b) - Φ(a) without cancellation in either tail."""
    if a > 0:
        a, b = -b, -a
    return 0.5 * (math.erfc(-b / math.sqrt(2)) - math.erfc(-a / math.sqrt(2)))


def _normal_density(x: float) -> float:
    return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
