"""Physics given by a formula, without time: profiles, spectra, images."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.physics.names import function_name
from latax.physics.own_function import called
from latax.physics.parameter import Parameter
from latax.physics.physics import AbstractPhysics, Correction
from latax.physics.space import ParameterSpace, Params


@dataclasses.dataclass(frozen=True, eq=False)
class Coordinates:
    """Arrays that belong to the formula. As leaves of a tree they would count as something to be trained."""

    arrays: Any


class ClosedForm(AbstractPhysics):
    """x = function(coordinates, p).

    ```python
    def decay(t, p):
        return p.height * jnp.exp(-t / p.lifetime)

    physics = ClosedForm(
        decay,
        parameters=[Parameter("height", 0.0, 2.0), Parameter("lifetime", 0.1, 10.0, unit="s", prior="loguniform")],
        coordinates=np.linspace(0.0, 5.0, 60),
    )
    ```

    **Arguments:**

    - `function`: `(coordinates, p) -> x`, written with `jax.numpy`; `p` is a named tuple of numbers.
    - `parameters`: what differs from sample to sample.
    - `coordinates`: an array, or a tuple or dictionary of arrays, given to the function as it is.

    `sample_shape` is the shape of what the function gives. Raises `ConfigError` when that is not one array.
    """

    function: Callable[[Any, Params], Any]
    parameters: ParameterSpace
    coordinates: Coordinates = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, function: Callable[[Any, Params], Any], parameters: Sequence[Parameter], coordinates: Any):
        self.function = function
        self.parameters = ParameterSpace(parameters)
        self.coordinates = Coordinates(jax.tree.map(np.asarray, coordinates))
        at_centre = jax.ShapeDtypeStruct((self.parameters.size,), jnp.zeros(0).dtype)
        self.shape = jax.eval_shape(lambda v: self._evaluate(self.parameters.from_normal(v)), at_centre).shape

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of what the function gives."""
        return self.shape

    @property
    def has_time(self) -> bool:
        """False."""
        return False

    def simulate(
        self,
        params: Params,
        y0: Float[Array, "*state"] | None = None,
        ts: Float[Array | np.ndarray, " T"] | None = None,
        correction: Correction | None = None,
    ) -> Float[Array, "*sample"]:
        """The sample with these parameters. Raises `ConfigError` when it is given what belongs to physics in time."""
        if y0 is not None or ts is not None or correction is not None:
            raise ConfigError(
                "a closed form has no time: it takes the parameters alone. "
                "What it does not know is added to its result, outside."
            )
        return self._evaluate(params)

    def _evaluate(self, params: Params) -> Float[Array, "*sample"]:
        dtype = jnp.result_type(*params) if len(params) else jnp.zeros(0).dtype
        coordinates = jax.tree.map(lambda array: jnp.asarray(array, dtype), self.coordinates.arrays)
        result = called(self.function, coordinates=coordinates, p=params)
        if isinstance(result, np.ndarray | np.generic | float | int):
            raise ConfigError(
                f"the function '{function_name(self.function)}' of the physics gave a {type(result).__name__} of NumPy "
                "or Python, in which JAX cannot see how it depends on the parameters. Compute it from p with jax.numpy."
            )
        if not isinstance(result, jax.Array):
            raise ConfigError(
                f"the function '{function_name(self.function)}' of the physics gave {type(result).__name__}; "
                "expected one array."
            )
        return result
