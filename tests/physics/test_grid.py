import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.physics import PDE, FixedStep, Grid


def test_coordinates():
    grid = Grid({"x": (0.0, 1.0, 5), "y": (0.0, 1.0, 4), "z": [1.0, 1.5, 2.0]}, dict.fromkeys("xyz", "periodic"))
    assert grid.shape == (5, 4, 3)
    np.testing.assert_allclose(grid.coordinates("x"), [0, 0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(Grid({"x": (0.0, 1.0, 5)}, {"x": "neumann"}).coordinates("x"), [0, 0.25, 0.5, 0.75, 1])
    assert grid.spacing("z") == 0.5


def test_ends_of_each_boundary_condition(x64):
    u = jnp.array([1.0, 2.0, 4.0, 7.0])
    ends = {"periodic": (7.0, 1.0), "dirichlet": (0.0, 0.0), ("dirichlet", 3.0): (3.0, 3.0), "neumann": (2.0, 4.0)}
    ends |= {("dirichlet", (3, 5)): (3.0, 5.0)}
    for condition, (before, after) in ends.items():
        grid = Grid({"x": np.array([0.0, 0.5, 1.0, 1.5])}, {"x": condition})
        first = (np.array([2, 4, 7, after]) - np.array([before, 1, 2, 4])) / 1.0
        second = (np.array([2, 4, 7, after]) - 2 * np.asarray(u) + np.array([before, 1, 2, 4])) / 0.25
        np.testing.assert_allclose(grid.derivative(u, "x"), first)
        np.testing.assert_allclose(grid.second_derivative(u, "x"), second)


def test_the_ends_of_one_dimension_are_not_those_of_another(x64):
    held = {"x": "neumann", "y": ("dirichlet", (1.0, 5.0))}
    grid = Grid({"x": (0.0, 2.0, 3), "y": (1.0, 3.0, 3)}, held)
    line = jnp.broadcast_to(jnp.array([2.0, 3.0, 4.0]), (3, 3))
    np.testing.assert_array_equal(grid.laplacian(line), 0)
    np.testing.assert_array_equal(grid.derivative(line, "y"), 1)
    other = grid.with_boundary({"y": "neumann"})
    assert (other.shape, other.starts, other.spacings) == (grid.shape, grid.starts, grid.spacings)
    np.testing.assert_array_equal(other.derivative(line, "y"), [[0, 1, 0]] * 3)
    assert other.with_boundary(held) == grid


def test_a_rod_between_hot_and_cold_becomes_a_straight_line(x64):
    def rest(condition):
        grid = Grid({"x": (0.1, 0.9, 9)}, {"x": condition})
        rod = PDE(lambda t, u, p, grid: grid.laplacian(u), [], grid, solver=FixedStep("rk4", 0.005))
        return rod.simulate(rod.parameters.from_array(jnp.zeros(0)), jnp.zeros(9), np.array([0.0, 4.0]))[-1]

    x = 0.1 * np.arange(1, 10)
    np.testing.assert_allclose(rest(("dirichlet", (100.0, 0.0))), 100 * (1 - x), atol=1e-9)
    # The controls: exchanged ends, and the same at both.
    np.testing.assert_allclose(rest(("dirichlet", (0.0, 100.0))), 100 * x, atol=1e-9)
    np.testing.assert_allclose(rest(("dirichlet", 50.0)), 50.0, atol=1e-9)


@pytest.mark.parametrize("n", [np.int64(20), np.int32(20), np.uint8(20), np.asarray(20)])
def test_the_number_of_nodes_is_any_whole_number(n):
    assert Grid({"x": (0.0, 1.0, n)}, {"x": "neumann"}) == Grid({"x": (0.0, 1.0, 20)}, {"x": "neumann"})


@pytest.mark.parametrize("derivative", ["derivative", "second_derivative"])
def test_second_order_along_its_own_dimension(derivative, x64):
    errors = []
    for n in (16, 32):
        grid = Grid({"x": (0.0, 2 * np.pi, n), "y": (0.0, 1.0, 3)}, {"x": "periodic", "y": "neumann"})
        u = jnp.asarray(np.sin(grid.coordinates("x"))[:, None] * np.ones((1, 3)))
        known = {"derivative": np.cos, "second_derivative": lambda x: -np.sin(x)}[derivative](grid.coordinates("x"))
        errors.append(abs(np.asarray(getattr(grid, derivative)(u, "x"))[:, 1] - known).max())
        np.testing.assert_allclose(getattr(grid, derivative)(u, "y"), 0, atol=1e-12)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)


def test_heat_in_two_dimensions_decays_at_the_known_rate(x64):
    def heat(t, u, p, grid):
        return 0.1 * grid.laplacian(u)

    grid = Grid({"x": (0.0, 2 * np.pi, 24), "y": (0.0, np.pi, 25)}, {"x": "periodic", "y": "neumann"})
    mode = np.sin(grid.coordinates("x"))[:, None] * np.cos(grid.coordinates("y"))[None]
    physics = PDE(heat, [], grid, solver=FixedStep("rk4", 0.02))
    last = physics.simulate(physics.parameters.from_array(jnp.zeros(0)), jnp.asarray(mode), np.array([0.0, 1.0]))[-1]
    hx, hy = grid.spacing("x"), grid.spacing("y")
    rate = -0.1 * ((2 - 2 * np.cos(hx)) / hx**2 + (2 - 2 * np.cos(hy)) / hy**2)
    np.testing.assert_allclose(last, mode * np.exp(rate), atol=1e-9)


@pytest.mark.parametrize(
    ("dims", "boundary", "said"),
    [
        ({"x": (0.0, 1.0, 5)}, {}, r"boundary conditions are given for nothing, and the dimensions are x; each"),
        ({"x": (0.0, 1.0, 5)}, {"x": "open"}, r"dimension 'x': 'open' is no boundary condition; give 'periodic'"),
        ({"x": (0.0, 1.0, 5)}, {"x": ("periodic", 1.0)}, r"\('periodic', 1\.0\) is no boundary condition"),
        ({"x": (0.0, 1.0, 2)}, {"x": "neumann"}, r"dimension 'x' has shape \(2,\); expected at least three nodes"),
        ({"x": [0.0, 1.0, 3.0]}, {"x": "neumann"}, r"distances of the nodes go from 1 to 2; expected increasing"),
        ({"x": [3.0, 2.0, 1.0]}, {"x": "neumann"}, r"distances of the nodes go from -1 to -1; expected increasing"),
        (
            {"x": (0.0, 1.0, 20.0)},
            {"x": "neumann"},
            r"from 1 to 19; .* number of nodes\) the number has to be whole; got 2",
        ),
        ({"x": (0.0, 1.0, -3)}, {"x": "neumann"}, r"expected at least three nodes in a row, got -3\."),
        (
            {"x": ("left", 1.0, 5)},
            {"x": "neumann"},
            r"'x': \('left', 1\.0, 5\) are no coordinates; expected numbers, or",
        ),
        ({"x": (0.0, 1.0, 5)}, {"x": None}, r"dimension 'x': None is no boundary condition; give 'periodic'"),
        ({"x": (0.0, 1.0, 5)}, {"x": ("dirichlet", 1.0, 2.0)}, r"into one pair: \('dirichlet', \(1\.0, 2\.0\)\)\."),
        (
            {"x": (0.0, 1.0, 5)},
            {"x": ("dirichlet", (1.0, 2.0, 3.0))},
            r"\(1\.0, 2\.0, 3\.0\) is neither a finite number, for",
        ),
        (
            {"x": (0.0, 1.0, 5)},
            {"x": ("dirichlet", (1.0, np.nan))},
            r"\(1\.0, nan\) is neither .* two of them, \(left, right",
        ),
        ({"x": (0.0, 1.0, 5)}, {"x": ("dirichlet", "warm")}, r"the boundary value 'warm' is neither a finite number"),
        ({"x y": (0.0, 1.0, 5)}, {"x y": "neumann"}, r"'x y' cannot be the name of a dimension"),
    ],
)
def test_a_grid_that_cannot_be(dims, boundary, said):
    with pytest.raises(ConfigError, match=said):
        Grid(dims, boundary)


def test_fields_and_dimensions_that_are_not_of_the_grid():
    grid = Grid({"x": (0.0, 1.0, 5)}, {"x": "neumann"})
    with pytest.raises(ConfigError, match=r"the grid has no dimension 'y'; its dimensions are x\."):
        grid.derivative(jnp.zeros(5), "y")
    with pytest.raises(ConfigError, match=r"the grid has no dimension 'y'"):
        grid.with_boundary({"y": "neumann"})
    with pytest.raises(ConfigError, match=r"a field of shape \(4,\) is not on this grid, whose shape is \(5,\)"):
        grid.laplacian(jnp.zeros(4))
