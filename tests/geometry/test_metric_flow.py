"""Metric flows against formulas, numbers worked out elsewhere, and SciPy's solver of differential equations."""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from latax._errors import ConfigError
from latax.geometry import FlowContext, LiteralFlow, StaticFlow, SymmetricFlow, entropy, entropy_rate

OPERATOR = np.array([[1, 0.5], [0.5, 2]])
TARGET = np.diag([10, 2.5])
START = np.array([[1, 0.3], [0.3, 0.5]])
FLOWS = {"symmetric": SymmetricFlow(2), "literal": LiteralFlow(2), "static": StaticFlow()}
AFTER_ONE = {
    "symmetric": [[6.4409823689, -0.4838758140], [-0.4838758140, 1.2837166909]],
    "literal": [[6.4733418152, -0.1721156887], [-0.7309170468, 1.2513572446]],
    "static": START,
}
AT_REST = {
    "symmetric": [[6.7629179331, -0.5775075988], [-0.5775075988, 1.3221884498]],
    "literal": [[6.8085106383, -0.2127659574], [-0.8510638298, 1.2765957447]],
}
TIMES = np.array([0.0, 0.4, 1.0, 2.5])
DRAWS = 1000


def spd(key, n):
    factor = jr.normal(key, (n, n))
    return factor @ factor.T + 0.05 * jnp.eye(n)


@functools.cache
def solver(name):
    """Solution, rate of it and residuals of the flow of this name, for many starts, times and contexts."""
    flow = FLOWS[name]

    @jax.jit
    @jax.vmap
    def solve(start, t, context):
        g, rate = jax.jvp(lambda t: flow.solution(start, t, context), (t,), (jnp.ones(()),))
        residual = flow.residual(g, rate, context)
        return {"g": g, "rate": rate, "residual": residual, "wrong": flow.residual(1.01 * g, rate, context)}

    return solve


@pytest.fixture(scope="module")
def known():
    """The flows of the known example at `TIMES`, and later, from these and from the start."""
    with jax.enable_x64(True):
        many = lambda matrix: jnp.broadcast_to(jnp.asarray(matrix, float), (len(TIMES), 2, 2))
        context, start = FlowContext(many(TARGET), many(OPERATOR)), many(START)
        found = {}
        for name in FLOWS:
            at = solver(name)(start, jnp.asarray(TIMES), context)
            later = solver(name)(at["g"], jnp.full(len(TIMES), 0.7), context)["g"]
            at_once = solver(name)(start, jnp.asarray(TIMES + 0.7), context)["g"]
            plain = solver(name)(start, jnp.ones(len(TIMES)), context._replace(operator=many(0 * OPERATOR)))["g"]
            found[name] = {**at, "in two steps": later, "in one step": at_once, "without operator": plain}
        return jax.tree.map(np.asarray, found)


@pytest.fixture(scope="module")
def random():
    """Flows from 1000 random metrics to others in three dimensions, their operators being positive, free or none."""
    with jax.enable_x64(True):
        flow = SymmetricFlow(1.5)

        @jax.jit
        @jax.vmap
        def compute(key):
            a, b, c, d, e = jr.split(key, 5)
            start, target, t = spd(a, 3), spd(b, 3), jr.uniform(d, (), minval=0.01, maxval=2.0)
            positive = FlowContext(target, spd(c, 3))
            operators = jnp.stack([positive.operator, jr.normal(e, (3, 3)), jnp.zeros((3, 3))])
            solution = lambda t: jax.vmap(lambda o: flow.solution(start, t, FlowContext(target, o)))(operators)
            gs, rates = jax.jvp(solution, (t,), (jnp.ones(()),))
            g, relaxed = gs[0], gs[2]
            literal = LiteralFlow(1.5).solution(start, t, positive)
            energy = lambda g: flow.energy(g, positive)
            rest = flow.steady_state(positive)
            fade = jnp.exp(-1.5 * t)
            return {
                "least": jnp.linalg.eigvalsh(gs)[:, 0],
                "least literal": jnp.linalg.eigvalsh((literal + literal.T) / 2)[0],
                "slope of energy": jnp.sum(jax.grad(energy)(g) * rates[0]),
                "gradient": jax.grad(energy)(g),
                "velocity": flow.velocity(g, positive),
                "literal velocity": LiteralFlow(1.5).velocity(g, positive),
                "excess": energy(g) - energy(rest) - fade**2 * (energy(start) - energy(rest)),
                "excess at start": energy(start) - energy(rest),
                "at rest": flow.velocity(rest, positive),
                "slope of entropy": jax.vmap(lambda g, rate: jnp.sum(jax.grad(entropy)(g) * rate))(gs, rates),
                "rate of entropy": jax.vmap(entropy_rate)(gs, rates),
                "entropy above its bound": entropy(relaxed) - fade * entropy(start) - (1 - fade) * entropy(target),
            }

        return jax.tree.map(np.asarray, compute(jr.split(jr.key(0), DRAWS)))


@pytest.mark.parametrize("name", FLOWS)
def test_known_numbers(name, known):
    np.testing.assert_allclose(known[name]["g"][2], AFTER_ONE[name], atol=5e-11)
    np.testing.assert_allclose(known[name]["g"][0], START, atol=1e-15)


@pytest.mark.parametrize("name", AT_REST)
def test_steady_states(name, x64):
    context = FlowContext(jnp.asarray(TARGET), jnp.asarray(OPERATOR))
    rest = FLOWS[name].steady_state(context)
    np.testing.assert_allclose(rest, AT_REST[name], atol=5e-11)
    np.testing.assert_allclose(FLOWS[name].velocity(rest, context), 0, atol=1e-13)
    assert abs(FLOWS[name].velocity(1.01 * rest, context)).max() > 0.01


@pytest.mark.parametrize("name", FLOWS)
def test_a_solver_of_differential_equations_agrees(name, known):
    right = {
        "symmetric": lambda g: -(OPERATOR @ g + g @ OPERATOR.T) / 2 - 2 * (g - TARGET),
        "literal": lambda g: -OPERATOR @ g - 2 * (g - TARGET),
        "static": lambda g: 0 * g,
    }[name]
    field = lambda t, y: right(y.reshape(2, 2)).reshape(-1)
    found = solve_ivp(field, (0, 2.5), START.reshape(-1), t_eval=TIMES, method="DOP853", rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(known[name]["g"].reshape(-1, 4), found.y.T, atol=1e-9)


@pytest.mark.parametrize("name", FLOWS)
def test_the_solution_leaves_no_residual_and_may_be_interrupted(name, known):
    found = known[name]
    np.testing.assert_allclose(found["residual"], 0, atol=1e-10)
    np.testing.assert_allclose(found["in two steps"], found["in one step"], atol=1e-12)
    if name != "static":  # One per cent too much is seen.
        assert abs(found["wrong"]).max(axis=(1, 2)).min() > 1e-3


def test_metrics_stay_metrics(random):
    assert random["least"].min() > 0
    assert (random["least literal"] < 0).sum() > 100  # The released flow leads out of them.


def test_the_symmetric_flow_descends_its_energy(random):
    assert random["slope of energy"].max() < 0
    gradient = random["gradient"]
    np.testing.assert_allclose((gradient + gradient.mT) / 2, -random["velocity"], atol=1e-12)
    np.testing.assert_allclose(gradient, -random["literal velocity"], atol=1e-12)  # The one among all matrices.
    assert abs(gradient + random["velocity"]).max() > 1
    assert (random["excess"] < 1e-12 * random["excess at start"]).all()  # At least as fast as e^{-2αt}.
    np.testing.assert_allclose(random["at rest"], 0, atol=1e-10)


def test_the_entropy_has_the_rate_and_the_bound_that_are_said(random):
    np.testing.assert_allclose(random["slope of entropy"], random["rate of entropy"], rtol=1e-9, atol=1e-9)
    assert abs(random["rate of entropy"]).max() > 1
    assert random["entropy above its bound"].min() > 0


@pytest.mark.parametrize("name", AT_REST)
def test_without_an_operator(name, known):
    g = known[name]["without operator"][0]
    np.testing.assert_allclose(g, [[8.7819824509, 0.0406005850], [0.0406005850, 2.2293294335]], atol=5e-11)
    np.testing.assert_allclose(g, np.exp(-2) * START + (1 - np.exp(-2)) * TARGET, atol=1e-14)
    log_det = np.linalg.slogdet(g)[1]
    np.testing.assert_allclose(log_det, 2.9743188109, atol=5e-11)
    bound = np.exp(-2) * np.log(np.linalg.det(START)) + (1 - np.exp(-2)) * np.log(25)
    np.testing.assert_allclose(bound, 2.6625836694, atol=5e-11)


def test_the_terms_add_up_to_the_velocity(x64):
    context = FlowContext(jnp.asarray(TARGET), jnp.asarray(OPERATOR))
    for name, flow in FLOWS.items():
        terms = flow.terms(jnp.asarray(START), context)
        assert set(terms) == (set() if name == "static" else {"operator", "relaxation"})
        np.testing.assert_allclose(sum(terms.values(), jnp.zeros((2, 2))), flow.velocity(jnp.asarray(START), context))


def test_rates_that_cannot_be_are_refused():
    for build in (SymmetricFlow, LiteralFlow):
        with pytest.raises(ConfigError, match=r"rate = -1: a flow goes to its reference metric at a rate of 0 or more"):
            build(-1)
