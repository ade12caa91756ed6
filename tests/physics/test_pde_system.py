"""Two fields that turn into one another and diffuse, whose Fourier modes are known, and what a system cannot be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from latax._errors import ConfigError
from latax.physics import PDE, FixedStep, Grid, Parameter, PDESystem

RATE = [Parameter("rate", 0.0, 1.0)]
SPREAD = (0.3, 0.1)
END = 0.8
START = np.array([1.0, -0.4])


def exchange(t, u, p, grid):
    turned = p.rate * u.a - 0.5 * u.b
    return SPREAD[0] * grid.laplacian(u.a) - turned, SPREAD[1] * grid.laplacian(u.b) + turned


def mode(squared_wave_number, spread=SPREAD):
    """What the two amplitudes have become at the end, with the rate 0.7."""
    reaction = np.array([[-0.7, 0.5], [0.7, -0.5]])
    return expm(END * (reaction - squared_wave_number * np.diag(spread))) @ START


def amplitudes(n, step):
    """Those that the simulation finds, from a first sine of `a` that is seen and of `b` at rest."""
    grid = Grid({"x": (0.0, 2 * np.pi, n)}, {"x": "periodic"})
    sine = np.sin(grid.coordinates("x"))
    physics = PDESystem(
        exchange, RATE, grid, ["a", "b"], observed=["a"], rest={"b": START[1] * sine}, solver=FixedStep("rk4", step)
    )
    params = physics.parameters.from_array(jnp.array([0.7]))
    y0 = physics.initial_state(jnp.asarray(START[0] * sine[:, None]))
    states = physics.trajectory(params, y0, np.array([0.0, END]))
    np.testing.assert_array_equal(states[..., :1], physics.simulate(params, y0, np.array([0.0, END])))
    found = sine @ np.asarray(states[-1]) / (sine @ sine)
    np.testing.assert_allclose(states[-1], sine[:, None] * found, atol=1e-12)  # It stays a mode.
    return found


def test_fourth_order_in_time_towards_the_mode_of_the_grid(x64):
    h = 2 * np.pi / 8
    known = mode((2 - 2 * np.cos(h)) / h**2)
    errors = [abs(amplitudes(8, step) - known).max() for step in (0.1, 0.05, 0.01)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.2)
    assert errors[2] < 1e-9


def test_second_order_in_space_towards_the_mode_of_the_continuum(x64):
    errors = [abs(amplitudes(n, 0.02) - mode(1.0)).max() for n in (16, 32)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)
    # The control: fields exchanged.
    assert abs(amplitudes(32, 0.02) - mode(1.0, SPREAD[::-1])).max() > 20 * errors[1]


def test_fields_are_named_and_seen_in_the_order_that_is_asked_for(x64):
    grid = Grid({"x": (0.0, 1.0, 3), "y": (0.0, 1.0, 4)}, {"x": "neumann", "y": "neumann"})
    physics = PDESystem(
        lambda t, u, p, grid: (jnp.zeros_like(u.a), jnp.ones_like(u.b), -u.c),
        [],
        grid,
        ["a", "b", "c"],
        observed=["c", "a"],
        corrected=["b"],
        rest={"b": 2.0},
    )
    assert (physics.sample_shape, physics.state_shape, physics.correction_shape) == ((3, 4, 2), (3, 4, 3), (3, 4, 1))
    assert physics.fields == ("a", "b", "c")
    assert physics.initial_names[:4] == ("initial_a0_0", "initial_b0_0", "initial_c0_0", "initial_a0_1")
    observed = jnp.arange(24.0).reshape(3, 4, 2)
    y = physics.initial_state(observed)
    np.testing.assert_array_equal(y[..., 1], 2)
    np.testing.assert_array_equal(y[..., [2, 0]], observed)
    np.testing.assert_array_equal(physics.observe(y), observed)
    place = jnp.arange(12.0).reshape(3, 4, 1)
    corrected = physics.rate(jnp.array(0.0), y, (), lambda t, y: place)
    np.testing.assert_array_equal(corrected, jnp.stack([0 * y[..., 0], 1 + place[..., 0], -y[..., 2]], axis=-1))
    np.testing.assert_array_equal(physics.corrected_rate(jnp.array(0.0), y, ()), 1)


def test_fields_have_boundaries_of_their_own(x64):
    def still(t, u, p, grid):
        return grid.laplacian(u.line), grid.with_boundary({"x": "neumann"}).laplacian(u.level)

    grid = Grid({"x": (1.0, 4.0, 4)}, {"x": ("dirichlet", (0.0, 5.0))})
    physics = PDESystem(still, [], grid, ["line", "level"])
    y = jnp.stack([jnp.arange(1.0, 5.0), jnp.full(4, 7.0)], axis=-1)
    np.testing.assert_array_equal(physics.rate(jnp.array(0.0), y, ()), 0)
    assert abs(np.asarray(physics.rate(jnp.array(0.0), y[:, ::-1], ()))).max() > 1


def test_fields_are_put_together_anew():
    physics = PDESystem(exchange, RATE, Grid({"x": (0.0, 1.0, 3)}, {"x": "periodic"}), ["a", "b"])
    times = jnp.broadcast_to(jnp.arange(20.0)[:, None, None], (20, 3, 2))
    found = np.asarray(physics.recombined(times))
    np.testing.assert_array_equal(found, found[:, :1].repeat(3, axis=1))  # A field stays whole,
    assert (found[..., 0] != found[..., 1]).any()  # beside others of other times.
    np.testing.assert_array_equal(np.sort(found[:, 0], axis=0), times[:, 0])


GRID = Grid({"x": (0.0, 1.0, 4)}, {"x": "periodic"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"fields": []}, r"a PDESystem needs at least one field"),
        ({"fields": "prey"}, r"fields='prey' is a text; expected a list of names: fields=\['prey'\]"),
        ({"fields": ["a", "a"]}, r"there are two fields with the name 'a'"),
        ({"observed": ["c"]}, r"observed: there is no field 'c'; the fields are a, b"),
        ({"observed": []}, r"observed is empty; at least one field has to be seen"),
        ({"corrected": ["b", "b"]}, r"corrected: the field 'b' is given twice"),
        ({"rest": {"c": 1.0}}, r"rest: there is no field 'c'"),
        ({"rest": {"a": np.zeros(3)}}, r"'a' begins with an array of shape \(3,\); .* array of such of shape \(4,\)\."),
        ({"rest": {"a": np.inf}}, r"rest: the field 'a' begins with inf; expected a finite number"),
        ({"rest": {"a": "low"}}, r"rest: 'low' of the field 'a' is no number"),
    ],
)
def test_a_system_that_cannot_be(arguments, said):
    with pytest.raises(ConfigError, match=said):
        PDESystem(exchange, RATE, GRID, **{"fields": ["a", "b"], **arguments})


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda t, u, p, grid: (u.a,), r"gave 1 rates of change; expected 2, those of a, b\."),
        (lambda t, u, p, grid: {"a": u.a}, r"gave dict; expected the rates of change of a, b"),
        (lambda t, u, p, grid: (u.a, u.b[1:]), r"change of 'b', gave an array of shape \(3,\); expected \(4,\)"),
        (lambda t, u, p, grid: (u.a, p.rate), r"change of 'b', gave an array of shape \(\); expected \(4,\)"),
        (lambda t, u, p, grid: (u.a, np.sin(u.b)), r"cannot be compiled: .* jax\.numpy instead of numpy"),
    ],
)
def test_a_function_with_the_wrong_result(function, said):
    physics = PDESystem(function, RATE, GRID, ["a", "b"])
    params = physics.parameters.from_normal(jnp.zeros(1))
    with pytest.raises(ConfigError, match=r"the function '<lambda>' .*" + said):
        jax.eval_shape(lambda y: physics.rate(jnp.array(0.0), y, params), jnp.zeros((4, 2)))


def test_one_field_has_one_rate():
    physics = PDE(lambda t, u, p, grid: (u, u), RATE, GRID)
    with pytest.raises(ConfigError, match=r"gave 2 arrays; expected one of shape \(4,\): .* fields=\['u', 'v'\]"):
        physics.rate(jnp.array(0.0), jnp.zeros(4), physics.parameters.from_normal(jnp.zeros(1)))
