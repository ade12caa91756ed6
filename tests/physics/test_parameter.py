import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from latax._errors import ConfigError, DataError
from latax.physics import Parameter, ParameterSpace

INF = math.inf
CASES = {
    "uniform": (Parameter("a", -2.0, 3.0), stats.uniform(-2, 5)),
    "log-uniform": (Parameter("a", 0.01, 10.0, prior="loguniform"), stats.loguniform(0.01, 10)),
    "normal": (Parameter("a", prior=("normal", 1.0, 2.0)), stats.norm(1, 2)),
    "normal between": (
        Parameter("a", 0.0, 2.0, prior=("normal", 1.5, 0.5)),
        stats.truncnorm(-3.0, 1.0, loc=1.5, scale=0.5),
    ),
    "normal far apart": (Parameter("a", -30.0, 40.0, prior=("normal", 0.0, 1.0)), stats.norm(0, 1)),
    "normal from": (Parameter("a", 3.0, prior=("normal", 0.0, 1.0)), stats.truncnorm(3.0, INF)),
    "normal up to": (Parameter("a", upper=-4.0, prior=("normal", 0.0, 1.0)), stats.truncnorm(-INF, -4.0)),
    "log-normal": (Parameter("a", prior=("lognormal", 2.0, 0.5)), stats.lognorm(0.5, scale=2)),
}
every = pytest.mark.parametrize(("parameter", "law"), CASES.values(), ids=CASES)
V = np.array([-6.0, -3.0, -1.0, -0.1, 0.0, 0.2, 1.0, 2.5, 6.0])


@eqx.filter_jit
def from_normal(parameter, v):
    return jax.vmap(parameter.from_normal)(v[:, None])


@eqx.filter_jit
def to_normal(parameter, values):
    return jax.vmap(parameter.to_normal)(values)[:, 0]


@eqx.filter_jit
def slopes_of(parameter, v):
    return jax.vmap(jax.grad(lambda v: parameter.from_normal(v[None])))(v)


@every
def test_the_standard_normal_becomes_the_prior(parameter, law, x64):
    known = np.where(V < 0, law.ppf(stats.norm.cdf(V)), law.isf(stats.norm.sf(V)))
    values = from_normal(parameter, V)
    np.testing.assert_allclose(values, known, rtol=1e-8, atol=1e-12)
    assert not np.allclose(from_normal(parameter, 1.001 * V), known, rtol=1e-8, atol=1e-12)


@every
def test_coordinates_and_values_are_each_others_inverse(parameter, law, x64):
    back = to_normal(parameter, from_normal(parameter, V))
    np.testing.assert_allclose(back[1:-1], V[1:-1], atol=1e-7)


@every
def test_single_precision_keeps_bounds_and_gradients(parameter, law):
    v = jnp.asarray(np.linspace(-6, 6, 101), jnp.float32)
    values, slopes = from_normal(parameter, v), slopes_of(parameter, v)
    assert values.dtype == jnp.float32
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()
    assert (np.asarray(slopes) > 0).all()
    parameter.check(values)
    again = from_normal(parameter, to_normal(parameter, values))
    np.testing.assert_allclose(again, values, rtol=2e-5, atol=2e-6)


@every
def test_standard_deviation(parameter, law):
    assert parameter.std == pytest.approx(law.std(), rel=1e-6)


def test_gradient_is_that_of_finite_differences(x64):
    for parameter, _ in CASES.values():
        h = 1e-6
        differences = (from_normal(parameter, V + h) - from_normal(parameter, V - h)) / (2 * h)
        np.testing.assert_allclose(slopes_of(parameter, V), differences, rtol=1e-5, atol=1e-9)


def test_outside_of_the_bounds_there_are_no_coordinates():
    parameter = Parameter("a", 0.0, 2.0)
    assert np.isnan(parameter.to_normal(jnp.array(2.1)))
    assert np.isfinite(parameter.to_normal(jnp.array(2.0)))
    assert np.isfinite(jax.grad(lambda x: parameter.to_normal(x)[0])(jnp.array(2.5)))


class TestCircular:
    angle = Parameter("angle", 0.0, math.pi, circular=True)

    def test_the_standard_normal_becomes_uniform(self):
        v = jax.random.normal(jax.random.key(0), (20_000, 2))
        values = np.asarray(jax.vmap(self.angle.from_normal)(v))
        assert values.min() >= 0
        assert values.max() < np.float32(math.pi)
        assert stats.kstest(values, stats.uniform(0, math.pi).cdf).pvalue > 1e-3
        assert stats.kstest(values**2 / math.pi, stats.uniform(0, math.pi).cdf).pvalue < 1e-9

    def test_known_angles(self, x64):
        v = jnp.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -2.0], [1.0, -1e-30]])
        values = jax.vmap(self.angle.from_normal)(v)
        np.testing.assert_allclose(values, [0, math.pi / 4, math.pi / 2, 3 * math.pi / 4, 0], atol=1e-12)
        np.testing.assert_allclose(jax.vmap(self.angle.to_normal)(values)[1], [0, math.sqrt(2)], atol=1e-12)

    def test_a_step_turns_by_standard_deviations_of_the_uniform_law(self, x64):
        v = jnp.array([0.3, -1.1])
        step = lambda s: self.angle.from_normal(self.angle.moved(v, jnp.asarray(s))) - self.angle.from_normal(v)
        assert float(step(0.2)) == pytest.approx(0.2 * self.angle.std)
        assert float(jax.grad(step)(0.0)) == pytest.approx(self.angle.std)
        assert float(jnp.linalg.norm(self.angle.moved(v, jnp.asarray(0.7)))) == pytest.approx(float(jnp.linalg.norm(v)))
        line = Parameter("a", prior=("normal", 5.0, 2.0))
        assert float(line.from_normal(line.moved(jnp.array([0.5]), jnp.asarray(0.25)))) == pytest.approx(6.5)

    def test_value_and_coordinates_and_back(self, x64):
        values = jnp.linspace(0, 3.14, 50)
        again = jax.vmap(lambda x: self.angle.from_normal(self.angle.to_normal(x)))(values)
        np.testing.assert_allclose(self.angle.distance(again, values), 0, atol=1e-12)

    def test_the_gradient_is_finite_at_the_origin(self):
        assert np.isfinite(jax.grad(self.angle.from_normal)(jnp.zeros(2))).all()
        np.testing.assert_allclose(jax.grad(self.angle.from_normal)(jnp.array([1.0, 0.0])), [0, 0.5], atol=1e-6)

    def test_an_interval_of_angles_goes_on_beyond_a_bound(self):
        values = np.array([3.1, 0.1, 0.3, 3.1, 1.5])
        low, high = np.array([3.0, 3.0, 3.0, -0.1, 1.4]), np.array([3.3, 3.3, 3.3, 0.2, 1.45])
        np.testing.assert_array_equal(self.angle.within(values, low, high), [True, True, False, True, False])
        straight = Parameter("straight", 0.0, math.pi)
        np.testing.assert_array_equal(straight.within(values, low, high), [True, False, False, False, False])

    def test_distance_goes_the_shorter_way(self):
        a, b = jnp.array([0.1, 1.0]), jnp.array([3.1, 1.5])
        np.testing.assert_allclose(self.angle.distance(a, b), [math.pi - 3.0, 0.5], rtol=1e-5)
        np.testing.assert_allclose(Parameter("a", 0.0, math.pi).distance(a, b), [3.0, 0.5], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "2a"}, r"'2a' cannot be the name of a parameter: it has to be a Python name"),
        ({"name": "lambda"}, r"'lambda' cannot be the name"),
        ({"lower": 2.0, "upper": 1.0}, r"parameter 'a': lower = 2 is not below upper = 1\. Exchange them\?"),
        ({"lower": 0.0}, r"a uniform prior needs two finite bounds; the bounds are 0.0 and inf"),
        ({"lower": 0.0, "upper": 1.0, "prior": "loguniform"}, r"loguniform prior needs 0 < lower < upper"),
        ({"prior": "gamma"}, r"'gamma' is no prior; give 'uniform', 'loguniform', \('normal', mean, sd\)"),
        ({"prior": ("normal", 0.0, -1.0)}, r"needs a finite mean and an sd above 0"),
        ({"prior": ("lognormal", 0.0, 1.0)}, r"needs a median and an sd of the log, both above 0"),
        ({"upper": -1.0, "prior": ("lognormal", 1.0, 1.0)}, r"lognormal prior is positive, and the upper bound is -1"),
        (
            {"lower": 8.0, "upper": 9.0, "prior": ("normal", 0.0, 1.0)},
            r"the bounds 8 and 9 keep only 6e-16 of the prior \('normal', 0.0, 1.0\)\. Move the prior",
        ),
        ({"lower": 0.0, "upper": 1.0, "prior": ("normal", 0.0, 1.0), "circular": True}, r"with a uniform prior only"),
    ],
)
def test_a_parameter_that_cannot_be(arguments, said):
    with pytest.raises(ConfigError, match=said):
        Parameter(**{"name": "a", **arguments})


def test_values_outside_of_the_bounds_are_named():
    omega = Parameter("omega", 0.5, 3.0, unit="rad/s")
    omega.check(np.array([0.5, 3.0], np.float32))
    with pytest.raises(DataError, match=r"parameter 'omega' = 3\.1 rad/s: expected a number from 0\.5 to 3 rad/s\. Ch"):
        omega.check(np.array([1.0, 3.1, 9.0]))
    with pytest.raises(DataError, match=r"'omega' = nan"):
        omega.check(math.nan)


def test_a_prior_may_come_from_a_file_of_lists():
    assert Parameter("a", prior=["normal", 0.0, 1.0]) == Parameter("a", prior=("normal", 0.0, 1.0))


class TestSpace:
    space = ParameterSpace(
        [
            Parameter("a", 0.0, 1.0),
            Parameter("turn", 0.0, 2.0, circular=True),
            Parameter("b", prior=("normal", 5.0, 1.0)),
        ]
    )

    def test_names_and_sizes(self):
        assert (len(self.space), self.space.size, self.space.names) == (3, 4, ("a", "turn", "b"))
        np.testing.assert_allclose(self.space.std, [12**-0.5, 2 * 12**-0.5, 1.0])
        assert self.space["b"].prior == ("normal", 5.0, 1.0)

    def test_every_parameter_gets_its_own_coordinates(self, x64):
        params = self.space.from_normal(jnp.array([0.0, -1.0, 0.0, 2.0]))
        assert (params.a, params.turn, params.b) == pytest.approx((0.5, 1.0, 7.0))
        back = self.space.to_normal(params)
        np.testing.assert_allclose(back, [0.0, -math.sqrt(2), 0.0, 2.0], atol=1e-9)
        np.testing.assert_allclose(self.space.as_array(params), [0.5, 1.0, 7.0])
        assert self.space.from_array(jnp.array([0.5, 1.0, 7.0])) == params

    def test_each_parameter_moves_by_its_own_step(self, x64):
        v = jnp.array([0.3, -1.0, 0.0, 2.0])
        moved = self.space.moved(v, jnp.array([1.0, 0.25, -2.0]))
        turn = 0.25 * 2 * math.pi / math.sqrt(12)
        np.testing.assert_allclose(moved, [1.3, -math.cos(turn), -math.sin(turn), 0.0], atol=1e-12)

    def test_samples_differ_by_key_and_keep_to_the_prior(self):
        samples = jax.vmap(self.space.sample)(jax.random.split(jax.random.key(0), 4000))
        assert float(samples.b.mean()) == pytest.approx(5.0, abs=0.1)
        assert float(samples.a.std()) == pytest.approx(12**-0.5, abs=0.02)

    def test_canonical_coordinates_are_those_of_the_values(self, x64):
        v = jnp.array([0.3, -1.2, 0.4, 2.0])
        found = self.space.canonical(v)
        np.testing.assert_allclose(found, self.space.to_normal(self.space.from_normal(v)), atol=1e-12)
        assert not np.allclose(found, v)
        # At a bound to_normal is at 11, where no network has ever been.
        bound = self.space.canonical(jnp.array([11.0, -1.2, 0.4, -11.0]))
        np.testing.assert_array_equal(bound[jnp.array([0, 3])], [4.0, -4.0])
        np.testing.assert_array_equal(bound[1:3], found[1:3])
        at_origin = jax.jacobian(self.space.canonical)(jnp.zeros(4))
        assert np.isfinite(at_origin).all()

    def test_no_parameters_at_all(self):
        empty = ParameterSpace([])
        assert empty.size == 0
        assert len(empty.sample(jax.random.key(0))) == 0
        assert empty.as_array(empty.from_normal(jnp.zeros(0))).shape == (0,)
        assert empty.to_normal(empty.from_array(jnp.zeros(0))).shape == (0,)

    def test_refusals(self):
        with pytest.raises(ConfigError, match=r"there are two parameters with the name 'a'"):
            ParameterSpace([Parameter("a", 0.0, 1.0), Parameter("a", 0.0, 2.0)])
        with pytest.raises(DataError, match=r"parameter 'turn' = 2\.5: expected a number from 0 to 2"):
            self.space.check(np.array([[0.5, 1.0, 5.0], [0.5, 2.5, 5.0]]))
        with pytest.raises(DataError, match=r"2 parameter values were given; expected 3: a, turn, b"):
            self.space.check(np.zeros(2))
