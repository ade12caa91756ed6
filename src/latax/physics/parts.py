"""The named parts of a state, angle and velocity or the fields on a grid: which are seen, and which are corrected."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.physics.names import check_names, name_tuple, positions, tuple_class
from latax.physics.physics import AbstractDynamics, checked


class Parts(eqx.Module):
    """Names of what lies along the last axis of a state (*place, part): at every place there is one number of each.

    **Arguments:**

    - `names`: of all parts, in the order of the state.
    - `kind`: what one of them is called in messages, such as state or field, whose plural has an s.
    - `place`: the shape of one part; () for numbers.
    - `observed`, `corrected`: names of some of them; None is all.
    - `rest`: initial values of those that are not observed, numbers or of shape `place`; 0 where not given.

    Raises `ConfigError` for names that are unknown, double or no Python names, for nothing to observe, and for initial
    values that are not finite or of another shape.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    kind: str = eqx.field(static=True)
    place: tuple[int, ...] = eqx.field(static=True)
    observed: tuple[str, ...] = eqx.field(static=True)
    corrected: tuple[str, ...] = eqx.field(static=True)
    rest: tuple[Any, ...] = eqx.field(static=True, repr=False)

    def __init__(
        self,
        names: Sequence[str],
        kind: str,
        place: tuple[int, ...],
        observed: Sequence[str] | None,
        corrected: Sequence[str] | None,
        rest: Mapping[str, Any] | None,
    ):
        self.names, self.kind, self.place = name_tuple(names, f"{kind}s"), kind, place
        check_names(self.names, kind)
        self.observed = self.names if observed is None else name_tuple(observed, "observed")
        self.corrected = self.names if corrected is None else name_tuple(corrected, "corrected")
        rest = {} if rest is None else rest
        self._positions(self.observed, "observed")
        self._positions(self.corrected, "corrected")
        self._positions(tuple(rest), "rest")
        if not self.observed:
            raise ConfigError(f"observed is empty; at least one {kind} has to be seen in the data.")
        self.rest = tuple(self._at_rest(name, rest.get(name, 0.0)) for name in self.names)

    def shape(self, names: Sequence[str]) -> tuple[int, ...]:
        """(*place, number of names)."""
        return (*self.place, len(names))

    def initial_state(self, observed: Float[Array, "*place observed"]) -> Float[Array, "*place parts"]:
        """The observed parts as they are, the others at rest."""
        rest = np.stack([np.broadcast_to(np.asarray(value), self.place) for value in self.rest], axis=-1)
        return jnp.asarray(rest, observed.dtype).at[..., self._positions(self.observed, "observed")].set(observed)

    def observe(self, y: Float[Array, "*place parts"]) -> Float[Array, "*place observed"]:
        """The observed parts."""
        return y if self.observed == self.names else y[..., self._positions(self.observed, "observed")]

    def named(self, y: Float[Array, "*place parts"]) -> Any:
        """The parts as a named tuple, each of shape `place`."""
        return tuple_class("State", self.names)(*jnp.moveaxis(y, -1, 0))

    def rates(self, given: Any, correction: Any, dtype: jnp.dtype, what: str) -> Float[Array, "*place parts"]:
        """The rates of change that a user's function has given, one for each part, with the correction (*place,
        corrected) unless it is None.

        Raises `ConfigError` where either is something else; `what` begins the message on the function.
        """
        rates = self._each(given, dtype, what)
        if correction is not None:
            added = checked(correction, self.shape(self.corrected), dtype, "the correction")
            for i, place in enumerate(self._positions(self.corrected, "corrected")):
                rates[place] = rates[place] + added[..., i]
        return jnp.stack(rates, axis=-1)

    def recombined(self, states: Float[Array, "T *place parts"]) -> Float[Array, "T *place parts"]:
        """Every part at other times of a trajectory, independently of the others: a fixed order like chance."""
        rng = np.random.default_rng(0)
        return jnp.stack([part[rng.permutation(len(part))] for part in jnp.moveaxis(states, -1, 0)], axis=-1)

    def _positions(self, chosen: tuple[str, ...], what: str) -> np.ndarray:
        return np.array(positions(chosen, self.names, what, self.kind), int)

    def _at_rest(self, name: str, value: Any) -> Any:
        """An initial value as it has to be in a static field: numbers in tuples."""
        try:
            array = np.asarray(value, float)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"rest: {value!r} of the {self.kind} '{name}' is no number.") from error
        if array.shape not in ((), self.place) or not np.isfinite(array).all():
            found = f"{value!r}" if array.ndim == 0 else f"an array of shape {array.shape}"
            wanted = f", or an array of such of shape {self.place}" if self.place else ""
            raise ConfigError(f"rest: the {self.kind} '{name}' begins with {found}; expected a finite number{wanted}.")
        return _tuples(array.tolist())

    def _each(self, rates: Any, dtype: jnp.dtype, what: str) -> list[Float[Array, "*place"]]:
        listed = ", ".join(self.names)
        if not isinstance(rates, tuple | list) and not (isinstance(rates, jax.Array | np.ndarray) and rates.ndim):
            is_number = isinstance(rates, jax.Array | np.ndarray | np.generic | float | int)
            given = "one number" if is_number else type(rates).__name__
            raise ConfigError(
                f"{what} gave {given}; expected the rates of change of {listed}, as a tuple or an array. That of a "
                f"single {self.kind} is a tuple too: return (rate,)."
            )
        if len(rates) != len(self.names):
            raise ConfigError(
                f"{what} gave {len(rates)} rates of change; expected {len(self.names)}, those of {listed}."
            )
        return [
            checked(rates[i], self.place, dtype, f"{what}, for the rate of change of '{name}',")
            for i, name in enumerate(self.names)
        ]


class AbstractPartsDynamics(AbstractDynamics):
    """A physics in time whose state (*place, part) has named parts, some of which are observed and some corrected."""

    parts: AbstractVar[Parts]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(*place, number of observed parts)."""
        return self.parts.shape(self.parts.observed)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(*place, number of parts)."""
        return self.parts.shape(self.parts.names)

    @property
    def correction_shape(self) -> tuple[int, ...]:
        """(*place, number of corrected parts)."""
        return self.parts.shape(self.parts.corrected)

    def recombined(self, states: Float[Array, "T *place parts"]) -> Float[Array, "T *place parts"]:
        """Every part at other times of the trajectory, independently of the others."""
        return self.parts.recombined(states)

    def initial_state(self, observed: Float[Array, "*place observed"]) -> Float[Array, "*place parts"]:
        """The observed parts as they are, the others at rest."""
        return self.parts.initial_state(observed)

    def observe(self, y: Float[Array, "*place parts"]) -> Float[Array, "*place observed"]:
        """The observed parts."""
        return self.parts.observe(y)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
