"""Regular grids with named dimensions, and second-order finite differences on them."""

import math
from collections.abc import Mapping, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.physics.names import check_names

Axis = tuple[float, float, int] | Sequence[float] | Float[np.ndarray, " n"]
Boundary = str | tuple[str, float]


class Grid(eqx.Module):
    """Nodes at equal distances along one or more named dimensions, with a boundary condition for each.

    **Arguments:**

    - `dims`: for each dimension its coordinates, or `(start, stop, n)` for n of them from start to stop. In a periodic
      dimension stop is the same point as start and no node of its own.
    - `boundary`: for each dimension "periodic"; "neumann", zero slope at the outermost nodes; "dirichlet" or
      `("dirichlet", value)`, this value (0 if not given) one node *outside* of the grid on both sides.

    Derivatives are central differences, of second order in the distance of the nodes.
    Raises `ConfigError` for fewer than three nodes, unequal distances, and unknown dimensions or boundary conditions.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)
    starts: tuple[float, ...] = eqx.field(static=True)
    spacings: tuple[float, ...] = eqx.field(static=True)
    boundaries: tuple[tuple[str, float], ...] = eqx.field(static=True)

    def __init__(self, dims: Mapping[str, Axis], boundary: Mapping[str, Boundary]):
        self.names = tuple(dims)
        check_names(self.names, "dimension")
        if set(boundary) != set(dims):
            raise ConfigError(
                f"boundary conditions are given for {', '.join(boundary) or 'nothing'}, and the dimensions are "
                f"{', '.join(dims) or 'none'}; each dimension needs one, e.g. boundary={{'x': 'periodic'}}."
            )
        self.boundaries = tuple(_boundary(name, boundary[name]) for name in self.names)
        axes = [
            _axis(name, dims[name], kind == "periodic")
            for name, (kind, _) in zip(self.names, self.boundaries, strict=True)
        ]
        self.starts = tuple(start for start, _, _ in axes)
        self.spacings = tuple(spacing for _, spacing, _ in axes)
        self.shape = tuple(n for _, _, n in axes)

    def coordinates(self, dim: str) -> Float[np.ndarray, " n"]:
        """The coordinates of the nodes along this dimension."""
        i = self._number(dim)
        return self.starts[i] + self.spacings[i] * np.arange(self.shape[i])

    def spacing(self, dim: str) -> float:
        """The distance of two neighbouring nodes."""
        return self.spacings[self._number(dim)]

    def derivative(self, u: Float[Array, "*grid"], dim: str) -> Float[Array, "*grid"]:
        """∂u/∂dim by (u[i+1] - u[i-1]) / 2h."""
        before, _, after = self._neighbours(u, dim)
        return (after - before) / (2 * self.spacing(dim))

    def second_derivative(self, u: Float[Array, "*grid"], dim: str) -> Float[Array, "*grid"]:
        """∂²u/∂dim² by (u[i+1] - 2u[i] + u[i-1]) / h²."""
        before, here, after = self._neighbours(u, dim)
        return (after - 2 * here + before) / self.spacing(dim) ** 2

    def laplacian(self, u: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """The sum of the second derivatives along all dimensions."""
        terms = [self.second_derivative(u, dim) for dim in self.names]
        return sum(terms[1:], terms[0])

    def _number(self, dim: str) -> int:
        if dim not in self.names:
            raise ConfigError(f"the grid has no dimension '{dim}'; its dimensions are {', '.join(self.names)}.")
        return self.names.index(dim)

    def _neighbours(self, u: Float[Array, "*grid"], dim: str) -> tuple[Array, Array, Array]:
        """The field one node before, here and one node after."""
        axis = self._number(dim)
        if u.shape != self.shape:
            raise ConfigError(f"a field of shape {u.shape} is not on this grid, whose shape is {self.shape}.")
        kind, value = self.boundaries[axis]
        ends = [(0, 0)] * u.ndim
        ends[axis] = (1, 1)
        if kind == "dirichlet":
            padded = jnp.pad(u, ends, constant_values=value)
        else:
            padded = jnp.pad(u, ends, mode="wrap" if kind == "periodic" else "reflect")
        n = self.shape[axis]
        before, here, after = (padded[(slice(None),) * axis + (slice(shift, shift + n),)] for shift in (0, 1, 2))
        return before, here, after


def _boundary(name: str, given: Boundary) -> tuple[str, float]:
    kind, value = (given, 0.0) if isinstance(given, str) else given
    if kind not in ("periodic", "dirichlet", "neumann") or (kind != "dirichlet" and not isinstance(given, str)):
        raise ConfigError(
            f"dimension '{name}': {given!r} is no boundary condition; give 'periodic', 'dirichlet', "
            "('dirichlet', value) or 'neumann'."
        )
    return kind, float(value)


def _axis(name: str, given: Axis, periodic: bool) -> tuple[float, float, int]:
    """Start, distance and number of the nodes."""
    if isinstance(given, tuple) and len(given) == 3 and isinstance(given[2], int):
        values = np.linspace(given[0], given[1], given[2], endpoint=not periodic)
    else:
        values = np.asarray(given, float)
    if values.ndim != 1 or len(values) < 3:
        raise ConfigError(f"dimension '{name}' has shape {values.shape}; expected at least three nodes in a row.")
    gaps = np.diff(values)
    spacing = (values[-1] - values[0]) / (len(values) - 1)
    if not math.isfinite(spacing) or spacing <= 0 or not np.allclose(gaps, spacing, rtol=1e-4, atol=0):
        raise ConfigError(
            f"dimension '{name}': the distances of the nodes go from {gaps.min():g} to {gaps.max():g}; expected "
            "increasing coordinates at equal distances."
        )
    return float(values[0]), float(spacing), len(values)
