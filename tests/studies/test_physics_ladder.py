"""The measures of models of sequences, against models that know the truth, and a ladder so small it means nothing."""

import functools
import math
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from latax._errors import DataError
from latax.data import Samples, pendulum, stacked
from latax.data import advection_diffusion as transport
from latax.estimators.physics_least_squares import fit_each
from latax.estimators.sequence_estimator import AbstractSequenceEstimator
from latax.physics import Adaptive, FixedStep
from latax.physics import pendulum as physics
from latax.studies import sequences
from latax.studies.physics_advection import advection_case
from latax.studies.physics_ladder import BARE, BEST, Budget, Case, ladder_study
from latax.studies.physics_pendulum import explained_case, known, pendulum_case
from latax.studies.physics_released import released_table

FEW = 12


@functools.cache
def data(rows=FEW, seed=0):
    return pendulum.make(rows, seed)


@AbstractSequenceEstimator.register
class Knowing:
    """A model that answers with the truth, plus an error of the same size for every number."""

    def __init__(self, samples, error):
        self.samples, self.error = samples, error

    def project(self, X):
        return np.asarray(X.X) + self.error

    def predict(self, X, times):
        return pendulum.solve(self.samples.truth, times) + self.error


def test_measures_of_known_errors():
    test = data()
    model = Knowing(test, 0.1)
    assert sequences.reconstruction_norm(test)(model) == pytest.approx(0.1 * np.sqrt(50))
    assert sequences.absolute_error(test)(model) == pytest.approx(0.1)
    beyond = sequences.extrapolation_norm(test, pendulum.solve)
    assert beyond(model) == pytest.approx(0.1 * np.sqrt(49))
    assert beyond(Knowing(test, 0.0)) == pytest.approx(0.0, abs=1e-6)
    assert beyond(SimpleNamespace()) is None
    assert sequences.physics_share(test)(model) is None


def test_least_squares_find_the_physics_in_its_own_sequences():
    truth = data().truth | {"gamma": np.zeros(FEW), "amplitude": np.zeros(FEW)}
    truth["initial_angle"] = np.linspace(0.3, 1.5, FEW)
    x = pendulum.solve(truth, pendulum.TIMES)
    found = fit_each(physics(solver=FixedStep(every=2)), x, pendulum.TIMES)
    np.testing.assert_allclose(found.values[:, 0], truth["omega"], atol=2e-3)
    np.testing.assert_allclose(found.fits[:, :, 0], x, atol=2e-3)
    adaptive = fit_each(physics(solver=Adaptive()), x[:2], pendulum.TIMES, starts=2)
    np.testing.assert_allclose(adaptive.values, found.values[:2], atol=2e-3)
    # Friction looks like a slower pendulum, whatever the start of the search.
    damped = fit_each(physics(), pendulum.solve({**truth, "gamma": np.full(FEW, 0.4)}, pendulum.TIMES), pendulum.TIMES)
    assert np.mean(damped.values[:, 0] - truth["omega"]) < -0.02


def test_skipped_times_cost_less_than_the_noise(x64):
    truth = {"initial_angle": np.full(1, 1.57), "omega": np.full(1, 3.53)} | dict.fromkeys(
        ("gamma", "amplitude", "frequency"), np.zeros(1)
    )
    exact = pendulum.solve(truth, pendulum.TIMES)[0]
    params = known().parameters.from_array(jnp.array([3.53]))
    made = known().simulate(params, jnp.array([1.57, 0.0]), pendulum.TIMES)[:, 0]
    assert np.abs(made - exact).max() < pendulum.NOISE / 10


def tiny_case() -> Case:
    return Case(
        title="Tiny pendulum",
        unit="rad",
        training=stacked(data(16, 1), data(8, 2)),
        test=data(),
        parameter="omega",
        factors=(0.8, 1.2),
        solve=pendulum.solve,
        physics=physics(solver=FixedStep("euler", every=7)),
        sizes={"inside_size": 1, "outside_size": 1},
        larger={"inside_size": 2, "outside_size": 1},
        published=None,
        ours={"ppc": 0.0, "effort": 20.0, "cleansing": 0.0, "augmentation": 0.0, "simulation": 0.0},
        common={"batch_size": 8, "width_size": 4, "progress": False},
        unsolved={"latent_size": 2},
        solved={"order": 2, "inside_size": 1, "outside_size": 1, "every": 7},
        inside_width=3,
    )


class Short(Case):
    """With few of the models: each costs a compilation."""

    def ladder(self, budget, seed):
        return {name: model for name, model in super().ladder(budget, seed).items() if name in (BARE, BEST, "PCA")}

    def ablations(self, budget, seed):
        return {"PCA": super().ladder(budget, seed)["PCA"]}

    controls = ablations


def test_a_ladder_ends_in_tables(tmp_path):
    budget = Budget(steps=2, ablation_steps=1, replicates=2)
    case = Short(**vars(tiny_case()))
    result = ladder_study(
        case, budget, 0, Console(quiet=True), tmp_path, title="Tiny", summary="Means nothing.", explained=case
    )
    ladder, gains, ablation, control = result.tables
    by_name = {row[0]: dict(zip(ladder.columns, row, strict=True)) for row in ladder.rows}
    assert list(by_name) == [BARE, BEST, "PCA", "physics by least squares", "the truth, without noise"]
    assert by_name["PCA"]["omega MAE"] is None
    assert by_name["PCA"]["error beyond the window (rad)"] is None
    assert 0 <= by_name[BEST]["omega in its 90 % interval"].estimate <= 1
    noise = np.linalg.norm(np.asarray(data().X) - data().truth["signal"], axis=1).mean()
    assert by_name["the truth, without noise"]["reconstruction error (rad)"] == pytest.approx(noise)
    assert [row[0] for row in gains.rows][:2] == ["reconstruction error (rad)", "element MAE (rad)"]
    assert [row[0] for row in ablation.rows] == ["PCA"]
    assert [row[0] for row in control.rows] == ["PCA", "physics by least squares", "the truth, without noise"]


@pytest.mark.parametrize(
    ("module", "make_case", "size"), [(pendulum, pendulum_case, 4), (transport, advection_case, 5)]
)
def test_the_published_cases_have_their_published_sizes(module, make_case, size, monkeypatch):
    asked, make = [], module.make
    monkeypatch.setattr(module, "make", lambda n, seed: (asked.append((n, seed)), make(2, seed))[1])
    case = make_case()
    assert asked == [(1000, 1234), (500, 1235), (1000, 1236)]
    assert case._latent_size == size
    budget = Budget(steps=10, ablation_steps=7, replicates=5)
    models = case.ladder(budget, 0)
    assert {model.replicates for name, model in models.items() if name != "PCA"} == {5}
    assert {"NN only", "NN + solver", "physics only", BARE, BEST} < set(models)
    assert models["physics only"].inside_size is models["physics only"].outside_size is None
    assert {model.steps for model in case.ablations(budget, 0).values()} == {7}
    ablations = case.ablations(budget, 0)
    assert ablations["without effort"].effort == 0
    assert ablations["all"].inside_size == models[BEST].inside_size
    larger, usual = ablations["larger corrections"], models[BEST]
    assert (larger.inside_size, larger.outside_size or 0) > (usual.inside_size, usual.outside_size or 0)
    if case.published is None:
        assert "published weights" not in ablations
    else:
        assert ablations["published weights"].ppc == case.published["ppc"] != case.ours["ppc"]
        assert ablations["published weights"].augmentation == case.published["augmentation"]


def test_data_that_the_physics_explains(monkeypatch):
    make = pendulum.make
    monkeypatch.setattr(pendulum, "make", lambda n, seed: make(FEW, seed))
    case = explained_case()
    assert list(case.controls(Budget(steps=10, ablation_steps=7, replicates=5), 0)) == ["physics only", BEST]
    x, truth = np.asarray(case.test.X), case.test.truth
    np.testing.assert_allclose((x - truth["signal"]).std(), pendulum.NOISE, rtol=0.15)
    assert not np.allclose(truth["signal"], pendulum_case().test.truth["signal"], atol=0.1)
    moving = np.abs(truth["initial_angle"]) > 0.3
    found = fit_each(case.physics, x[moving], pendulum.TIMES)
    error = np.abs(found.values[:, 0] - truth["omega"][moving])
    assert error.mean() < 0.006
    assert error.max() < 0.03


def test_the_released_weights_in_our_units():
    """By hand: (ω - ω')² 0.1 / 2σ² = 332 ((ω - ω') / 0.906)², for σ² = e⁻⁹ and a uniform prior from 0.392 to 3.53."""
    weights = pendulum_case().published
    assert weights["augmentation"] == pytest.approx(332.46, abs=0.01)
    off, σ2 = 0.3, math.exp(-9)
    assert weights["augmentation"] * (off / known().parameters.std[0]) ** 2 == pytest.approx(0.1 * off**2 / (2 * σ2))
    assert (weights["ppc"], weights["cleansing"]) == (0.01, 0.001)


def test_samples_of_other_columns_are_not_stacked():
    with pytest.raises(DataError, match="have different columns"):
        stacked(data(), Samples(np.zeros((2, 3))))
    both = stacked(data(), data(3, 5))
    assert len(both) == FEW + 3
    assert both.truth["signal"].shape == (FEW + 3, 50)


def test_the_released_training_has_a_table_of_its_own(tmp_path):
    test, options = data(), {"console": Console(quiet=True), "folder": tmp_path, "seed": 0, "batch_size": 4}
    euler = physics(solver=FixedStep("euler"))
    held = functools.partial(released_table, euler, "omega", data(FEW, 1), test, steps=2, training=8, **options)
    table = held(replicates=2)
    (row,) = table.rows
    cells = dict(zip(table.columns, row, strict=True))
    assert cells["replicates"] == 2
    for name in ("reconstruction error", "element MAE", "omega MAE"):
        assert cells[name].estimate > 0
    assert cells["omega MAE"].estimate >= abs(cells["omega bias"].estimate) - 1e-9
    # The run that is there is taken as it is.
    assert held(replicates=2).rows == table.rows
