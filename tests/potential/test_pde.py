"""Equations against their closed-form solutions, each with a solution of another equation that must be noticed."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.potential import (
    PDES,
    FokkerPlanck,
    HamiltonJacobi,
    Heat,
    LinearPotential,
    NoPDE,
    ProbabilityFlow,
    UserPDE,
    Wave,
    at_rest,
    free,
    reference,
    squared_residual,
    stationary,
)
from latax.potential.pde import rate

C, D = 1.3, 0.7
WAVEVECTOR = np.array([0.4, -0.9, 0.5])
NORMAL = WAVEVECTOR / np.linalg.norm(WAVEVECTOR)
Z = np.random.default_rng(0).normal(size=(4, 3))
T = np.array([0.1, 0.4, 0.7, 0.95])


def travelling(z, t):
    return jnp.cos(WAVEVECTOR @ z - C * np.linalg.norm(WAVEVECTOR) * t)


def profile(z, t):
    return jnp.exp(-((NORMAL @ z - C * t) ** 2))


def standing(z, t):
    return jnp.sin(C * np.linalg.norm(WAVEVECTOR) * t) * jnp.cos(WAVEVECTOR @ z)


def paraboloid(z, t):
    return 0.35 * jnp.sum(z**2) + 0.35 * C**2 * z.shape[0] * t**2


def pulse(z, t):
    r = jnp.linalg.norm(z)
    return jnp.exp(-((r - C * t) ** 2)) / r


def gaussian(variance):
    def density(z, t):
        v = variance(t)
        return jnp.exp(-0.5 * jnp.sum(z**2) / v) * (2 * jnp.pi * v) ** (-z.shape[0] / 2)

    return density


def widening(t):
    return 1 + 2 * D * t


def relaxing(t):
    return D + (1 - D) * jnp.exp(-2 * t)


def spreading(z, t):
    return -D * jnp.log(gaussian(widening)(z, t))


def settling(z, t):
    return -0.5 * jnp.sum(z**2) - D * jnp.log(gaussian(relaxing)(z, t))


def fan(z, t):
    return jnp.sum(z**2) / (2 * (t + 0.5))


def ray(z, t):
    return WAVEVECTOR @ z - 0.5 * np.sum(WAVEVECTOR**2) * t


def forced(z, t):
    return WAVEVECTOR @ z - (0.5 * np.sum(WAVEVECTOR**2) + 0.09) * t


def nowhere(z):
    return jnp.zeros(())


def travelling_equation(u, z, t, laplacian):
    return rate(u, z, t) + C * jnp.vdot(NORMAL, jax.grad(u)(z, t))


#: name: (equation, its solution, the same equation with a wrong constant)
CASES = {
    "travelling wave": (lambda: Wave(C), travelling, lambda: Wave(1.1 * C)),
    "any profile": (lambda: Wave(-C), profile, lambda: Wave(1.1 * C)),
    "standing wave": (lambda: Wave(C), standing, lambda: Wave(1.1 * C)),
    "paraboloid": (lambda: Wave(C), paraboloid, lambda: Wave(1.1 * C)),
    "spherical pulse": (lambda: Wave(C), pulse, lambda: Wave(1.1 * C)),
    "heat": (lambda: Heat(D), gaussian(widening), lambda: Heat(1.1 * D)),
    "Ornstein-Uhlenbeck": (lambda: FokkerPlanck(D), gaussian(relaxing), lambda: FokkerPlanck(1.1 * D)),
    "Fokker-Planck without drift": (
        lambda: FokkerPlanck(D, nowhere),
        gaussian(widening),
        lambda: FokkerPlanck(D),
    ),
    "flow of the heat": (lambda: ProbabilityFlow(D, nowhere), spreading, lambda: ProbabilityFlow(1.1 * D, nowhere)),
    "flow of Ornstein-Uhlenbeck": (lambda: ProbabilityFlow(D), settling, lambda: ProbabilityFlow(1.1 * D)),
    "fan": (lambda: HamiltonJacobi(), fan, lambda: HamiltonJacobi(factor=0.5 / 3)),
    "ray": (lambda: HamiltonJacobi(), ray, lambda: HamiltonJacobi(factor=0.5 / 3)),
    "forcing": (lambda: HamiltonJacobi(lambda z, t: 0.3 * jnp.ones(())), forced, lambda: HamiltonJacobi()),
    "own": (lambda: UserPDE(travelling_equation), profile, lambda: UserPDE(lambda u, z, t, _: rate(u, z, t))),
}


@pytest.mark.parametrize("name", CASES)
def test_a_solution_has_no_residual_and_another_constant_is_noticed(name, x64):
    make, u, make_wrong = CASES[name]
    residuals = jax.jit(lambda z, t: jax.vmap(lambda z, t: jnp.stack([pde.residual(u, z, t) for pde in pdes]))(z, t))
    pdes = (make(), make_wrong())
    right, wrong = residuals(jnp.asarray(Z), jnp.asarray(T)).T
    np.testing.assert_allclose(right, 0, atol=1e-12)
    assert np.abs(wrong).max() > 1e-3


def test_the_laplacian_is_the_trace_and_not_the_sum_of_rows(x64):
    a = jnp.asarray(np.random.default_rng(1).normal(size=(3, 3)))
    a = a + a.T
    u = lambda z, t: 0.5 * z @ a @ z
    z, t = jnp.asarray(Z[0]), jnp.zeros(())
    np.testing.assert_allclose(Wave(1.0).residual(u, z, t), -jnp.trace(a), atol=1e-12)
    rows = reference.row_sums(lambda z: u(z, t), z)
    np.testing.assert_allclose(rows, a @ np.ones(3), atol=1e-12)
    assert not np.isclose(jnp.mean(rows), jnp.trace(a), atol=0.1)


def test_residuals_do_not_depend_on_the_batch_and_the_published_ones_do(x64):
    z = jr.normal(jr.key(0), (64, 3))
    t = jnp.full(64, 0.3)
    residuals = lambda n: jax.jit(jax.vmap(lambda z, t: Wave(C).residual(standing, z, t)))(z[:n], t[:n])
    np.testing.assert_allclose(residuals(64), 0, atol=1e-12)
    np.testing.assert_allclose(residuals(64)[:1], residuals(1), atol=1e-15)
    published_loss = jax.jit(lambda z: reference.wave_loss(standing, z, t[0], jnp.asarray(C)))
    published = [float(published_loss(z[:n])) for n in (1, 64)]
    # The published loss of an exact solution is far from zero, and grows with the batch.
    assert published[0] > 1e-3
    assert published[1] > 20 * published[0]


def test_a_number_of_dimensions_enters_nowhere(x64):
    # |∇u|² of p·z is |p|², not |p|² / n; and more coordinates that do not matter change nothing.
    wide = lambda z, t: ray(z[:3], t)
    np.testing.assert_allclose(HamiltonJacobi().residual(wide, jnp.ones(9), jnp.zeros(())), 0, atol=1e-14)
    mean = HamiltonJacobi(factor=0.5 / 9).residual(wide, jnp.ones(9), jnp.zeros(()))
    assert abs(float(mean)) > 0.1


def test_the_standing_wave_starts_at_rest_and_the_travelling_one_does_not(x64):
    z = jnp.asarray(Z[0])
    assert at_rest(standing, z) == 0
    assert at_rest(travelling, z) > 1e-3
    assert stationary(standing, z) > 1e-3
    assert stationary(lambda z, t: jnp.sum(z) * t**2, z) == 0
    assert free(travelling, z) == 0
    # Then the first explicit step does nothing, and the wave is set in motion by its rate of change alone.
    assert not jax.grad(standing)(z, jnp.zeros(())).any()
    assert jax.grad(standing)(z, jnp.asarray(0.1)).any()


def test_a_constant_meets_every_equation_and_condition(x64):
    # Why guidance is needed at all.
    still = lambda z, t: jnp.ones(())
    z, t = jnp.asarray(Z[0]), jnp.asarray(0.3)
    for pde in (Wave(C), Heat(D), ProbabilityFlow(D), HamiltonJacobi(), NoPDE()):
        assert pde.residual(still, z, t) == 0
    assert at_rest(still, z) == 0
    # As a straight line meets the wave equation.
    line = LinearPotential(jnp.asarray(WAVEVECTOR))
    assert Wave(C).residual(line, z, t) == 0
    assert HamiltonJacobi().residual(line, z, t) != 0


def test_a_square_from_probes_is_unbiased(x64):
    u = lambda z, t: z[0] * z[1] + jnp.sin(z[1] * z[2]) + z[2] ** 2 + t**2
    z, t = jnp.asarray(Z[0]), jnp.asarray(0.2)
    exact = squared_residual(Wave(C), u, z, t)
    keys = jr.split(jr.key(0), 20_000)
    products = jax.jit(jax.vmap(lambda k: squared_residual(Wave(C), u, z, t, probes=1, key=k)))(keys)
    error = 4 * products.std() / len(keys) ** 0.5
    assert abs(products.mean() - exact) < error
    # Negative control: the square of one estimate is too large by its variance.
    trace = lambda key: lambda f, z: jnp.vdot(s := jr.rademacher(key, (3,), float), jax.hessian(f)(z) @ s)
    squares = jax.jit(jax.vmap(lambda k: Wave(C).residual(u, z, t, trace(k)) ** 2))(keys)
    assert squares.mean() - exact > error


def test_exact_up_to_64_coordinates_and_probes_above():
    u = lambda z, t: jnp.sum(z**3) * z[0] + t**3
    t = jnp.asarray(0.2)
    for n, random in ((64, False), (65, True)):
        z = jnp.linspace(-1.0, 1.0, n)
        square = jax.jit(lambda z, key: squared_residual(Wave(1.0), u, z, t, key=key))
        values = [float(square(z, jr.key(i))) for i in range(2)]
        assert (values[0] != values[1]) == random
    with pytest.raises(ConfigError, match=r"The Laplacian in 65 dimensions is estimated .* Pass key="):
        squared_residual(Wave(1.0), u, z, t)
    with pytest.raises(ConfigError, match=r"probes=-1: expected a number of random directions"):
        squared_residual(Wave(1.0), u, z, t, probes=-1)
    assert squared_residual(HamiltonJacobi(), u, z, t) > 0


def test_the_wave_speed_can_be_trained(x64):
    z, t = jnp.asarray(Z[0]), jnp.asarray(0.3)
    loss = lambda c: squared_residual(Wave(c), travelling, z, t)
    assert jax.grad(loss)(jnp.asarray(1.1 * C)) > 1e-3
    np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(C)), 0, atol=1e-12)


@pytest.mark.parametrize("make", [Heat, FokkerPlanck, ProbabilityFlow])
def test_no_step_makes_a_diffusivity_negative(make, x64):
    pde = make(0.01)
    pushed = eqx.tree_at(lambda pde: pde.root, pde, pde.root - 0.3)
    assert float(pde.diffusivity) == pytest.approx(0.01)
    assert float(pushed.diffusivity) == pytest.approx((0.1 - 0.3) ** 2)
    with pytest.raises(ConfigError, match=r"diffusivity=-0\.1: expected zero or more"):
        make(-0.1)


def test_every_name_makes_an_equation():
    for name, make in PDES.items():
        assert make().order in (0, 1, 2), name


def test_an_own_equation_is_of_one_point():
    wrong = UserPDE(lambda u, z, t, laplacian: jax.grad(u)(z, t))
    with pytest.raises(ConfigError, match=r"returns an array of shape \(3,\) for one point; expected one number"):
        wrong.residual(fan, jnp.ones(3), jnp.ones(()))
