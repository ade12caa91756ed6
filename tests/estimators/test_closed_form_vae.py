"""The physics-integrated VAE of images and profiles, as a user meets it; one tiny fit serves most."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest

import latax
from latax import PhysicsVAE
from latax._errors import ConfigError, DataError, DataWarning
from latax.cli import main
from latax.data import Samples, galaxies
from latax.physics import ClosedForm, Parameter, exponential_disc
from latax.report.run import report_run

ROWS, TIMES = 40, np.linspace(0.0, 3.0, 12)
TINY = {"width_size": 8, "steps": 4, "batch_size": 16, "progress": False}


def decay(t, p):
    return p.height * jnp.exp(-p.rate * t)


DECAY = ClosedForm(decay, [Parameter("height", 0.5, 2.0), Parameter("rate", 0.1, 3.0)], TIMES)


@functools.cache
def profiles():
    rng = np.random.default_rng(0)
    height, rate = rng.uniform(0.6, 1.8, ROWS), rng.uniform(0.3, 2.5, ROWS)
    x = height[:, None] * np.exp(-rate[:, None] * TIMES) + 0.1 * np.sin(3 * TIMES)
    return Samples(x + 0.01 * rng.normal(size=x.shape), truth={"height": height, "rate": rate})


@functools.cache
def of_profiles():
    return PhysicsVAE(physics=DECAY, **TINY).fit(profiles())


@functools.cache
def discs():
    """Galaxies of 8 by 8 pixels; those of 32 by 32 are fitted on the command line."""
    rng = np.random.default_rng(0)
    truth = {name: rng.uniform(*bounds, ROWS) for name, bounds in galaxies.RANGES.items()}
    x = galaxies.render(truth, size=8)
    x += 0.01 * rng.normal(size=x.shape)
    return Samples(x.reshape(ROWS, -1), sample_shape=x.shape[1:], truth=truth)


@functools.cache
def of_discs():
    return PhysicsVAE(physics=exponential_disc(8), **TINY).fit(discs())


CASES = {"profiles": (profiles, of_profiles, 2), "images": (discs, of_discs, 4)}


@pytest.mark.parametrize("case", CASES)
def test_verbs_give_the_promised_shapes(case):
    (made, fitted, count) = CASES[case]
    data, model = made(), fitted()
    names = model._physics().parameters.names
    assert model.latent_names_ == (*names, "outside0", "outside1")
    assert model.times_ == []
    Z = model.transform(data)
    assert Z.shape == (ROWS, count + 2)
    shape = (ROWS, *data.sample_shape)
    assert model.project(data).shape == model.inverse_transform(Z).shape == shape
    error = np.linalg.norm((model.project(data) - np.asarray(data.X).reshape(shape)).reshape(ROWS, -1), axis=1)
    np.testing.assert_allclose(model.reconstruction_error(data), error, rtol=1e-4)
    ladder = model.ladder(data)
    np.testing.assert_allclose(ladder.full, model.project(data), atol=1e-5)
    assert model.sample(3, seed=1).shape == (3, *data.sample_shape)
    assert np.isfinite(model.score_samples(data)).all()
    found = model.parameters(data)
    for name in names:
        assert (found[name].low <= found[name].high).all()
        assert found[name].value.shape == (ROWS,)


def test_interventions_change_the_physics_and_nothing_else():
    model, data = of_profiles(), profiles()
    changed = model.intervene(data, height=1.0) - model.project(data)
    Z = model.transform(data)
    alone = (1.0 - Z[:, :1]) * np.exp(-Z[:, 1:2] * TIMES)
    # The correction may depend on the parameters; it starts at zero and has hardly moved.
    np.testing.assert_allclose(changed, alone, atol=0.02)


@pytest.mark.parametrize("case", CASES)
def test_files_and_reports(case, tmp_path):
    made, fitted, _ = CASES[case]
    data, model = made(), fitted()
    model.save(tmp_path / "run")
    again = latax.load(tmp_path / "run", physics=model.physics)
    np.testing.assert_array_equal(again.transform(data), model.transform(data))
    found = report_run(tmp_path / "report.html", model, data)
    assert {f.name for f in found.diagnosis.findings} >= {"share that corrections explain"}
    page = (tmp_path / "report.html").read_text()
    assert "Held-out images" in page if case == "images" else "Held-out sequences" in page
    assert "Parameter: " in page


def test_images_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "make", "galaxies", "--size", "24", "--out", "g.npz"]) == 0
    options = ["--steps=2", "--batch-size=8", "--outside-size=None", "--width-size=8", "--no-progress", "--out=run"]
    assert main(["fit", "physics-vae", "g.npz", "--physics=exponential-disc", *options]) == 0
    assert main(["encode", "run", "g.npz", "--out", "z.csv"]) == 0
    assert (tmp_path / "z.csv").read_text().startswith("intensity,")


def test_wrong_input_is_refused():
    with pytest.raises(DataError, match=r"has shape \(9,\).* makes \(12,\)"):
        PhysicsVAE(physics=DECAY, **TINY).fit(np.ones((20, 9)) * np.arange(1, 21)[:, None])
    with pytest.raises(ConfigError, match=r"dt=0\.1 belongs to a physics in time"):
        PhysicsVAE(physics=DECAY, dt=0.1, **TINY).fit(profiles())
    with pytest.raises(ConfigError, match="infers_initial"):
        PhysicsVAE(physics=DECAY, infers_initial=True, **TINY).fit(profiles())
    with pytest.raises(ConfigError, match="without time"):
        of_profiles().predict(profiles(), TIMES)


def test_a_formula_without_finite_values_is_named():
    broken = ClosedForm(lambda t, p: jnp.log(p.rate) * t, [Parameter("rate", -2.0, -1.0)], TIMES)
    with pytest.raises(DataError, match=r"256 of 256 draws .* among them rate=-1\.\d+\. .*mend its function"):
        PhysicsVAE(physics=broken, **TINY).fit(profiles())
    partly = ClosedForm(lambda t, p: jnp.log(p.rate) * t, [Parameter("rate", -0.1, 3.0)], TIMES)
    with pytest.warns(DataWarning, match="of 256 draws of its prior"), np.errstate(all="ignore"):
        PhysicsVAE(physics=partly, **TINY)._setting.try_prior(None, profiles())
