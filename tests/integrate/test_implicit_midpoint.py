import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.integrate import FixedStep, ImplicitMidpoint

TS = np.linspace(0.0, 1.0, 3)


def pendulum(t, y):
    return jnp.stack([y[1], -jnp.sin(y[0]) + 0.1 * jnp.cos(t)])


def there_and_back(solver, y0):
    end = solver.solve(pendulum, y0, TS)[-1]
    back = solver.solve(lambda s, y: -pendulum(1.0 - s, y), end, TS)[-1]
    return end, back


def test_the_way_back_is_the_inverse_of_coarse_steps(x64):
    y0 = jnp.array([1.0, 0.5])
    exact, _ = there_and_back(FixedStep(substeps=200), y0)
    end, back = there_and_back(ImplicitMidpoint(2), y0)
    assert jnp.abs(end - exact).max() > 1e-3
    np.testing.assert_allclose(back, y0, atol=1e-14)
    # Negative control: explicit steps of the same length and order do not come back.
    assert jnp.abs(there_and_back(FixedStep("midpoint", substeps=2), y0)[1] - y0).max() > 1e-4


def test_its_order_is_two(x64):
    y0 = jnp.array([1.0, 0.5])
    exact = FixedStep(substeps=500).solve(pendulum, y0, TS)
    errors = [jnp.abs(ImplicitMidpoint(n).solve(pendulum, y0, TS) - exact).max() for n in (4, 8, 16)]
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / np.array(errors[1:])), 2, atol=0.1)


def test_its_derivative_is_that_of_fine_steps(x64):
    last = lambda solver: lambda y: solver.solve(pendulum, y, TS)[-1, 0]
    found = jax.grad(last(ImplicitMidpoint(64)))(jnp.array([1.0, 0.5]))
    wanted = jax.grad(last(FixedStep(substeps=64)))(jnp.array([1.0, 0.5]))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_an_equation_that_is_not_solved_is_not_finite(x64):
    stiff = lambda t, y: -1e3 * y
    assert np.isnan(ImplicitMidpoint(1).solve(stiff, jnp.ones(1), TS)[-1]).all()
    assert np.isfinite(ImplicitMidpoint(1000).solve(stiff, jnp.ones(1), TS)[-1]).all()
    assert ImplicitMidpoint().solve(stiff, jnp.ones(1), TS[:1]).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ImplicitMidpoint(0), r"substeps = 0, max_iterations = 100: expected whole numbers from 1 on"),
        (lambda: ImplicitMidpoint(tolerance=0.0), r"tolerance = 0\.0: expected a positive number, or None"),
    ],
)
def test_a_solver_that_cannot_be(make, said):
    with pytest.raises(ConfigError, match=said):
        make()
