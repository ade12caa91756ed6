import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from latax.physics import FixedStep, advection_diffusion

A, B, T = 0.05, 0.08, 0.98


def solve(initial, a, b, *, ts=(0.0, T), solver=None, **grid):
    physics = advection_diffusion(advection=True, solver=solver or FixedStep("rk4", 1e-3), **grid)
    params = physics.parameters.from_array(jnp.array([a, b]))
    return np.asarray(physics.simulate(params, jnp.asarray(initial), np.asarray(ts)))


def system(a, b, n=20, ds=0.1):
    sub, sup = a / ds**2 + b / (2 * ds), a / ds**2 - b / (2 * ds)
    return np.diag(np.full(n, -2 * a / ds**2)) + np.diag(np.full(n - 1, sub), -1) + np.diag(np.full(n - 1, sup), 1)


def test_system_matrix_and_its_eigenvalues(x64):
    physics = advection_diffusion(advection=True)
    params = physics.parameters.from_array(jnp.array([A, B]))
    matrix = np.asarray(jax.jacfwd(lambda u: physics.rate(jnp.array(0.0), u, params))(jnp.zeros(20)))
    np.testing.assert_allclose(matrix, system(A, B), atol=1e-12)
    assert abs(matrix - system(A, -B)).max() > 0.1
    sub, sup = A / 0.01 + B / 0.2, A / 0.01 - B / 0.2
    known = -2 * A / 0.01 + 2 * np.sqrt(sub * sup) * np.cos(np.arange(1, 21) * np.pi / 21)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(matrix).real), np.sort(known), atol=5e-13)


def test_decay_of_the_first_mode(x64):
    mode = np.sin(np.pi * np.arange(1, 21) / 21)
    factor = solve(mode, A, 0.0)[-1] / mode
    np.testing.assert_allclose(factor, 0.8963198960, atol=1e-9)
    euler = solve(mode, A, 0.0, solver=FixedStep("euler", 0.01))[-1] / mode
    np.testing.assert_allclose(euler, 0.8962650668, atol=1e-9)


def test_second_order_towards_the_continuum(x64):
    errors = []
    for n, ds in [(20, 0.1), (41, 0.05), (83, 0.025)]:
        s = ds * np.arange(1, n + 1)
        profile = np.exp(B * s / (2 * A)) * np.sin(np.pi * s / 2.1)
        exact = profile * np.exp(-(A * np.pi**2 / 2.1**2 + B**2 / (4 * A)) * T)
        errors.append(abs(solve(profile, A, B, nodes=n, spacing=ds)[-1] - exact).max())
    np.testing.assert_allclose(errors, [1.613e-3, 4.040e-4, 1.011e-4], rtol=1e-3)


def test_reference_state_has_the_right_sign(x64):
    initial = np.sin(np.pi * 0.1 * np.arange(20) / 1.9)
    final = solve(initial, A, B)[-1]
    np.testing.assert_allclose(final, expm(system(A, B) * T) @ initial, atol=1e-10)
    right = [0.07768872, 0.57968151, 0.87437151, 0.63029051, 0.15276134]
    wrong = [0.15276134, 0.71888427, 0.85617068, 0.47650424, 0.07768872]
    np.testing.assert_allclose(final[[0, 5, 10, 15, 19]], right, atol=1e-8)
    np.testing.assert_allclose(solve(initial, A, -B)[-1][[0, 5, 10, 15, 19]], wrong, atol=1e-8)


def test_the_maximum_falls_and_warmth_drifts_with_the_flow(x64):
    s = 0.1 * np.arange(20)
    ts = np.linspace(0, 2, 11)
    field = solve(np.sin(np.pi * s / 1.9), 0.05, 0.02, ts=ts)
    assert (np.diff(field.max(axis=1)) < 0).all()
    assert (np.diff(field.sum(axis=1)) < 0).all()
    drift = [np.diff(solve(np.sin(np.pi * s / 1.9), A, b, ts=ts) @ s) > 0 for b in (0.08, -0.08)]
    assert drift[0][0]
    assert not drift[1][0]


@pytest.mark.parametrize(("step", "stable"), [(0.0245, True), (0.0275, False)])
def test_the_largest_step_of_euler(step, stable, x64):
    rough = np.where(np.arange(20) % 2, 1.0, -1.0)
    last = solve(rough, 0.2, 0.0, ts=step * np.arange(400), solver=FixedStep("euler", step))[-1]
    assert (abs(last).max() < 1.0) == stable


def test_only_diffusion_is_known_by_default():
    assert advection_diffusion().parameters.names == ("diffusion",)
    assert advection_diffusion().sample_shape == (20,)
