"""VAE-DLM and its contestants as a user meets them: forecasts, uncertainty, times, files, wrong input."""

import copy
import functools
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import latax
from latax import VAEDLM, ForecastVAE
from latax._errors import ConfigError, DataError, DataWarning
from latax.cli import main
from latax.data import LazyRows, Samples
from latax.data.coordinates import names_of
from latax.estimators.forecaster import AbstractForecaster
from latax.estimators.initial_states import refuse_single_states
from latax.geometry import AbstractMetricFlow, LiteralFlow, OwnReference, SphereMetric
from latax.models.dynamic_objective import DynamicObjective
from latax.models.recipes import Budget
from latax.report.run import histories, learnt, training_figures

ROWS, NODES = 40, 6
TIMES = np.array([0.0, 0.1, 0.25, 0.5, 1.0])
TINY = {"latent_size": 2, "width_size": 6, "steps": 4, "batch_size": 12, "times_per_sample": 3, "progress": False}
#: Settings of VAEDLM that change what is compiled.
KINDS = {
    "vae-dlm": lambda **k: VAEDLM(**(TINY | k)),
    "forecast-vae": lambda **k: ForecastVAE(**(TINY | k)),
}


def waves(rows=ROWS, seed=0):
    """Fields a cos 2πx that fade as exp(-3t), and their amplitudes."""
    amplitude = np.random.default_rng(seed).uniform(-1, 1, rows)
    x = np.cos(2 * np.pi * np.arange(NODES) / NODES)
    fields = amplitude[:, None, None] * np.exp(-3 * TIMES)[None, :, None] * x
    return fields


def samples(rows=ROWS, seed=0):
    fields = waves(rows, seed)
    return Samples(fields.reshape(rows, -1), sample_shape=fields.shape[1:], times=TIMES)


@functools.cache
def fitted(name="vae-dlm"):
    """The fitted estimator; the first is trained in earnest, the others not."""
    steps = {"steps": 600, "learning_rate": 5e-3} if name == "vae-dlm" else {}
    return KINDS[name](**steps).fit(samples())


@pytest.mark.parametrize("name", KINDS)
def test_forecasts_have_the_promised_shapes(name):
    model, x0 = fitted(name), waves(3, 1)[:, 0]
    assert model.predict(x0, 0.5).shape == (3, NODES)
    assert model.predict(x0, [0.5, 0.2]).shape == (3, 2, NODES)
    assert model.predict(x0).shape == (3, 5, NODES)
    Z = model.transform(samples(3, 1))
    assert Z.shape == (3, 2)
    found = model.encode(x0)
    np.testing.assert_allclose(found.mean, Z, atol=1e-6)
    assert (found.std > 0).all()
    np.testing.assert_allclose(model.inverse_transform(Z), model.predict(x0), atol=1e-6)
    np.testing.assert_allclose(model.project(samples(3, 1)), model.predict(x0), atol=1e-6)
    norm = np.linalg.norm((waves(3, 1) - model.predict(x0)).reshape(3, -1), axis=1)
    np.testing.assert_allclose(model.reconstruction_error(samples(3, 1)), norm, rtol=1e-4)
    assert model.sample(4).shape == (4, 5, NODES)
    np.testing.assert_array_equal(model.sample(4, seed=1), model.sample(4, seed=1))
    assert model.metrics_.keys() == {"forecast_error"}
    np.testing.assert_allclose(model.predict(x0, [0.5, 0.2])[:, 0], model.predict(x0, 0.5), atol=1e-6)


def test_trajectories_in_a_file_are_read_by_blocks(monkeypatch):
    """The first states of all of them fit where the trajectories do not."""
    X, read = np.asarray(samples().X), []
    rows = lambda index: (read.append(len(X[index])), X[index])[1]
    lazy = Samples(LazyRows(rows, X.shape, X.dtype, "a file"), sample_shape=(5, NODES), times=TIMES)
    monkeypatch.setattr(AbstractForecaster, "_chunk", lambda self, times: 16)
    found = fitted().transform(lazy)
    np.testing.assert_allclose(found[-3:], fitted().encode(waves()[-3:, 0]).mean, atol=1e-6)
    checked, *encoded = read
    assert checked == ROWS
    assert encoded == [16, 16, 8]


@pytest.mark.parametrize("name", ["vae-dlm"])
def test_uncertainty_is_at_least_the_error_on_held_out_trajectories(name):
    model, x0 = fitted(name), waves(3, 1)[:, 0]
    mean, std = model.predict(x0, TIMES, return_std=True)
    np.testing.assert_array_equal(mean, model.predict(x0, TIMES))
    held_out = samples().take(model.rows(ROWS)[1])
    residual = np.asarray(held_out.X).reshape(-1, 5, NODES) - model.project(held_out)
    floor = np.sqrt(np.mean(residual**2, axis=(0, 2)))
    assert (std >= floor[None, :, None] * 0.999).all()
    assert (std > floor[None, :, None] * 1.001).any()  # Draws add to it.
    np.testing.assert_array_equal(std, model.predict(x0, TIMES, return_std=True)[1])


def test_outliers_and_gaps_hardly_disturb_a_robust_forecast():
    model, truth = fitted(), waves(20, 5)
    error = lambda made: np.abs(made - truth[:, 3]).mean()
    clean = error(model.predict(truth[:, 0], 0.5))
    spoilt = truth[:, 0].copy()
    spoilt[np.arange(20), np.arange(20) % NODES] += 5.0
    assert error(model.predict(spoilt, 0.5)) > 5 * clean
    assert error(model.predict(spoilt, 0.5, robust=True)) < 1.5 * clean
    holed = np.where(spoilt == truth[:, 0], spoilt, np.nan)
    assert error(model.predict(holed, 0.5, robust=True)) < 1.5 * clean
    assert model.denoise(holed).shape == (20, NODES)
    assert error(model.predict(truth[:, 0], 0.5, robust=True)) < 1.1 * clean
    with pytest.raises(DataError, match=r"1 of 20 initial states have infinite .*fewer than 2 .*first in row 3"):
        model.denoise(np.where(np.arange(20)[:, None] == 3, np.nan, spoilt))


def test_robust_forecasts_know_what_was_not_observed():
    model, truth = fitted(), waves(40, 6)
    few = np.where(np.arange(NODES) < 2, truth[:, 0], np.nan)
    states, std = model.predict(few, 0.5, robust=True, return_std=True)
    assert (std > model.predict(truth[:, 0], 0.5, robust=True, return_std=True)[1]).mean() > 0.9
    np.testing.assert_array_equal(states, model.predict(few, 0.5, robust=True))
    within = np.mean(np.abs(states - truth[:, 3]) < 2 * std)
    assert within > 0.8


def test_no_error_was_measured_beyond_the_window():
    model = fitted()
    with pytest.warns(DataWarning, match="outside of the trained window"):
        _, std = model.predict(waves(2, 1)[:, 0], [0.5, 2.0], return_std=True)
    assert np.isfinite(std[:, 0]).all()
    assert np.isinf(std[:, 1]).all()


def test_it_learns_to_forecast():
    model, truth = fitted(), waves(50, 9)
    error = np.abs(model.predict(truth[:, 0]) - truth).sum(axis=(1, 2))
    constant = np.abs(truth[:, :1] - truth).sum(axis=(1, 2))
    assert np.median(error) < 0.5 * np.median(constant)
    untrained = np.abs(fitted("forecast-vae").predict(truth[:, 0]) - truth).sum(axis=(1, 2))
    assert np.median(error) < 0.5 * np.median(untrained)


def test_a_fit_is_judged_by_a_look_up_and_by_its_manifold():
    found = fitted().assess(samples(30, 5), samples())
    assert found.errors.shape == found.nearest.shape == (30, 5)
    assert {f.name for f in found.diagnosis.findings} >= {
        "forecast error / that of a look-up",
        "condition of the latent manifold",
        "residual of the metric flow",
        "directions that are too short",
    }
    assert found.manifold.condition.shape == (9, 30)
    assert np.median(found.manifold.condition) < 30  # No collapse in the default configuration.
    model, first = fitted(), waves(30, 5)[:, 0]
    for v, share in zip(model.encode(first[:5]).mean, found.manifold.violation[0, :5], strict=True):
        u, start = model.module_.chart(jnp.asarray(v)), jnp.zeros(())
        apart = np.linalg.eigvalsh(model.module_.frame(u, start).metric - 0.5 * model.module_.reference.metric(u))
        assert share == (apart < -1e-3).mean()


def test_the_report_shows_it():
    shown = learnt(fitted().assess(samples(30, 5), samples()), fitted(), samples(30, 5))
    assert [figure.title for figure in shown] == [
        "Error of forecasts by time",
        "Forecasts beside data",
        "The latent manifold and its evolution",
        "Shape of the latent manifold by time",
    ]
    assert [figure.title for figure in training_figures(fitted())] == ["Training", "The manifold in training"]
    assert set(histories(fitted())[0].terms) == {"reconstruction", "kl", "flow", "penalty"}
    alone = fitted("forecast-vae")
    assert len(training_figures(alone)) == 1
    assert len(learnt(alone.assess(samples(30, 5)), alone, samples(30, 5))) == 2


def test_the_contestants_have_no_manifold_to_judge():
    found = fitted("forecast-vae").assess(samples(8, 5))
    assert found.manifold is None
    assert found.nearest is None


@pytest.mark.parametrize("name", KINDS)
def test_a_saved_model_is_the_model(name, tmp_path):
    model, x0 = fitted(name), waves(3, 1)[:, 0]
    again = latax.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(x0, 0.3), model.predict(x0, 0.3))
    np.testing.assert_array_equal(
        again.predict(x0, 0.3, return_std=True)[1], model.predict(x0, 0.3, return_std=True)[1]
    )


def test_a_surface_of_ones_own_is_used_and_cannot_be_saved(tmp_path, monkeypatch):
    own = OwnReference(lambda u: 3 * jnp.eye(2), 2)
    model = VAEDLM(surface=own, **TINY)
    assert model._surface is own
    (tmp_path / "mine.py").write_text(
        "import jax.numpy as jnp\nfrom latax.geometry import OwnReference\n"
        "def flat():\n    return OwnReference(lambda u: 4 * jnp.eye(2), 2)\n"
    )
    monkeypatch.chdir(tmp_path)
    named = VAEDLM(surface="mine.py:flat", **TINY)
    np.testing.assert_array_equal(named._surface.metric(jnp.zeros(2)), 4 * np.eye(2))
    with pytest.raises(ConfigError, match=r"latax\.load\(path, surface=\.\.\.\)"):
        VAEDLM(surface=repr(own), **TINY)._check_params()


class Shrinking(AbstractMetricFlow):
    """∂_t g = -g."""

    def terms(self, g, context):
        return {"shrinking": -g}


def test_a_flow_of_ones_own_is_used(tmp_path, monkeypatch):
    """Without an operator, which only linear flows to a reference metric have."""
    model = VAEDLM(flow=Shrinking(), **TINY)
    model._check_params()
    model.times_, model.sample_shape_ = TIMES.tolist(), (5, NODES)
    module = model._module(jnp.ones(5 * NODES), None, jax.random.key(0))
    assert isinstance(module.flow, Shrinking)
    assert module.operator.kind == "none"
    (tmp_path / "mine.py").write_text("from latax.geometry import LiteralFlow\nflow = LiteralFlow(7.0)\n")
    monkeypatch.chdir(tmp_path)
    assert VAEDLM(flow="mine.py:flow", **TINY)._flow == LiteralFlow(7.0)
    with pytest.raises(ConfigError, match=r"no metric flow 'litteral'\. Did you mean 'literal'"):
        VAEDLM(flow="litteral", **TINY)._check_params()


def test_the_reference_does_as_released():
    model = VAEDLM(reference=True, rate=3.0, flow="static", **TINY)
    model.times_, model.sample_shape_ = TIMES.tolist(), (5, NODES)
    module = model._module(jnp.ones(5 * NODES), None, jax.random.key(0))
    assert module.metric is not None
    assert module.operator.kind == "positive"
    assert module.flow == LiteralFlow(3.0)
    assert module.reference == SphereMetric(2, margin=None)
    (phase,) = model._recipe(Budget(10, 5, 1e-3, 0.0, 1.0))
    scaling = model._scaling(samples())
    assert not scaling.loc.any()
    assert (scaling.scale == 1).all()
    assert phase.objective == DynamicObjective(3, least=1.0, matching="absolute", shared=False, detached=False)
    geometric = {"flow": 1.0, "penalty": 1.0, "metric": 1.0, "log_volume": 0, "log_condition": 0}
    assert phase.weights == {"reconstruction": 100.0, "kl": 2e-4, **geometric}
    ours = fitted().module_
    assert ours.metric is None
    assert ours.reference.margin == pytest.approx(0.3)


def test_the_geometry_rises_from_nothing():
    model = VAEDLM(warm_up=0.2, flow_weight=3.0, **TINY)
    model.times_, model.sample_shape_ = TIMES.tolist(), (5, NODES)
    (phase,) = model._recipe(Budget(100, 5, 1e-3, 0.0, 1.0))
    for name, whole in (("flow", 3.0), ("penalty", 1.0)):
        assert [float(phase.weights[name](step)) for step in (0, 10, 20, 90)] == [0, whole / 2, whole, whole]


@pytest.mark.parametrize("name", KINDS)
def test_the_units_are_those_of_all_data(name):
    """And not of a first batch, with which the weights of the terms would change."""
    np.testing.assert_allclose(fitted(name).module_.loc, waves().mean(), atol=1e-6)
    np.testing.assert_allclose(fitted(name).module_.scale, waves().std(), rtol=1e-5)


def test_the_origin_of_the_data_costs_no_digits():
    """A state around 10⁶ with differences of one: single precision would have four bits left for them."""
    far = samples()
    far = Samples(np.asarray(far.X) + 1e6, sample_shape=far.sample_shape, times=TIMES)
    model, x0 = KINDS["forecast-vae"]().fit(far), waves(3, 1)[:, 0]
    made, std = model.predict(x0 + 1e6, [0.2, 0.5], return_std=True)
    near, near_std = fitted("forecast-vae").predict(x0, [0.2, 0.5], return_std=True)
    np.testing.assert_allclose(made - 1e6, near, atol=1e-5)
    np.testing.assert_allclose(std, near_std, rtol=1e-3)
    np.testing.assert_allclose(model.project(far) - 1e6, fitted("forecast-vae").project(samples()), atol=1e-5)
    assert abs(near).max() > 0.01


def test_no_density_no_score(tmp_path, capsys):
    fitted().save(tmp_path / "model")
    np.save(tmp_path / "x.npy", waves(3))
    assert main(["score", str(tmp_path / "model"), str(tmp_path / "x.npy")]) == 2
    assert "A vae-dlm has no density to score by" in capsys.readouterr().err


def test_the_command_line_forecasts(tmp_path, capsys):
    """From trajectories, and from initial states alone."""
    fitted().save(tmp_path / "model")
    np.savez(tmp_path / "whole.npz", fields=waves(3), times=TIMES)
    np.save(tmp_path / "starts.npy", waves(3)[:, 0])
    wanted = fitted().predict(waves(3)[:, 0], [0.2, 0.7])
    for given in ("whole.npz", "starts.npy"):
        out = tmp_path / f"{given}-forecast.npz"
        command = ["predict", str(tmp_path / "model"), str(tmp_path / given), "--out", str(out)]
        assert main([*command, "--times", "0.2", "0.7"]) == 0, capsys.readouterr().err
        made = latax.data.read(out)
        np.testing.assert_allclose(np.asarray(made.X).reshape(3, 2, NODES), wanted, atol=1e-6)
        np.testing.assert_allclose(made.times, [0.2, 0.7])
    assert main([*command[:-1], str(out.with_stem("robust")), "--times", "0.2", "0.7", "--robust"]) == 0
    robust = fitted().predict(waves(3)[:, 0], [0.2, 0.7], robust=True)
    np.testing.assert_allclose(np.asarray(latax.data.read(out.with_stem("robust")).X).reshape(3, 2, NODES), robust)
    np.save(tmp_path / "other.npy", np.zeros((3, NODES + 1)))
    command[2] = str(tmp_path / "other.npy")
    assert main([*command[:-1], str(tmp_path / "other.npz")]) == 2
    assert "has 7 numbers in each sample; expected 6, an initial state" in capsys.readouterr().err


def test_other_grids_and_times_are_refused():
    """Where both sides say what theirs are."""
    grid = np.linspace(0, 1, NODES)
    model = copy.copy(fitted())
    model.feature_names_ = names_of({"t": TIMES, "x": grid})
    starts = lambda axes: Samples(waves(3)[:, 0], feature_names=names_of(axes))
    assert model.first_states(starts({"x": np.round(grid, 3)})).shape == (3, NODES)
    assert model.first_states(Samples(waves(3)[:, 0])).shape == (3, NODES)
    with pytest.raises(DataError, match=r"6 places from x = 0 to 2, and the model was fitted on those from 0 to 1"):
        model.first_states(starts({"x": 2 * grid}))
    with pytest.raises(DataError, match=r"given over y, and the model was fitted on states over x"):
        model.first_states(starts({"y": grid}))
    moved = names_of({"t": TIMES, "x": 2 * grid})
    with pytest.warns(DataWarning), pytest.raises(DataError, match=r"6 places from x = 0 to 2"):
        model.first_states(Samples(waves(3).reshape(3, -1), sample_shape=(len(TIMES), NODES), feature_names=moved))
    model.feature_names_ = names_of({"step": TIMES, "x": grid})  # time by another name
    assert model.first_states(starts({"x": grid})).shape == (3, NODES)
    whole = Samples(waves(3).reshape(3, -1), sample_shape=(len(TIMES), NODES), times=2 * TIMES)
    with pytest.raises(DataError, match=r"Entry 1 of the data is at time"):
        model.first_states(whole)


def test_times_beyond_the_window_are_warned_of():
    model, x0 = fitted(), waves(2, 1)[:, 0]
    with pytest.warns(DataWarning, match=r"Times up to 0\.5 outside of the trained window from 0 to 1 .*\(50% of its"):
        model.predict(x0, 1.5)
    with pytest.warns(DataWarning, match=r"up to 0\.2 outside"):
        model.predict(x0, [-0.2, 0.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(x0, [0.0, 1.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_size": 0}, "latent_size=0 must be a whole number"),
        ({"ambient_size": 2}, "ambient_size=2 must be a whole number of at least 3"),
        ({"rate": -1.0}, "rate=-1.0 must be a number greater than 0"),
        ({"surface": "spere"}, r"no surface 'spere'\. Did you mean 'sphere'"),
        ({"surface": "revolution", "latent_size": 3}, r"has two coordinates, and latent_size=3\. Give latent_size=2"),
        ({"surface": OwnReference(jnp.diag, 3)}, r"the surface has 3 coordinates, and latent_size=2"),
        ({"warm_up": 2.0}, "warm_up=2.0 must lie between 0 and 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        VAEDLM(**(TINY | options)).fit(samples())


def test_data_that_cannot_be_learnt_from_are_refused():
    good = samples()
    holed = np.array(good.X)
    holed[3, 4] = np.nan
    model = lambda **k: VAEDLM(**(TINY | k))
    with pytest.raises(DataError, match="not finite"):
        model().fit(Samples(holed, sample_shape=good.sample_shape, times=TIMES))
    with pytest.raises(DataError, match=r"The times do not increase: entry 4 is 0\.1, after 0\.5"):
        model().fit(Samples(good.X, sample_shape=good.sample_shape, times=np.array([0, 0.1, 0.25, 0.5, 0.1])))
    with pytest.raises(ConfigError, match=r"their times are not known\. Give dt"):
        model().fit(waves())
    for names in (tuple(f"a[t={t}]" for t in TIMES), tuple(f"t={t}" for t in TIMES)):  # These are times.
        refuse_single_states(Samples(waves()[:, :, 0], feature_names=names))
    places = tuple(f"x={i / NODES}" for i in range(NODES))
    with pytest.raises(DataError, match=r"The columns are x=0\.0 to x=.*, so each row is one state"):
        model(dt=0.1).fit(Samples(waves()[:, 0], feature_names=places))
    with pytest.raises(DataError, match=r"Each row has a time of its own \('time'\), so it is one state"):
        model().fit(Samples(waves()[:, 0], truth={"time": np.arange(float(ROWS))}))
    with pytest.raises(DataError, match="takes no context"):
        model().fit(Samples(good.X, np.ones((ROWS, 1)), sample_shape=good.sample_shape, times=TIMES))
    with pytest.raises(DataError, match="All rows are equal: there is nothing to learn"):
        model().fit(good.take(np.zeros(ROWS, int)))
    with pytest.raises(DataError, match="1 row"):
        model(batch_size=1).fit(good.take(slice(0, 1)))


@pytest.mark.parametrize(
    ("x0", "t", "message"),
    [
        (np.zeros((2, NODES + 1)), 0.5, r"initial states have shape \(2, 7\); expected \(N, 6\): one state"),
        (np.zeros(NODES), 0.5, r"shape \(6,\).*give x0\[None\]"),
        (
            np.full((2, NODES), np.nan),
            0.5,
            "2 of 2 initial states have values that are not finite, the first is in row 0.*or forecast with robust",
        ),
        (np.zeros((0, NODES)), 0.5, "There are no initial states"),
        (np.array([["a"] * NODES]), 0.5, "not numbers"),
        (np.zeros((2, NODES)), np.nan, "expected one finite time"),
        (np.zeros((2, NODES)), "noon", "t is no time, nor several: could not convert"),
        (np.zeros((2, NODES)), np.zeros((2, 2)), r"t has shape \(2, 2\)"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(x0, t, message):
    with pytest.raises(DataError, match=message):
        fitted().predict(x0, t)
