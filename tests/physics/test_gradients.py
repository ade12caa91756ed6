"""Gradients through solves against finite differences, for every way that derivatives are taken."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax.physics import Adaptive, FixedStep, pendulum

TS = np.array([0.0, 0.4, 1.0, 1.7])
AT = np.array([2.0, 0.3, 0.9, 0.15])  # omega, gamma, initial angle, strength of the correction
WAYS = {
    "euler": FixedStep("euler", substeps=4),
    "heun": FixedStep("heun", substeps=4),
    "rk4": FixedStep("rk4", substeps=4),
    **{
        f"{method} {adjoint}": Adaptive(1e-9, 1e-9, method=method, adjoint=adjoint)
        for method, adjoint in [
            ("tsit5", "checkpointed"),
            ("tsit5", "direct"),
            ("tsit5", "backsolve"),
            ("kvaerno5", "checkpointed"),
        ]
    },
}


@pytest.mark.parametrize("solver", WAYS.values(), ids=WAYS)
def test_gradient_of_a_solve(solver, x64):
    physics = pendulum(damping=True, solver=solver)

    def loss(at):
        params = physics.parameters.from_array(at[:2])
        ys = physics.simulate(
            params, physics.initial_state(at[2:3]), TS, lambda t, y: at[3:] * jnp.sin(3 * t + y[:1] + y[1:])
        )
        return jnp.sum(jnp.cos(2 * ys) + ys)

    loss_and_gradient = jax.jit(jax.value_and_grad(loss))
    gradient = loss_and_gradient(jnp.asarray(AT))[1]
    h = 1e-4
    differences = [
        (loss_and_gradient(jnp.asarray(AT + step))[0] - loss_and_gradient(jnp.asarray(AT - step))[0]) / (2 * h)
        for step in h * np.eye(4)
    ]
    np.testing.assert_allclose(gradient, differences, rtol=2e-6, atol=2e-6)
    wrong = loss_and_gradient(jnp.asarray(AT + 1e-3))[1]
    assert (abs(np.asarray(wrong) - differences) > 1e-4).any()
