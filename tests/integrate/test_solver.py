import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.physics import ODE, Adaptive, FixedStep

TS = np.array([0.0, 0.3, 1.0, 1.1, 2.0])


def logistic(t, y):
    """y' = y (1 - y) + cos t, without closed form."""
    return y * (1 - y) + jnp.cos(t)


@pytest.fixture(scope="module")
def exact():
    with jax.enable_x64(True):
        return np.asarray(FixedStep("rk4", step=1e-3).solve(logistic, jnp.array([0.2]), TS))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2), ("midpoint", 2), ("rk4", 4)])
def test_observed_order_of_fixed_steps(method, order, exact, x64):
    errors = [
        abs(FixedStep(method, step=h).solve(logistic, jnp.array([0.2]), TS) - exact).max() for h in (0.1, 0.05, 0.025)
    ]
    observed = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(observed, order, atol=0.15)


@pytest.mark.parametrize("every", [2, 3])
def test_times_between_steps_have_the_order_of_the_steps(every, x64):
    # Steps from time to time; the last of 41 times is not one of every three.
    times = [np.linspace(0, 2, n) for n in (21, 41, 81)]
    exact = [FixedStep(substeps=200).solve(logistic, jnp.array([0.2]), ts) for ts in times]
    errors = [
        abs(FixedStep(every=every).solve(logistic, jnp.array([0.2]), ts) - wanted).max()
        for ts, wanted in zip(times, exact, strict=True)
    ]
    observed = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(observed, 4, atol=0.4)
    # A straight line between the same steps would err by h² / 8 times the curvature.
    ends = np.unique([*range(0, 81, every), 80])
    line = np.interp(times[-1], times[-1][ends], exact[-1][ends, 0])
    assert abs(line - exact[-1][:, 0]).max() > 100 * errors[-1]


def test_times_between_steps_are_those_of_the_cubic_itself(x64):
    # y = t³ solves y' = 3t², and is its own Hermite cubic.
    ts = np.array([0.0, 0.3, 1.0, 1.1, 2.0, 2.5])
    found = FixedStep(every=4).solve(lambda t, y: jnp.full_like(y, 3 * t**2), jnp.zeros(1), ts)
    np.testing.assert_allclose(found[:, 0], ts**3, atol=1e-12)
    solver = FixedStep(substeps=1, every=4)
    compiled = jax.jit(lambda ts: solver.solve(lambda t, y: jnp.full_like(y, 3 * t**2), jnp.zeros(1), ts))
    np.testing.assert_allclose(compiled(ts)[:, 0], ts**3, atol=1e-12)


@pytest.mark.parametrize("method", ["tsit5", "dopri5", "kvaerno5"])
def test_adaptive_steps_keep_the_tolerance(method, exact, x64):
    errors = {
        rtol: abs(Adaptive(rtol, rtol, method=method).solve(logistic, jnp.array([0.2]), TS) - exact).max()
        for rtol in (1e-4, 1e-9)
    }
    assert errors[1e-9] < 1e-8
    assert 1e-8 < errors[1e-4] < 1e-3


def test_steps_divide_the_intervals_evenly(x64):
    solver = FixedStep("euler", step=0.25)
    assert solver._counts(TS, None).tolist() == [2, 3, 1, 4]
    by_hand = [y := 0.2]
    for start, stop, n in zip(TS[:-1], TS[1:], [2, 3, 1, 4], strict=True):
        h = (stop - start) / n
        for i in range(n):
            y = y + h * (y * (1 - y) + np.cos(start + i * h))
        by_hand.append(y)
    np.testing.assert_allclose(solver.solve(logistic, jnp.array([0.2]), TS)[:, 0], by_hand, rtol=1e-12)


def test_rounded_times_make_no_further_steps():
    ts = jnp.arange(400, dtype=jnp.float32) * np.float32(0.05)
    assert (FixedStep(step=0.05)._counts(ts, None) == 1).all()
    assert (FixedStep(step=0.049)._counts(ts, None) == 2).all()


def test_times_as_an_argument_of_compiled_code(x64):
    y0 = jnp.array([0.2])
    solve = jax.jit(lambda ts: FixedStep("rk4", substeps=2).solve(logistic, y0, ts))
    np.testing.assert_allclose(solve(TS), FixedStep("rk4", substeps=2).solve(logistic, y0, TS), rtol=1e-13)
    for solver, name in ((FixedStep(step=0.1), r"FixedStep\(step=0\.1\)"), (FixedStep(), r"FixedStep\(\)")):
        with pytest.raises(ConfigError, match=rf"{name} has to know the times .* Use FixedStep\(substeps=.*Adaptive"):
            jax.jit(lambda ts, solver=solver: solver.solve(logistic, y0, ts))(TS)


#: Observations every 0.1, but none between 1 and 4, and a few that are not quite on time.
GAPPED = np.concatenate([0.1 * np.arange(11), [4.0, 4.1, 4.22, 4.3]])


def damped(t, y):
    """A spring of frequency 3 with friction 0.5."""
    return jnp.stack([y[1], -9 * y[0] - 0.5 * y[1]])


def damped_exactly(ts):
    w = np.sqrt(9 - 0.0625)
    return np.exp(-0.25 * ts) * (np.cos(w * ts) + 0.25 / w * np.sin(w * ts))


@pytest.mark.parametrize("options", [{}, {"substeps": 2}, {"every": 2}])
def test_a_gap_takes_as_many_steps_as_it_is_long(options, x64):
    y0 = jnp.array([1.0, 0.0])
    error = lambda solver, ts, interval=None: abs(
        np.asarray(solver.solve(damped, y0, ts, interval))[:, 0] - damped_exactly(np.asarray(ts))
    ).max()
    dense = error(FixedStep(**options), 0.1 * np.arange(44), 0.1)
    assert error(FixedStep(**options), GAPPED, 0.1) < 2 * dense < 0.02
    if "substeps" not in options:  # which by themselves are taken as they are
        assert error(FixedStep(**options), GAPPED) < 2 * dense
    # Two times alone are no gap, unless it is said what is usual.
    assert error(FixedStep(**options), np.array([0.0, 4.0]), 0.1) < 2 * dense
    assert error(FixedStep(**options), np.array([0.0, 4.0])) > 1
    # The control: one step from each time to the next, as it was.
    steps = jax.jit(lambda ts: FixedStep(**{"substeps": 1, **options}).solve(damped, y0, ts))
    assert abs(np.asarray(steps(GAPPED))[:, 0] - damped_exactly(GAPPED)).max() > 1


def test_times_before_a_gap_are_solved_as_without_it(x64):
    y0 = jnp.array([1.0, 0.0])
    for options in ({}, {"every": 2}):
        before = FixedStep(**options).solve(damped, y0, GAPPED[:11], 0.1)
        np.testing.assert_array_equal(FixedStep(**options).solve(damped, y0, GAPPED, 0.1)[:11], before)


def test_intervals_about_as_long_as_usual_are_one_step():
    jittered = np.array([0.0, 0.09, 0.21, 0.3, 0.44, 0.5])
    assert FixedStep()._counts(jittered, 0.1).tolist() == [1, 1, 1, 1, 1]
    uneven = np.array([0.0, 0.1, 0.5])
    assert FixedStep(substeps=3)._counts(uneven, 0.1).tolist() == [3, 12]
    assert FixedStep(substeps=3)._counts(uneven, None).tolist() == [3, 3]


def test_times_that_would_take_too_many_steps_are_refused():
    pairs = np.array([0.0, 1e-7, 1.0, 1.0 + 1e-7])
    with pytest.raises(ConfigError, match=r"with a usual interval of 1e-07, would take 1e\+07 steps.*Adaptive\(\)"):
        FixedStep().solve(logistic, jnp.array([0.2]), pairs)
    assert np.isfinite(FixedStep(step=0.1).solve(logistic, jnp.array([0.2]), pairs)).all()


@pytest.mark.parametrize("solver", [FixedStep(), Adaptive(1e-4, 1e-4)], ids=["fixed", "adaptive"])
def test_a_single_time_is_the_initial_state(solver):
    assert solver.solve(logistic, jnp.array([0.2]), np.zeros(1)).tolist() == [[pytest.approx(0.2)]]


@pytest.mark.parametrize("solver", [FixedStep(), Adaptive(max_steps=200)], ids=["fixed", "adaptive"])
def test_an_explosion_is_not_finite_and_no_exception(solver):
    ts = np.linspace(0, 2, 30)
    ys = jax.jit(lambda y0: solver.solve(lambda t, y: y**2, y0, ts))(jnp.array([1.0]))[:, 0]
    assert np.isfinite(ys[:10]).all()
    assert not np.isfinite(ys[-1])


def test_too_few_steps_give_values_that_are_not_finite():
    ts = np.linspace(0, 2, 5)
    field = lambda t, y: jnp.sin(50 * t) * jnp.ones_like(y)
    assert np.isfinite(Adaptive(1e-6, 1e-6).solve(field, jnp.zeros(1), ts)).all()
    assert not np.isfinite(Adaptive(1e-6, 1e-6, max_steps=20).solve(field, jnp.zeros(1), ts)[-1]).any()


def test_stiff_equations_need_the_implicit_method(x64):
    ts = np.array([0.0, 1.0])
    field = lambda t, y: -1e5 * (y - jnp.cos(t))
    implicit = Adaptive(1e-6, 1e-6, method="kvaerno5", max_steps=300).solve(field, jnp.zeros(1), ts)
    np.testing.assert_allclose(implicit[-1], np.cos(1.0), atol=2e-5)
    assert not np.isfinite(Adaptive(1e-6, 1e-6, max_steps=300).solve(field, jnp.zeros(1), ts)[-1]).any()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: FixedStep("rk5"), r"no method with fixed steps 'rk5'\..* There are euler, midpoint, heun, rk4"),
        (lambda: FixedStep(step=0.1, substeps=2), r"step = 0\.1 and substeps = 2 were both given; give one"),
        (lambda: FixedStep(step=0.0), r"step = 0\.0: expected a positive length of time"),
        (lambda: FixedStep(substeps=0), r"substeps = 0: expected a whole number from 1 on"),
        (lambda: Adaptive(method="rk45"), r"no adaptive method 'rk45'\. There are tsit5, dopri5, kvaerno5"),
        (lambda: Adaptive(adjoint="none"), r"no adjoint 'none'\. There are checkpointed, direct, backsolve"),
        (lambda: Adaptive(rtol=0.0), r"rtol = 0\.0, atol = 1e-06, max_steps = 4096: all three have to be positive"),
    ],
)
def test_a_solver_that_cannot_be(make, said):
    with pytest.raises(ConfigError, match=said):
        make()


@pytest.mark.parametrize(
    ("ts", "said"),
    [
        ([0.0, 2.0, 1.0], r"the times are not in order: time 1 \(the first is 0\) is 2 and the next is 1\. Sort"),
        ([0.0, 1.0, 1.0], r"the times are repeated: time 1 \(the first is 0\) is 1 and the next is 1"),
        ([0.0, np.nan], r"time 1 \(the first is 0\) is not a finite number"),
        ([], r"the times have shape \(0,\); expected a list of at least one time"),
    ],
)
def test_times_that_cannot_be(ts, said):
    decay = ODE(lambda t, y, p: (-y.a,), [], ["a"])
    with pytest.raises(DataError, match=said):
        decay.simulate(decay.parameters.from_array(jnp.zeros(0)), jnp.ones(1), np.array(ts))
