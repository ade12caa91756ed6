"""The physics-integrated VAE as a user meets it: own physics, wrong input; one tiny fit serves most."""

import copy
import functools
from types import SimpleNamespace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import latax
from latax import PhysicsVAE
from latax._errors import ConfigError, DataError, DataWarning, DivergenceError
from latax.data import Samples
from latax.estimators.physics_assessment import _at_bounds
from latax.estimators.prior_check import check_sequences
from latax.estimators.sequences import check_grid, check_order
from latax.evaluate import rules
from latax.models.physics_objective import Regularisers
from latax.physics import ODE, PDE, FixedStep, Grid, Parameter, ParameterSpace
from latax.report.run import report_run
from tests.density.randomised import randomised

ROWS, TIMES = 48, 0.25 * np.arange(9)
TINY = {"width_size": 4, "inside_width": 3, "steps": 6, "batch_size": 16, "progress": False}
# The bound alone, for fits of which no regulariser is asked: each term costs seconds of compilation.
BOUND = {name: 0.0 for name in Regularisers._fields}


def move(t, y, p):
    return y.velocity, -p.stiffness * y.position


SPRING = ODE(
    move,
    [Parameter("stiffness", 1.0, 9.0, unit="1/s²")],
    ["position", "velocity"],
    observed=["position"],
    corrected=["velocity"],
    solver=FixedStep("midpoint"),
)


def springs(rows=ROWS, **options):
    """Damped springs, of which the model knows the undamped ones."""
    rng = np.random.default_rng(0)
    k, c, x0 = rng.uniform(2, 8, rows), rng.uniform(0, 0.6, rows), rng.uniform(0.5, 1.0, rows)
    w = np.sqrt(k - c**2 / 4)[:, None]
    x = x0[:, None] * np.exp(-c[:, None] * TIMES / 2) * np.cos(w * TIMES) + 0.01 * rng.normal(size=(rows, len(TIMES)))
    return Samples(x, times=TIMES, truth={"stiffness": k}, **options)


@functools.cache
def fitted():
    return PhysicsVAE(physics=SPRING, **TINY).fit(springs())


def test_verbs_give_the_promised_shapes():
    model, data = fitted(), springs()
    Z = model.transform(data)
    assert model.latent_names_ == ("stiffness", "inside0", "inside1", "outside0", "outside1", "initial0", "initial1")
    assert Z.shape == (ROWS, 7)
    assert ((Z[:, 0] > 1) & (Z[:, 0] < 9)).all()
    np.testing.assert_allclose(Z[:, 5], data.X[:, 0], rtol=1e-5)
    np.testing.assert_allclose(model.inverse_transform(Z), model.project(data), atol=1e-6)
    error = np.linalg.norm(model.project(data) - data.X, axis=1)
    np.testing.assert_allclose(model.reconstruction_error(data), error, rtol=1e-4)
    assert model.sample(5).shape == (5, 9)
    assert np.isfinite(model.score_samples(data)).all()
    assert set(model.metrics_) == {"reconstruction_error", "bound"}


def test_a_longer_window_begins_with_the_observed_one():
    model, data = fitted(), springs()
    longer = np.concatenate([TIMES, TIMES[-1] + TIMES[1:]])
    ahead = model.predict(data, longer)
    assert ahead.shape == (ROWS, 17)
    np.testing.assert_allclose(ahead[:, :9], model.project(data), atol=1e-5)
    with pytest.raises(DataError, match="times begin at 1, but the initial state is that of 0"):
        model.predict(data, TIMES + 1)
    with pytest.raises(DataError, match=r"do not increase: entry 1 is 1\.75, after 2"):
        model.predict(data, TIMES[::-1])


def test_times_that_are_far_apart_do_not_make_longer_steps():
    model, data = fitted(), springs()
    dense = model.predict(data, 0.25 * np.arange(17))
    np.testing.assert_allclose(model.predict(data, [0.0, 2.0, 4.0]), dense[:, [0, 8, 16]], atol=1e-5)
    np.testing.assert_allclose(model.predict(data, [0.0, 1.9, 4.0])[:, -1], dense[:, -1], atol=0.01)
    with pytest.raises(DataError, match="The times are not numbers"):
        model.predict(data, "all")


def test_interventions_that_cannot_be():
    model, data = fitted(), springs()
    with pytest.raises(ConfigError, match="has no parameter mass; it has stiffness"):
        model.intervene(data, mass=1.0)
    with pytest.raises(ConfigError, match="No parameter was given; it has stiffness"):
        model.intervene(data)
    with pytest.raises(DataError, match=f"stiffness must be one number, or one for each of {ROWS} samples"):
        model.intervene(data, stiffness=[2.0, 3.0])


def test_interventions_change_what_is_named_and_nothing_else():
    model, data = fitted(), springs()
    same = model.intervene(data, stiffness=model.transform(data)[:, 0])
    np.testing.assert_allclose(same, model.project(data), atol=1e-5)
    other = model.intervene(data, stiffness=2.0)
    assert np.abs(other - model.project(data)).max() > 0.1
    np.testing.assert_allclose(other[:, 0] - model.project(data)[:, 0], 0, atol=0.1)
    with pytest.raises(DataError, match="parameter 'stiffness' = 99 1/s²: expected a number from 1 to 9 1/s²"):
        model.intervene(data, stiffness=99.0)


def test_intervals_are_nested_within_the_bounds():
    model, data = fitted(), springs()
    narrow, wide = (model.parameters(data, level=level)["stiffness"] for level in (0.5, 0.95))
    np.testing.assert_array_equal(narrow.value, wide.value)
    np.testing.assert_allclose(narrow.value, model.transform(data)[:, 0], rtol=1e-5)
    for smaller, larger in ((wide.low, narrow.low), (narrow.low, narrow.value), (narrow.high, wide.high)):
        assert (smaller < larger).all()
    assert (wide.low >= 1).all()
    assert (wide.high <= 9).all()


def test_intervals_admit_that_more_may_be_missing():
    data, model = springs(), copy.copy(fitted())
    # A posterior that is sure of itself, beside corrections that are not small.
    head = lambda m: m.encoder.physics.net.layers[-1].bias
    certain = eqx.tree_at(head, model.models_, replace_fn=lambda b: b.at[..., 1].set(-20))
    parts = lambda m: (m.inside, m.outside)
    loud = [randomised(part, scale=0.05, seed=i) for i, part in enumerate(parts(certain))]
    model.models_ = eqx.tree_at(parts, certain, loud)
    trusting = model.parameters(data, discrepancy=False)["stiffness"]
    doubting = model.parameters(data)["stiffness"]
    np.testing.assert_array_equal(trusting.value, doubting.value)
    assert np.mean(doubting.high - doubting.low > trusting.high - trusting.low) > 0.9


def test_the_physics_explains_all_without_corrections():
    model = PhysicsVAE(physics=SPRING, inside_size=None, outside_size=None, **TINY).fit(springs())
    np.testing.assert_allclose(model.explain(springs()).physics, 1.0)
    assert (fitted().explain(springs()).physics < 1).all()


def test_fits_and_files_repeat(tmp_path):
    model, data = fitted(), springs()
    again = PhysicsVAE(physics=SPRING, **TINY).fit(data)
    np.testing.assert_array_equal(again.transform(data), model.transform(data))
    model.save(tmp_path / "model")
    loaded = latax.load(tmp_path / "model", physics=SPRING)
    np.testing.assert_array_equal(loaded.transform(data), model.transform(data))
    np.testing.assert_array_equal(loaded.sample(3), model.sample(3))
    for a, b in zip(loaded.parameters(data)["stiffness"], model.parameters(data)["stiffness"], strict=True):
        np.testing.assert_array_equal(a, b)


def _held_out():
    return fitted().rows(ROWS)[1]


def test_a_report_shows_fits_parameters_and_what_lies_beyond(tmp_path):
    found = report_run(tmp_path / "report.html", fitted(), springs())
    page = (tmp_path / "report.html").read_text()
    for words in (
        "Beyond the data",
        "Parameter: stiffness",
        "stiffness (1/s²)",
        "What the physics explains",
        "Held-out",
    ):
        assert words in page
    # In the table of numbers and below the sequences.
    assert page.count("The first observation is also the initial state") == 2
    assert "latax parameters" in page
    np.testing.assert_allclose(found.errors, fitted().reconstruction_error(springs().take(_held_out())), rtol=1e-5)
    assert set(found.prior_left) == {"stiffness"}
    assert 0 < found.prior_left["stiffness"] <= 1
    assert found.confusion["stiffness"] >= 1


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (springs().X, {}, ConfigError, "their times are not known. Give dt"),
        (springs(), {"dt": 0.1}, ConfigError, "dt=0.1 was given, but the data have times of their own"),
        (
            springs(sample_shape=(9, 1)),
            {"physics": "advection-diffusion"},
            DataError,
            "has shape \\(9, 1\\); the physics observes",
        ),
        (springs(), {"physics": "pendulm"}, ConfigError, "Did you mean 'pendulum'"),
        (springs(), {"physics": "exponential-disc"}, DataError, "the physics makes \\(32, 32, 3\\)"),
        (springs(), {"ppc": -1.0}, ConfigError, "ppc"),
        (springs(), {"inside_size": -1}, ConfigError, "inside_size"),
    ],
)
def test_what_cannot_work_is_refused(data, options, error, message):
    with pytest.raises(error, match=message):
        PhysicsVAE(**{"physics": SPRING, **TINY, **options}).fit(data)


def test_sizes_are_whole_numbers():
    with pytest.raises(ConfigError, match=r"outside_size=1\.5 must be a whole number of at least 0"):
        PhysicsVAE(physics=SPRING, **TINY).set_params(outside_size=1.5).fit(springs())


def test_gaps_are_found():
    data = springs()
    X = np.array(data.X)
    X[3, 4] = np.nan
    with pytest.raises(DataError, match=r"1 value NaN or missing .* row 3"):
        PhysicsVAE(physics=SPRING, **TINY).fit(Samples(X, times=TIMES))


def test_observed_columns_in_another_order_are_refused():
    moved = ODE(lambda t, y, p: (y.v, -p.k * y.x), [Parameter("k", 1.0, 2.0)], ["x", "v"])
    names = tuple(f"{name}[t={t:g}]" for t in TIMES for name in ("v", "x"))
    X = np.random.default_rng(0).normal(size=(20, 2 * len(TIMES)))
    swapped = Samples(X, feature_names=names, sample_shape=(len(TIMES), 2), times=TIMES)
    with pytest.raises(
        DataError, match=r"have v, x at each time, and .* observes x, v: number 0 .* is v here and x th"
    ):
        PhysicsVAE(physics=moved, **TINY).fit(swapped)
    other = Samples(X, feature_names=tuple(n.replace("v", "a") for n in names[::-1]), sample_shape=(9, 2), times=TIMES)
    check_order(other, ("x", "v"))  # a name that the physics does not know says nothing


def test_fields_on_other_nodes_than_the_grid_are_refused():
    grid = Grid({"a": (0.0, 1.0, 4), "b": (0.0, 2.0, 4)}, {"a": "neumann", "b": "neumann"})

    def names(a, b):
        return tuple(f"t={t:g} {i} {j}" for t in (0.0, 0.5) for i in a for j in b)

    def fields(a, b):
        X = np.random.default_rng(0).normal(size=(20, 32))
        return Samples(X, feature_names=names(a, b), sample_shape=(2, 4, 4), times=np.array([0.0, 0.5]))

    axis = lambda name, last: [f"{name}={x:.10g}" for x in np.linspace(0, last, 4)]
    check_grid(fields(axis("a", 1), axis("b", 2)), grid)
    check_grid(fields(axis("x", 9), axis("y", 9)), grid)  # names that the grid does not know say nothing
    with pytest.raises(DataError, match=r"have the axes b, a after the time, and the grid .* has a, b\. Transpose"):
        check_grid(fields(axis("b", 2), axis("a", 1)), grid)
    flat = PDE(lambda t, u, p, grid: p.k * grid.laplacian(u), [Parameter("k", 0.1, 0.2)], grid)
    with pytest.raises(DataError, match=r"at b from 0 to 1 \(4 places\), and the grid .* 0 to 2 \(4 nodes, 0\.666667"):
        PhysicsVAE(physics=flat, **TINY).fit(fields(axis("a", 1), axis("b", 1)))


def test_an_exploding_physics_names_a_sequence_and_parameters():
    def explosion(rate):
        return ODE(lambda t, y, p: (p.rate * y.level**3,), [Parameter("rate", *rate)], ["level"])

    with pytest.raises(
        DataError, match=r"no finite solution for 256 of 256 .* rate=1\.\d+e\+04 from the first obs.* sequence 0 \("
    ):
        PhysicsVAE(physics=explosion((1e4, 2e4)), **TINY).fit(springs())
    named = springs(labels=tuple(f"subject d{i}" for i in range(ROWS)))
    with pytest.raises(DataError, match=r"from the first observation of sequence 'subject d0'\. Narrow the bounds"):
        PhysicsVAE(physics=explosion((1e4, 2e4)), **TINY).fit(named)
    with pytest.warns(DataWarning, match=r"for \d+ of 256 draws of its prior, among them rate="):
        check_sequences(explosion((0.0, 4.0)), np.asarray(springs().X)[:, :, None], TIMES.tolist())
    check_sequences(explosion((0.0, 0.1)), np.asarray(springs().X)[:, :, None], TIMES.tolist())


def test_a_solve_that_explodes_in_training_names_the_sequences():
    # Fine for the physics alone; what the correction may add is not.
    named = r"phase 'model'.*by training rows \[\d.*\], of which the first has rate = \d.*In array: sequence 'tall'\."
    tall = ODE(lambda t, y, p: (p.rate * jnp.expm1(jnp.abs(y.level)) ** 8,), [Parameter("rate", 0.0, 1e-9)], ["level"])
    rows, labels = np.concatenate([np.asarray(springs().X), np.full((1, 9), 40.0)]), (*map(str, range(ROWS)), "tall")
    data = Samples(rows, times=TIMES, labels=labels)
    with pytest.warns(DataWarning, match="no finite solution"), pytest.raises(DivergenceError, match=named):
        PhysicsVAE(physics=tall, outside_size=None, **BOUND, **TINY).fit(data)


def test_what_is_not_finite_is_said_with_its_parameters():
    model, Z = fitted(), fitted().transform(springs(3))
    made = np.zeros((3, 9))
    made[1, 4:] = np.inf
    with pytest.warns(DataWarning, match=r"1 sample of 3 have no finite solution, .* sample 1 .*stiffness = \d"):
        assert model._made(made, Z, None).shape == (3, 9)
    named = springs(3, labels=("a", "b", "c"))
    with pytest.warns(DataWarning, match=r"the first is sample 'b', with stiffness = \d"):
        model._made(made, Z, named)


def test_solutions_that_explode_are_named_by_every_verb_that_makes_them():
    named, model = springs(3, labels=("a", "b", "c")), copy.copy(fitted())
    model.models_ = eqx.tree_at(lambda m: m.physics.function, fitted().models_, lambda t, y, p: (jnp.inf, 0.0))
    verbs = [
        model.project,
        model.predict,
        lambda X: model.predict(X, TIMES),
        lambda X: model.intervene(X, stiffness=2.0),
        lambda X: model.intervene(X, times=TIMES, stiffness=2.0),
    ]
    for verb in verbs:
        with pytest.warns(DataWarning, match="the first is sample 'a', with stiffness ="):
            verb(named)


def test_intervals_are_held_against_the_truth_that_comes_with_the_data():
    data = springs()
    name = "stiffness: coverage of its intervals"
    estimate = fitted().parameters(data)["stiffness"]
    found = {finding.name: finding for finding in fitted().diagnose(data).findings}
    covered = np.mean((estimate.low < data.truth["stiffness"]) & (data.truth["stiffness"] < estimate.high))
    assert found[name].value == pytest.approx(abs(covered - 0.9), abs=1e-6)
    assert name not in {finding.name for finding in fitted().diagnose(np.asarray(data.X)).findings}
    assert rules.interval_coverage("a", 0.88, 1000).verdict == "good"
    assert rules.interval_coverage("a", 0.21, 1000).verdict == "bad"
    assert rules.interval_coverage("a", 0.8, 10).verdict == "good"  # Of ten, eight are as good as nine.


def test_the_times_of_new_data_are_those_of_the_fit():
    x = np.asarray(springs(2).X)
    with pytest.raises(DataError, match=r"Entry 1 of the data is at time 2\.5, .* where it is at 0\.25"):
        fitted().transform(Samples(x, times=10 * TIMES + 0.0))
    with pytest.raises(DataError, match="Give sequences at the same times"):
        fitted().predict(Samples(x, feature_names=tuple(f"t={t}" for t in 10 * TIMES), sample_shape=(len(TIMES),)))
    same = Samples(x, times=TIMES + 1e-6)
    np.testing.assert_array_equal(fitted().transform(same), fitted().transform(x))


def test_values_beside_a_bound_by_rounding_are_at_the_bound():
    Z = fitted().transform(springs(3))
    Z[:, 0] = 9.0 + 2e-6
    at_bound = np.array(Z)
    at_bound[:, 0] = 9.0
    np.testing.assert_array_equal(fitted().inverse_transform(Z), fitted().inverse_transform(at_bound))
    assert np.isfinite(fitted().inverse_transform(Z)).all()


def test_parameters_at_their_bounds_are_found():
    narrow = [Parameter("stiffness", 4.9, 5.0)]
    physics = ODE(move, narrow, ["position", "velocity"], observed=["position"], corrected=["velocity"])
    options = {"inside_size": None, "outside_size": None} | TINY | {"steps": 400, "learning_rate": 1e-2}
    model = PhysicsVAE(physics=physics, **options).fit(springs())
    found = {finding.name: finding for finding in model.diagnose(springs()).findings}
    assert found["stiffness: share at its bounds"].value > 0.1
    usual = {finding.name: finding for finding in fitted().diagnose(springs()).findings}
    assert usual["stiffness: share at its bounds"].value == 0.0


def test_a_bound_far_below_most_values_is_not_close_to_them():
    wide = ParameterSpace([Parameter("rate", 1e-4, 1.0, prior="loguniform")])
    share = lambda values: _at_bounds(stub(np.asarray(values, np.float32)[:, None]), springs())[0].value
    stub = lambda Z: SimpleNamespace(
        _encode=lambda samples, context: Z, _centred=SimpleNamespace(physics=SimpleNamespace(parameters=wide))
    )
    assert share([1e-3, 2e-3, 5e-3, 0.1]) == 0
    assert share([1e-4, 1.0, 0.01, 0.1]) == 0.5


def test_samples_begin_where_the_inferred_initial_state_may_be():
    model = PhysicsVAE(physics=SPRING, infers_initial=True, **BOUND, **TINY).fit(springs())
    model.remembered_ = model.remembered_[:1]
    spread = float(model._centred.initial_spread()[1])
    slope = np.diff(model.sample(200), axis=1)[:, 0] / 0.25
    assert np.std(slope) > 0.5 * spread
    # The control: at rest, the first step differs by the noise and the parameter alone.
    assert np.std(np.diff(fitted().sample(200), axis=1)[:, 0] / 0.25) != pytest.approx(np.std(slope), rel=0.1)


def test_several_states_of_which_some_are_seen():
    def turn(t, y, p):
        return jnp.stack([p.rate * y.b, -p.rate * y.a, -y.c])

    physics = ODE(turn, [Parameter("rate", 0.5, 2.0)], ["a", "b", "c"], observed=["c", "a"], rest={"b": 1.0})
    x = np.stack([np.exp(-TIMES), 1 + 0.1 * np.sin(TIMES)], axis=1) * np.random.default_rng(0).uniform(1, 2, (20, 1, 1))
    model = PhysicsVAE(physics=physics, infers_initial=True, dt=0.25, **BOUND, **TINY).fit(x)
    assert model.project(x).shape == (20, 9, 2)
    assert model.transform(x).shape == (20, 1 + 2 + 2 + 3)
