"""Flows against matrix exponentials, and their way back."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from latax import potential
from latax._errors import ConfigError
from latax.integrate import Adaptive, FixedStep, ImplicitMidpoint
from latax.potential import (
    DivergenceFree,
    Path,
    PotentialNet,
    Potentials,
    added,
    energy,
    gradient,
    tangential,
)

A = np.array([[0.3, 0.1], [0.1, -0.2]])
Z0 = np.array([1.0, 2.0])
END = np.array([1.568419507373125, 1.7536129069907058])
ENDS = np.array([0.0, 1.0])


def saddle(z, t):
    return 0.5 * z @ jnp.asarray(A, z.dtype) @ z


def rotation(z, t):
    return jnp.stack([-z[1], z[0]])


def follow(velocity, z, ts, **options):
    """In one compiled program, which is quicker for single calls."""
    return jax.jit(lambda z: potential.follow(velocity, z, ts, **options))(z)


def reverse_error(velocity, z, ts, solver):
    return jax.jit(lambda z: potential.reverse_error(velocity, z, ts, solver=solver))(z)


@pytest.fixture
def z0(x64):
    return jnp.asarray(Z0)


@pytest.mark.parametrize(
    ("solver", "error"),
    [
        (FixedStep("euler"), 8.69e-2),
        (FixedStep("euler", substeps=10), 9.94e-3),
        (FixedStep("euler", substeps=100), 1.01e-3),
        (FixedStep("rk4"), 4.0e-5),
        (FixedStep("rk4", substeps=10), 5.1e-9),
    ],
    ids=str,
)
def test_the_flow_of_a_quadratic_is_a_matrix_exponential(solver, error, z0):
    np.testing.assert_allclose(scipy.linalg.expm(A) @ Z0, END, atol=1e-15)
    found = follow(gradient(saddle), z0, ENDS, solver=solver).z[-1]
    np.testing.assert_allclose(np.linalg.norm(found - END), error, rtol=0.02)


def test_adaptive_steps_reach_the_same_place(z0):
    found = follow(gradient(saddle), z0, ENDS, solver=Adaptive(1e-10, 1e-10), density=True)
    np.testing.assert_allclose(found.z[-1], END, atol=1e-9)
    np.testing.assert_allclose(found.log_det[-1], np.trace(A), atol=1e-9)


def test_the_change_of_density_is_the_trace_and_that_of_autodiff(z0):
    velocity = lambda z, t: jnp.sin(z[::-1]) * (1 + t) + 0.3 * z
    path = follow(gradient(saddle), z0, ENDS, density=True)
    np.testing.assert_allclose(path.log_det, [0, 0.1], atol=1e-14)
    ts = np.linspace(0.2, 0.9, 4)
    path = follow(velocity, z0, ts, solver=FixedStep(substeps=40), density=True)
    end = lambda z: follow(velocity, z, ts, solver=FixedStep(substeps=40)).z[-1]
    np.testing.assert_allclose(path.log_det[-1], jnp.linalg.slogdet(jax.jacobian(end)(z0))[1], atol=1e-8)
    # One Euler step has another determinant, and the sum of rows yet another.
    assert abs(np.linalg.slogdet(np.eye(2) + A)[1] - 0.02955880) < 1e-8
    assert abs(np.sum(np.log(np.abs(1 + A.sum(1)))) - np.trace(A)) > 0.1
    assert not follow(velocity, z0, ts).log_det.any()


def test_a_gaussian_goes_to_its_pushforward(x64):
    # The density that `log_det` gives at the end is N(e^A μ, e^A Σ e^Aᵀ).
    mean, covariance = np.array([0.5, -1.0]), np.array([[0.7, 0.2], [0.2, 0.4]])
    normal = scipy.stats.multivariate_normal.logpdf
    starts = jr.normal(jr.key(0), (5, 2))
    path = jax.vmap(lambda z: follow(gradient(saddle), z, ENDS, solver=FixedStep(substeps=20), density=True))(starts)
    change = scipy.linalg.expm(A)
    wanted = normal(path.z[:, -1], change @ mean, change @ covariance @ change.T)
    found = normal(starts, mean, covariance) - path.log_det[:, -1]
    np.testing.assert_allclose(found, wanted, atol=1e-8)
    assert np.abs(found - normal(path.z[:, -1], mean, covariance)).max() > 0.1


def test_the_flow_of_the_heat_equation_widens_a_gaussian(x64):
    # u = -D log p for variance 1 + 2 D t: every point moves as its standard deviation.
    d = 0.7
    u = lambda z, t: 0.5 * d * jnp.sum(z**2) / (1 + 2 * d * t)
    found = follow(gradient(u), jnp.asarray(Z0), ENDS, solver=FixedStep(substeps=40)).z[-1]
    np.testing.assert_allclose(found, Z0 * np.sqrt(1 + 2 * d), atol=1e-8)


def test_optimal_transport_goes_straight(z0):
    # Hamilton-Jacobi: z(t) = z0 (t + τ) / τ for u = |z|² / 2(t + τ).
    ts = np.linspace(0, 1, 5)
    path = follow(lambda z, t: z / (t + 0.5), z0, ts, solver=FixedStep(substeps=40)).z
    np.testing.assert_allclose(path, Z0[None] * ((ts + 0.5) / 0.5)[:, None], atol=1e-7)
    # ∫|v|² dt of constant speed 2 |z0|.
    np.testing.assert_allclose(energy(lambda z, t: z / (t + 0.5), path, ts), 4 * np.sum(Z0**2), atol=1e-6)


def test_the_negative_direction_is_the_inverse(x64):
    u = PotentialNet(3, (8, 8), speed=1.0, key=jr.key(0))
    z, ts = jr.normal(jr.key(1), (3,)), np.linspace(0, 1, 3)
    back = lambda solver: float(reverse_error(gradient(u), z, ts, solver=solver))
    moved = float(jnp.linalg.norm(follow(gradient(u), z, ts).z[-1] - z))
    assert moved > 0.3
    assert back(FixedStep(substeps=8)) < 1e-6
    assert back(Adaptive(1e-8, 1e-8)) < 1e-6
    assert back(ImplicitMidpoint(1)) < 1e-13
    # Negative controls: coarse Euler steps do not come back, and minus the velocity from z is another path.
    assert back(FixedStep("euler")) > 1e-4
    there = follow(gradient(u), z, ts).z[-1]
    reflected = follow(lambda z, t: -gradient(u)(z, t), there, ts).z[-1]
    assert jnp.linalg.norm(reflected - z) > 1e-2


def test_the_way_back_undoes_the_density_too(z0):
    velocity = lambda z, t: jnp.sin(z) * (1 + t)
    there = follow(velocity, z0, ENDS, solver=FixedStep(substeps=30), density=True)
    back = follow(velocity, there.z[-1], ENDS[::-1], solver=FixedStep(substeps=30), density=True)
    np.testing.assert_allclose(back.log_det[-1], -there.log_det[-1], atol=1e-8)
    assert abs(there.log_det[-1]) > 0.1


def test_composition_is_the_flow_of_the_sum(x64):
    potentials = Potentials.of(lambda key: PotentialNet(2, (4,), key=key), 3, key=jr.key(0))
    weights, z, t = jnp.array([0.5, -1.0, 2.0]), jr.normal(jr.key(1), (2,)), jnp.asarray(0.3)
    by_hand = jax.jit(lambda z: sum(w * jax.grad(potentials[k])(z, t) for k, w in enumerate(weights)))(z)
    np.testing.assert_allclose(jax.jit(gradient(potentials.combined(weights)))(z, t), by_hand, atol=1e-12)
    np.testing.assert_allclose(weights @ potentials.velocities(z, t), by_hand, atol=1e-12)
    # Commuting flows one after the other are the flow of the sum; rotations and stretches do not commute.
    first, second = (lambda z, t, m=m: m @ z for m in (jnp.diag(jnp.array([0.3, -0.1])), jnp.diag(jnp.array([0.2, 1]))))
    one_by_one = lambda a, b: follow(b, follow(a, z, ENDS).z[-1], ENDS).z[-1]
    np.testing.assert_allclose(one_by_one(first, second), follow(added(first, second), z, ENDS).z[-1], atol=1e-4)
    sum_of_both = follow(added(first, rotation), z, ENDS).z[-1]
    assert jnp.abs(one_by_one(first, rotation) - sum_of_both).max() > 1e-2


def test_norms_drift_unless_they_are_held(x64):
    u = PotentialNet(4, (8,), speed=1.0, key=jr.key(0))
    z = jr.normal(jr.key(1), (4,))
    ts = np.linspace(0, 1, 3)
    drifting, held = (follow(v, z, ts, solver=ImplicitMidpoint(2)) for v in (gradient(u), tangential(gradient(u))))
    np.testing.assert_allclose(drifting.shell, np.linalg.norm(drifting.z, axis=1) / 2, atol=1e-14)
    assert np.abs(drifting.shell / drifting.shell[0] - 1).max() > 1e-2
    np.testing.assert_allclose(held.shell, held.shell[0], atol=1e-14)
    assert jnp.linalg.norm(held.z[-1] - z) > 0.1
    assert not tangential(gradient(u))(jnp.zeros(4), jnp.zeros(())).any()


def test_gradients_do_no_work_around_a_loop_and_rotations_do(x64):
    u = PotentialNet(2, (8,), key=jr.key(0))
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = jnp.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.5)
    tangents = jnp.asarray(np.stack([-np.sin(angles), np.cos(angles)], axis=1))
    work = lambda v: float(
        jnp.mean(jnp.sum(jax.jit(jax.vmap(lambda z: v(z, jnp.asarray(0.4))))(circle) * tangents, axis=1))
    )
    assert abs(work(gradient(u))) < 1e-12
    assert work(rotation) == pytest.approx(1.0)
    assert abs(work(DivergenceFree(2, (8,), key=jr.key(1)))) > 1e-3


def test_the_part_without_divergence_has_none(x64):
    r = DivergenceFree(3, (5,), key=jr.key(0))
    jacobian = jax.jit(jax.jacobian(r))(jr.normal(jr.key(1), (3,)), jnp.asarray(0.3))
    np.testing.assert_allclose(jnp.trace(jacobian), 0, atol=1e-14)
    assert np.abs(jacobian - jacobian.T).max() > 1e-3
    assert np.abs(jnp.diagonal(jacobian)).max() > 1e-3
    with pytest.raises(ConfigError, match=r"size=1: in one dimension a velocity without divergence is constant"):
        DivergenceFree(1, key=jr.key(0))


def test_above_64_coordinates_the_divergence_is_estimated(x64):
    scale = jnp.linspace(-0.5, 0.7, 65)
    diagonal = lambda z, t: scale * z
    with pytest.raises(ConfigError, match=r"The divergence in 65 dimensions is estimated from 8 random directions"):
        follow(diagonal, jnp.ones(65), ENDS, density=True)
    # Random signs are exact for a diagonal Jacobian.
    path = follow(diagonal, jnp.ones(65), ENDS, density=True, key=jr.key(0))
    np.testing.assert_allclose(path.log_det[-1], jnp.sum(scale), atol=1e-12)
    full = lambda z, t: jnp.roll(z, 1) * 0.5 + scale * z
    estimates = [float(follow(full, jnp.ones(65), ENDS, density=True, key=jr.key(i)).log_det[-1]) for i in range(2)]
    exact = follow(full, jnp.ones(65), ENDS, density=True, probes=0).log_det[-1]
    np.testing.assert_allclose(exact, jnp.sum(scale), atol=1e-12)
    assert estimates[0] != estimates[1]


@pytest.mark.parametrize(
    ("ts", "said"),
    [
        ([0.0, 1.2], r"t=1\.2 is outside of \[0, 1\]: potentials are trained for that time only"),
        ([-0.5, 0.0], r"t=-0\.5 is outside"),
        ([0.0, 0.5, 0.5], r"must all increase or all decrease"),
        ([0.0, np.nan], r"must all increase or all decrease"),
        ([], r"There is no time to follow the flow to"),
    ],
)
def test_times_that_cannot_be(ts, said):
    with pytest.raises(ConfigError, match=said):
        follow(rotation, jnp.ones(2), np.array(ts))


def test_one_time_is_the_start(z0):
    assert isinstance(path := follow(rotation, z0, np.zeros(1), density=True), Path)
    assert path.z.tolist() == [[1.0, 2.0]]
