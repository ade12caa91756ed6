"""The measures of the galaxies' study against a model that knows the truth, and a ladder so small it means nothing."""

import functools

import numpy as np
import pytest
from rich.console import Console

from latax import PhysicsVAE
from latax.data import galaxies, stacked
from latax.estimators.physics_vae import Estimate
from latax.studies import physics_galaxy
from latax.studies.contest import hold
from latax.studies.physics_galaxy import FALLING, KNOWN, Galaxies, galaxy_case
from latax.studies.physics_ladder import BARE, BEST, Budget

FEW = 8


@functools.cache
def data(rows=FEW, seed=0):
    return galaxies.make(rows, seed)


def tiny_case():
    return Galaxies(
        training=stacked(data(16, 1), data(4, 2)),
        test=data(),
        ours={"ppc": 0.0, "effort": 1.0, "cleansing": 0.0, "augmentation": 0.0, "simulation": 0.0},
        common={"batch_size": 8, "outside_size": 1, "width_size": 4, "progress": False},
    )


class Knowing(PhysicsVAE):
    """Answers with the truth, plus an error of the angle that goes round the circle."""

    off = np.pi + 0.1

    def parameters(self, X, *, level=0.9, discrepancy=True, seed=0):
        value = lambda name: data().truth[name] + (self.off if name == "angle" else 0.0)
        width = {"intensity": 0.1, "radius": -0.1, "ellipticity": 0.1, "angle": 0.2}
        return {name: Estimate(value(name), value(name) - width[name], value(name) + width[name]) for name in KNOWN}

    def intervene(self, X, *, times=None, **parameters):
        return galaxies.render({name: data().truth[name] for name in galaxies.RANGES} | parameters)


def test_measures_of_known_errors():
    measures = tiny_case().contest().measures
    model = Knowing(physics="exponential-disc")
    assert measures["angle MAE"](model) == pytest.approx(0.1, abs=1e-5)
    assert measures["radius MAE"](model) == 0
    assert measures["known ones in their 90 % intervals"](model) == 0.75  # The interval of the radius is empty.
    right, wrong = Knowing(physics="exponential-disc"), Knowing(physics="exponential-disc")
    right.off, wrong.off = 0.0, 0.3
    assert measures["error when turned"](right) == pytest.approx(0.0, abs=1e-9)
    assert measures["error when turned"](wrong) > 0.1
    assert measures["angle MAE"](object()) is None


def test_a_ladder_has_numbers_for_all_that_know_them(tmp_path):
    case = tiny_case()
    models = case.ladder(Budget(steps=2, ablation_steps=1, replicates=1), 0)
    assert list(models) == ["NN only", "physics only", BARE, BEST, FALLING, "PCA"]
    assert (models[FALLING].effort, models[FALLING].final_effort) == (1.0, 0.05)
    some = {name: models[name] for name in ("NN only", BEST, "PCA")}
    results = hold(case.contest(), some, Console(quiet=True), tmp_path)
    table = physics_galaxy._with_truth(results.table(), case.test)
    found = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert found["NN only"]["angle MAE"] is found["PCA"]["share of the physics"] is None
    assert np.isfinite(found[BEST]["error when turned"].estimate)
    noise = np.linalg.norm(np.asarray(data().X) - data().truth["signal"].reshape(FEW, -1), axis=1).mean()
    assert found["the truth, without noise"]["reconstruction error"] == pytest.approx(noise)


def test_the_case_has_the_sizes_it_names(monkeypatch):
    asked, make = [], galaxies.make
    monkeypatch.setattr(galaxies, "make", lambda n, seed: (asked.append((n, seed)), make(2, seed))[1])
    case = galaxy_case()
    assert asked == [(4000, 1234), (1000, 1235), (1000, 1236)]
    ablations = case.ablations(Budget(steps=10, ablation_steps=7, replicates=5), 0)
    assert {model.steps for model in ablations.values()} == {7}
    assert ablations["without effort"].effort == 0
