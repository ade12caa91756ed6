"""Studies of forecasts: their measures by hand, their initial states, and one so small that it means nothing."""

import dataclasses

import numpy as np
import pytest
from rich.console import Console

from latax.data import burgers
from latax.data.shifts import SHIFTS, VALIDATION_SHIFTS
from latax.estimators import VAEDLM, ForecastVAE
from latax.studies import dlm_ablation, dlm_allen_cahn, dlm_burgers, dlm_choice
from latax.studies.contest import Results, hold
from latax.studies.forecasts import (
    EXTENDED,
    KNOWING,
    NEAREST,
    OURS,
    PLAIN,
    POD,
    ROBUST,
    TOGETHER,
    WITHIN,
    Budget,
    Case,
    error_table,
    forecast_study,
    gains,
    gains_by_time,
    verdict,
)

TINY = Budget(training=16, test=6, nodes=11, times=5, every=2, steps=2, replicates=2)
SMALL = {"latent_size": 2, "width_size": 4, "batch_size": 4, "times_per_sample": 2, "progress": False}


def known(factors):
    """Errors of one contestant, and of another that are lower by these factors, a replicate each."""
    other = np.random.default_rng(0).uniform(0.1, 1, (len(factors), 40, 3))
    ours = other * np.array(factors)[:, None, None]
    return {"ours": {"none": ours, "waves": ours}, "other": {"none": other, "waves": other}}


def test_reductions_by_hand():
    found = known([0.74, 0.75, 0.76])
    a, b = found["ours"]["waves"][:, :, 1], found["other"]["waves"][:, :, 1]
    none, row, together = gains(found, "ours", "other", 1).rows
    assert [none[0], row[0], together[0]] == ["none", "waves", TOGETHER]
    assert row[1].estimate == together[1].estimate == pytest.approx(25, abs=0.01)
    assert row[2].estimate == pytest.approx(25, abs=0.01)
    # Student's, of three values 1 apart: all trajectories have the same ratio.
    assert row[1].low == pytest.approx(25 - 4.3027 / 3**0.5, abs=0.05)
    assert row[3].estimate == pytest.approx(np.mean(a - b))
    assert row[4].estimate == pytest.approx(np.median(np.mean(a - b, axis=0)))
    assert row[5] == 1.0
    said = verdict(found, "ours", "other", 1)
    assert "is lower than that of other on 1, higher on 0, and not to be told apart on 0" in said
    assert "over these kinds it is lower by 25" in said
    assert "on 0, higher on 1, and" in verdict(found, "other", "ours", 1)
    assert "on 0, higher on 0, and not to be told apart on 1" in verdict(known([0.9, 1.1, 1.0]), "ours", "other", 1)


def test_kinds_without_hope_are_told_apart():
    """Halving errors from one kind and none from another is 29 % in the geometric mean, and 50 % where it can be."""
    other = np.random.default_rng(0).uniform(0.1, 0.3, (1, 40, 3))
    found = {
        "ours": {"none": other, "waves": 0.5 * other, "bumps": 4 * other},
        "other": {"none": other, "waves": other, "bumps": 4 * other},
    }
    *_, together, within = gains(found, "ours", "other", 1).rows
    assert (together[0], within[0]) == (TOGETHER, WITHIN)
    assert together[1].estimate == pytest.approx(100 * (1 - 0.5**0.5))
    assert within[1].estimate == pytest.approx(50)
    assert "over the 1 with errors below 0.5 by 50" in verdict(found, "ours", "other", 1)
    table = dlm_ablation.each_part({OURS: found["ours"], "changed": found["other"]}, 1, "mean")
    assert table.columns[-2:] == [TOGETHER, WITHIN]
    assert table.rows[0][-1].estimate == pytest.approx(50)


def test_gains_at_several_times():
    rise = np.array([0.5, 1.0, 2.0])  # half the error at first, and twice as much in the end
    other = np.random.default_rng(0).uniform(0.1, 1, (2, 40, 3))
    found = {"ours": {"none": other * rise, "waves": other}, "other": {"none": other, "waves": other}}
    table = gains_by_time(found, "ours", "other", np.array([0.0, 0.5, 1.0]))
    assert [row[0] for row in table.rows] == ["0", "0.5", "1"]
    assert [row[1].estimate for row in table.rows] == pytest.approx([50, 0, -100])
    assert [row[2].estimate for row in table.rows] == pytest.approx([50, 0, -100])
    assert [row[3].estimate for row in table.rows] == [0, 0, 0]


def test_errors_have_their_row_and_column():
    found = known([0.5])
    table = error_table(found, np.array([0.0, 0.5, 1.0]), 2, "median")
    assert table.columns == ["model", "none", "waves"]
    assert [row[0] for row in table.rows] == ["ours", "other"]
    assert table.rows[1][2].estimate == pytest.approx(np.median(found["other"]["waves"][0, :, 2]))
    assert table.title == "Median relative L1 error at t = 1"


def tiny_case(**common):
    return Case(title="Tiny Burgers", make=burgers.make, solve=burgers.solve, common=SMALL | common)


def test_trials_are_fresh_and_of_the_same_members():
    case = tiny_case()
    training, trials = case.training(TINY, 0), case.trials(TINY, 0)
    assert set(trials) == set(SHIFTS)
    plain = trials["none"]
    assert plain.truth.shape == (6, 3, 11)
    np.testing.assert_array_equal(plain.initial, plain.truth[:, 0])
    np.testing.assert_array_equal(trials["noise"].truth, plain.truth)
    assert abs(trials["noise"].initial - plain.initial).max() > 0.1
    np.testing.assert_allclose(trials["amplitude"].initial, 1.5 * plain.initial, rtol=1e-6)
    first = np.asarray(training.X)[:, :11]
    assert abs(first[:, None] - plain.initial[None]).max(axis=2).min() > 1e-3


class Short(Case):
    """With few of the models: each costs a compilation."""

    def contestants(self, budget, seed):
        models = super().contestants(budget, seed)
        return {name: models[name] for name in (OURS, EXTENDED, PLAIN)}


def once(contest, models, console, folder):
    """`hold` with one model under all names, so that it is compiled once."""
    name = next((name for name, model in models.items() if isinstance(model, VAEDLM)), next(iter(models)))
    fitted = hold(contest, {name: models[name]}, console, folder).fitted[name]
    return Results(contest, fitted=dict.fromkeys(models, fitted))


def test_a_study_ends_in_tables(tmp_path):
    case = Short(**{field.name: getattr(tiny_case(), field.name) for field in dataclasses.fields(Case)})
    result = forecast_study(case, TINY, 0, Console(quiet=True), tmp_path)
    median, mean, extended, plain, robust, both, looked_up, *by_time, manifold = result.tables
    by_name = {row[0]: dict(zip(median.columns, row, strict=True)) for row in median.rows}
    assert list(by_name) == [
        OURS,
        EXTENDED,
        PLAIN,
        *ROBUST.values(),
        NEAREST,
        "family known, least squares",
        KNOWING,
        POD,
    ]
    # Who knows the family finds the solution itself, and of another family not.
    assert by_name[KNOWING]["none"].estimate < 1e-4
    assert by_name[KNOWING]["waves"].estimate > 0.05
    assert by_name[NEAREST]["none"].estimate > 0.01
    assert list(mean.columns) == ["model", *SHIFTS]
    assert [row[0] for row in plain.rows] in ([*SHIFTS, TOGETHER], [*SHIFTS, TOGETHER, WITHIN])
    assert [table.title.removesuffix(", by time") for table in by_time] == [
        table.title for table in (extended, plain, robust, both, looked_up)
    ]
    assert (extended.title, plain.title) == ("VAE-DLM against extended VAE", "VAE-DLM against VAE")
    assert robust.title == "VAE-DLM, robust against VAE"
    assert both.title == "VAE-DLM, robust against VAE, robust"
    assert [row[0] for row in manifold.rows] == [OURS]
    assert [len(section.figures) for section in result.sections] == [1, 0, len(SHIFTS), 0]
    assert NEAREST.encode() in result.sections[0].figures[0].image
    assert "Of 6 kinds" in result.summary


def test_the_best_setting_is_chosen_by_the_geometric_mean():
    """By hand: a quarter of one error and twice the other are better than both as they are."""
    flat = lambda *errors: {kind: np.full((1, 4, 3), e) for kind, e in zip(("a", "b"), errors, strict=True)}
    found = {"one": flat(1.0, 0.1), "two": flat(0.25, 0.2), "three": flat(2.0, 0.1)}
    settings = {name: {"x": name} for name in found}
    chosen = dlm_choice.choose(settings, found, 1, "it")
    assert chosen.options == {"x": "two"}
    assert [row[-1] for row in chosen.table.rows] == pytest.approx([0.1**0.5, 0.05**0.5, 0.2**0.5])


def test_a_choice_ends_in_tables(tmp_path, monkeypatch):
    monkeypatch.setattr(dlm_choice, "hold", once)
    single = dataclasses.replace(TINY, replicates=1)
    common, geometry = {"kl_weight": (1e-4, 1e-3)}, {"flow_weight": (1.0, 2.0)}
    found = dlm_choice.of_case(tiny_case(), common, geometry, single, 2, 0, Console(quiet=True), tmp_path)
    shared, own, median, mean, *gained = found.tables
    assert [row[0] for row in shared.rows] == ["VAE: kl_weight=0.0001", "VAE: kl_weight=0.001"]
    assert [row[0] for row in own.rows] == ["VAE-DLM: flow_weight=1.0", "VAE-DLM: flow_weight=2.0"]
    assert shared.columns[1:-1] == list(VALIDATION_SHIFTS)
    assert not set(VALIDATION_SHIFTS) & set(SHIFTS)
    assert [row[0] for row in mean.rows] == [OURS, PLAIN, *ROBUST.values()]
    assert median.title.startswith("Tiny Burgers: ")
    titles = ["VAE-DLM against VAE", "VAE-DLM, robust against VAE, robust", "VAE-DLM, robust against VAE"]
    titles += [f"{title}, by time" for title in titles]
    assert [table.title for table in gained] == [f"Tiny Burgers: {title}" for title in titles]
    assert found.text.count("Of 6 kinds") == 3


def test_every_choice_is_one_that_the_models_take():
    for model, choices in ((ForecastVAE, dlm_choice.COMMON), (VAEDLM, dlm_choice.COMMON | dlm_choice.GEOMETRY)):
        for name, values in choices.items():
            for value in values:
                model(**{name: value})._check_params()


def test_an_ablation_ends_in_tables(tmp_path, monkeypatch):
    """One model under two names: then nothing is gained."""
    monkeypatch.setattr(dlm_ablation, "hold", once)
    changes = {name: dlm_ablation.CHANGES[name] for name in (OURS, dlm_ablation.NOTHING)}
    result = dlm_ablation.ablation_study(tiny_case(), changes, TINY, 0, Console(quiet=True), tmp_path)
    median, _, *gained, by_time, shapes = result.tables
    assert all(cell.estimate == 0 for row in by_time.rows for cell in row[1:])
    assert [row[0] for row in median.rows] == [row[0] for row in shapes.rows] == list(changes)
    for table in gained:
        assert [row[0] for row in table.rows] == [dlm_ablation.NOTHING]
        assert table.columns[1:] == [*SHIFTS, TOGETHER, WITHIN]
        assert all(cell is None or cell.estimate == 0 for cell in table.rows[0][1:])


@pytest.mark.parametrize("change", dlm_ablation.CHANGES)
def test_each_change_is_one_that_the_model_takes(change):
    usual, changed = VAEDLM(), VAEDLM(**dlm_ablation.CHANGES[change])
    changed._check_params()
    different = {name for name, value in changed.get_params().items() if value != getattr(usual, name)}
    assert different == set(dlm_ablation.CHANGES[change])


@pytest.mark.parametrize("module", [dlm_burgers, dlm_allen_cahn, dlm_ablation, dlm_choice])
def test_budgets_are_what_the_evidence_needs(module):
    for name, effort in module.BUDGETS.items():
        budget = effort[0] if isinstance(effort, tuple) else effort
        assert (budget.times - 1) % budget.every == 0
        assert budget.test >= 500
        assert budget.replicates >= (5 if name == "full" else 2)


@pytest.mark.parametrize("make", [dlm_burgers.burgers_case, dlm_allen_cahn.allen_cahn_case])
def test_who_knows_family_and_equation_is_right(make):
    case = make()
    training = case.training(TINY, 0)
    knowing = case.untrained(training, TINY)[KNOWING]
    whole = np.asarray(training.X).reshape(16, 5, 11)
    np.testing.assert_allclose(knowing.predict(whole[:, 0]), whole[:, ::2], atol=1e-4)
    assert set(case.contestants(TINY, 0)) == {OURS, EXTENDED, PLAIN, "VAE-DLM, as released"}
