"""Regular grids with named dimensions, and second-order finite differences on them."""

import math
import operator
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from latax._errors import ConfigError
from latax.physics.names import check_names

_BOUNDARIES = "'periodic', 'neumann', 'dirichlet', ('dirichlet', value) or ('dirichlet', (left, right))"


class Grid(eqx.Module):
    """Nodes at equal distances along one or more named dimensions, with a boundary condition for each.

    **Arguments:**

    - `dims`: for each dimension its coordinates, or `(start, stop, n)` for n of them, a whole number, from start to
      stop. In a periodic dimension stop is the same point as start and no node of its own.
    - `boundary`: for each dimension "periodic"; "neumann", zero slope at the outermost nodes; "dirichlet" or
      `("dirichlet", value)`, this value (0 if not given) one node *outside* of the grid on both sides, or
      `("dirichlet", (left, right))`, the first before the first node and the second after the last.

    So a rod from 0 to L whose ends are held at 100 and 0 has n nodes within: `Grid({"x": (h, L - h, n)}, {"x":
    ("dirichlet", (100.0, 0.0))})` with h = L / (n + 1). Derivatives are central differences, of second order in the
    distance of the nodes.
    Raises `ConfigError` for fewer than three nodes, unequal distances, and unknown dimensions or boundary conditions.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)
    starts: tuple[float, ...] = eqx.field(static=True)
    spacings: tuple[float, ...] = eqx.field(static=True)
    boundaries: tuple[tuple[str, tuple[float, float]], ...] = eqx.field(static=True)

    def __init__(self, dims: Mapping[str, Any], boundary: Mapping[str, Any]):
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

    def with_boundary(self, boundary: Mapping[str, Any]) -> "Grid":
        """The same nodes with other boundary conditions in these dimensions, such as for another field.

        Raises `ConfigError` for unknown dimensions or boundary conditions.
        """
        for dim in boundary:
            self._number(dim)
        pairs = zip(self.names, self.boundaries, strict=True)
        present = {name: given if given[0] == "dirichlet" else given[0] for name, given in pairs}
        return Grid({name: self.coordinates(name) for name in self.names}, {**present, **boundary})

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
        kind, (left, right) = self.boundaries[axis]
        ends = [(0, 0)] * u.ndim
        ends[axis] = (1, 1)
        if kind == "dirichlet" and left == right:
            padded = jnp.pad(u, ends, constant_values=left)
        elif kind == "dirichlet":
            values = [(0.0, 0.0)] * u.ndim
            values[axis] = (left, right)
            padded = jnp.pad(u, ends, constant_values=values)
        else:
            padded = jnp.pad(u, ends, mode="wrap" if kind == "periodic" else "reflect")
        n = self.shape[axis]
        before, here, after = (padded[(slice(None),) * axis + (slice(shift, shift + n),)] for shift in (0, 1, 2))
        return before, here, after


def _boundary(name: str, given: Any) -> tuple[str, tuple[float, float]]:
    """The kind of boundary condition and the values on either side, which only "dirichlet" has a use for."""
    if isinstance(given, str) and given in ("periodic", "neumann", "dirichlet"):
        return given, (0.0, 0.0)
    if not isinstance(given, tuple | list) or len(given) != 2 or given[0] != "dirichlet":
        pair = isinstance(given, tuple | list) and len(given) == 3 and given[0] == "dirichlet"
        hint = f" Put the values of both sides into one pair: ('dirichlet', {tuple(given[1:])})." if pair else ""
        raise ConfigError(f"dimension '{name}': {given!r} is no boundary condition; give {_BOUNDARIES}.{hint}")
    try:
        values = np.asarray(given[1], float)
    except (TypeError, ValueError):
        values = np.array(math.nan)
    if values.shape not in ((), (2,)) or not np.isfinite(values).all():
        raise ConfigError(
            f"dimension '{name}': the boundary value {given[1]!r} is neither a finite number, for both sides, nor two "
            f"of them, (left, right). Give {_BOUNDARIES}."
        )
    left, right = np.broadcast_to(values, 2).tolist()
    return "dirichlet", (left, right)


def _axis(name: str, given: Any, periodic: bool) -> tuple[float, float, int]:
    """Start, distance and number of the nodes."""
    count = _count(given)
    try:
        values = np.asarray(given[:2] if count is not None else given, float)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"dimension '{name}': {given!r} are no coordinates; expected numbers, or (start, stop, number of nodes)."
        ) from error
    if count is not None:
        values = np.linspace(*values, max(count, 0), endpoint=not periodic)
    if values.ndim != 1 or len(values) < 3:
        got = "" if count is None else f", got {count}"
        raise ConfigError(f"dimension '{name}' has shape {values.shape}; expected at least three nodes in a row{got}.")
    gaps = np.diff(values)
    spacing = (values[-1] - values[0]) / (len(values) - 1)
    if not math.isfinite(spacing) or spacing <= 0 or not np.allclose(gaps, spacing, rtol=1e-4, atol=0):
        whole = isinstance(given, tuple) and len(given) == 3 and count is None
        hint = f" As (start, stop, number of nodes) the number has to be whole; got {given[2]!r}." if whole else ""
        raise ConfigError(
            f"dimension '{name}': the distances of the nodes go from {gaps.min():g} to {gaps.max():g}; expected "
            f"increasing coordinates at equal distances.{hint}"
        )
    return float(values[0]), float(spacing), len(values)


def _count(given: Any) -> int | None:
    """The number of nodes of (start, stop, number), any whole number; None of coordinates."""
    if not isinstance(given, tuple) or len(given) != 3:
        return None
    try:
        return operator.index(given[2])
    except TypeError:
        return None
