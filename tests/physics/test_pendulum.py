import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ellipk

from latax.physics import Adaptive, FixedStep, pendulum

ACCURATE = Adaptive(1e-12, 1e-12, method="dopri5", max_steps=20_000)
TS = np.array([0.0, 0.5, 1.0, 2.45])


def solve(physics, values, angle, ts=TS):
    params = physics.parameters.from_array(jnp.array(values))
    return np.asarray(physics.trajectory(params, physics.initial_state(jnp.array([angle])), np.asarray(ts)))


@pytest.mark.parametrize(
    ("omega", "angle", "period"), [(2.0, 1.0, 3.349987832), (2.0, 0.1, 3.143557275), (3.0, 1.5, 2.433621647)]
)
def test_period(omega, angle, period, x64):
    assert 4 * ellipk(np.sin(angle / 2) ** 2) / omega == pytest.approx(period, abs=1e-9)
    back, early = solve(pendulum(solver=ACCURATE), [omega], angle, [0.0, period, 1.01 * period])[1:]
    np.testing.assert_allclose(back, [angle, 0.0], atol=1e-7)
    assert abs(early[1]) > 1e-3


def test_energy_without_friction_is_kept(x64):
    ys = solve(pendulum(solver=ACCURATE), [2.0], 1.0)
    assert ys[-1, 0] == pytest.approx(-0.119527361, abs=1e-9)
    energy = 0.5 * ys[:, 1] ** 2 + 4 * (1 - np.cos(ys[:, 0]))
    assert np.ptp(energy) < 1e-9
    coarse = solve(pendulum(solver=FixedStep("rk4")), [2.0], 1.0)
    assert np.ptp(0.5 * coarse[:, 1] ** 2 + 4 * (1 - np.cos(coarse[:, 0]))) > 1e-3


def test_friction(x64):
    angles = solve(pendulum(damping=True, solver=ACCURATE), [2.0, 0.5], 1.0)[1:, 0]
    np.testing.assert_allclose(angles, [0.631008305, -0.128678860, -0.094854613], atol=1e-9)


def test_force(x64):
    physics = pendulum(damping=True, forcing=True, solver=ACCURATE)
    angles = solve(physics, [2.0, 0.4, 20.0, 4.0], 0.5)[1:, 0]
    np.testing.assert_allclose(angles, [0.224409604, -0.284397352, -0.036814226], atol=1e-9)
    other = solve(physics, [2.0, 0.4, 20.0, 4.01], 0.5)[1:, 0]
    assert abs(other - angles).max() > 1e-4


def test_small_angles_swing_harmonically(x64):
    omega, gamma, start = 2.0, 0.5, 1e-3
    ts = np.linspace(0, 2.45, 20)
    damped = np.sqrt(omega**2 - gamma**2 / 4)
    known = start * np.exp(-gamma * ts / 2) * (np.cos(damped * ts) + gamma / (2 * damped) * np.sin(damped * ts))
    physics = pendulum(damping=True, solver=ACCURATE)
    assert abs(solve(physics, [omega, gamma], start, ts)[:, 0] - known).max() < 2e-7 * start
    assert abs(solve(physics, [omega, gamma], 100 * start, ts)[:, 0] - 100 * known).max() > 2e-7 * 100 * start


def test_steady_amplitude_of_the_forced_linear_pendulum(x64):
    omega, gamma, frequency, force = 2.0, 0.8, 0.5, 1e-4
    drive = 2 * np.pi * frequency
    expected = force * omega**2 / np.hypot(omega**2 - drive**2, gamma * drive)
    ts = np.concatenate([[0.0], np.linspace(40, 44, 400)])
    physics = pendulum(damping=True, forcing=True, solver=FixedStep("rk4", 0.02))
    steady = solve(physics, [omega, gamma, force, frequency], 0.0, ts)[1:, 0]
    assert steady.max() == pytest.approx(expected, rel=1e-4)


def test_euler_grows_as_it_did_in_the_reference(x64):
    physics = pendulum(solver=FixedStep("euler", step=0.05))
    ts = 0.05 * np.arange(50)
    assert solve(physics, [2.0], 1.0, ts)[-1, 0] == pytest.approx(-0.265042896, abs=1e-9)
    small = solve(physics, [2.0], 1e-4, ts)
    growth = np.hypot(small[:, 0], small[:, 1] / 2) / 1e-4
    np.testing.assert_allclose(growth, (1 + 4 * 0.05**2) ** (np.arange(50) / 2), rtol=1e-6)
    rk4 = solve(pendulum(), [2.0], 1.0, ts)[-1, 0]
    assert rk4 == pytest.approx(-0.119527361, abs=1e-5)
