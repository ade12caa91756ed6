"""All parameters of a physics together."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from latax._errors import ConfigError, DataError
from latax.physics.names import check_names, tuple_class
from latax.physics.parameter import Parameter

#: What the verbs of models call their own arguments, beside which they take parameters by name.
RESERVED = ("X", "times", "self")

Params = Any  # A named tuple of numbers, one per parameter: `p.omega`.


class ParameterSpace(eqx.Module):
    """A tuple of parameters, and the map of their unconstrained coordinates v (size,) to their values.

    Values come as a named tuple with one number per parameter, so that a physics function can say `p.omega`; `as_array`
    and `from_array` exchange it for an array (k,), k the number of parameters. `size` is k plus the number of circular
    parameters. Raises `ConfigError` when two parameters have the same name, and for names that verbs of
    models have taken.
    """

    parameters: tuple[Parameter, ...]

    def __init__(self, parameters: Sequence[Parameter]):
        self.parameters = tuple(parameters)
        check_names(self.names, "parameter")
        for name in RESERVED:
            if name in self.names:
                raise ConfigError(
                    f"a parameter cannot be named '{name}': in `intervene(X, times=..., {name}=...)` the name is "
                    "taken. Choose another."
                )

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        return self.parameters[self.names.index(name)]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def size(self) -> int:
        """The number of unconstrained coordinates."""
        return sum(parameter.size for parameter in self.parameters)

    @property
    def std(self) -> Float[np.ndarray, " k"]:
        """The standard deviations of the priors, each in its parameter's unit."""
        return np.array([parameter.std for parameter in self.parameters], float)

    def from_normal(self, v: Float[Array, " size"]) -> Params:
        """The values with these coordinates; their law is the prior when v is standard normal."""
        return self._params([parameter.from_normal(piece) for parameter, piece in self._pieces(v)])

    def to_normal(self, params: Params) -> Float[Array, " size"]:
        """Coordinates of these values: the inverse of `from_normal`; NaN where a value is outside of its bounds."""
        if not self.parameters:
            return jnp.zeros(0)
        return jnp.concatenate([p.to_normal(value) for p, value in zip(self.parameters, params, strict=True)])

    def canonical(self, v: Float[Array, " size"]) -> Float[Array, " size"]:
        """Of all coordinates of the same values, those that `to_normal` gives: what is a function of them is a function
        of the values."""
        return jnp.concatenate([p.canonical(piece) for p, piece in self._pieces(v)]) if self.parameters else v

    def moved(self, v: Float[Array, " size"], steps: Float[Array, " k"]) -> Float[Array, " size"]:
        """The coordinates of values that are so many standard deviations of their priors away, as coordinates count
        them; of angles, as turns do."""
        pieces = zip(self._pieces(v), steps, strict=True)
        return jnp.concatenate([p.moved(piece, step) for (p, piece), step in pieces]) if self.parameters else v

    def sample(self, key: PRNGKeyArray) -> Params:
        """A draw from the prior."""
        return self.from_normal(jr.normal(key, (self.size,)))

    def as_array(self, params: Params) -> Float[Array, " k"]:
        """The values as an array, in the order of `names`."""
        return jnp.stack(list(params)) if self.parameters else jnp.zeros(0)

    def from_array(self, values: Float[Array, " k"]) -> Params:
        """The named tuple of the values in an array, in the order of `names`."""
        return self._params([values[i] for i in range(len(self))])

    def check(self, values: Float[Array | np.ndarray, "*batch k"]) -> None:
        """Raise `DataError` naming a parameter and a value of it that is outside of its bounds."""
        if np.shape(values)[-1] != len(self):
            raise DataError(
                f"{np.shape(values)[-1]} parameter values were given; expected {len(self)}: {', '.join(self.names)}."
            )
        for i, parameter in enumerate(self.parameters):
            parameter.check(np.asarray(values)[..., i])

    def within(self, values: Float[np.ndarray, "*batch k"]) -> Float[np.ndarray, "*batch k"]:
        """The values after `check`, those that rounding has carried beyond a bound at the bound."""
        self.check(values)
        return np.clip(values, [p.lower for p in self.parameters], [p.upper for p in self.parameters])

    def _pieces(self, v: Float[Array, " size"]) -> list[tuple[Parameter, Float[Array, " _"]]]:
        """Each parameter with its coordinates."""
        starts = np.cumsum([0, *(parameter.size for parameter in self.parameters)])
        return [(p, v[i:j]) for p, i, j in zip(self.parameters, starts[:-1], starts[1:], strict=True)]

    def _params(self, values: Sequence[Array]) -> Params:
        return tuple_class("Params", self.names)(*values)
