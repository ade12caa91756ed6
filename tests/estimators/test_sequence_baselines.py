"""Models of sequences without physics, as a user meets them."""

import functools

import numpy as np
import pytest

import latax
from latax import NeuralODEVAE, SequenceVAE
from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.report.run import report_run
from tests.estimators.test_physics_vae import ROWS, TIMES, springs

TINY = {"width_size": 4, "steps": 6, "batch_size": 16, "progress": False}
KINDS = {
    "sequence-vae": (SequenceVAE, {"latent_size": 3}, ("z0", "z1", "z2")),
    "neural-ode-vae": (
        NeuralODEVAE,
        {"order": 2, "inside_width": 3, "inside_size": 1, "outside_size": 1, "every": 2},
        ("inside0", "outside0", "initial0_0", "initial1_0"),
    ),
}


@functools.cache
def fitted(name):
    cls, options, _ = KINDS[name]
    return cls(**options, **TINY).fit(springs())


@pytest.mark.parametrize("name", KINDS)
def test_verbs_give_the_promised_shapes(name):
    model, data = fitted(name), springs()
    assert model.name == name
    assert model.latent_names_ == KINDS[name][2]
    Z = model.transform(data)
    assert Z.shape == (ROWS, len(model.latent_names_))
    np.testing.assert_allclose(model.inverse_transform(Z), model.project(data), atol=1e-6)
    error = np.linalg.norm(model.project(data) - data.X, axis=1)
    np.testing.assert_allclose(model.reconstruction_error(data), error, rtol=1e-4)
    longer = np.concatenate([TIMES, TIMES[-1] + TIMES[1:]])
    # An even number of intervals: the steps of the solver end where they did.
    np.testing.assert_allclose(model.predict(data, longer)[:, :9], model.project(data), atol=1e-5)
    assert model.sample(5).shape == (5, 9)
    assert np.isfinite(model.score_samples(data)).all()


@pytest.mark.parametrize("name", KINDS)
def test_files_and_reports(name, tmp_path):
    model, data = fitted(name), springs()
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(latax.load(tmp_path / "model").transform(data), model.transform(data))
    found = report_run(tmp_path / "report.html", model, data)
    assert "Beyond the data" in (tmp_path / "report.html").read_text()
    # Distances of whole sequences, as the reconstruction error is one.
    assert found.data_scale == pytest.approx(np.sqrt(held_out(model).var(axis=0).sum()))
    np.testing.assert_allclose(found.errors, model.reconstruction_error(held_out(model)), rtol=1e-5)


def held_out(model):
    return np.asarray(springs().X)[model.rows(ROWS)[1]]


def test_training_lowers_the_error():
    longer = SequenceVAE(latent_size=3, **(TINY | {"steps": 300, "width_size": 16})).fit(springs())
    assert longer.metrics_["reconstruction_error"] < 0.7 * fitted("sequence-vae").metrics_["reconstruction_error"]


@pytest.mark.parametrize(
    ("model", "data", "error", "message"),
    [
        (SequenceVAE(latent_size=0), springs(), ConfigError, "latent_size"),
        (NeuralODEVAE(order=0), springs(), ConfigError, "order"),
        (NeuralODEVAE(every=0), springs(), ConfigError, "every"),
        (NeuralODEVAE(inside_size=-1), springs(), ConfigError, "inside_size"),
        (SequenceVAE(), springs().X, ConfigError, "their times are not known. Give dt"),
        (SequenceVAE(), Samples(springs().X, times=TIMES, context=np.ones((ROWS, 1))), DataError, "takes no context"),
    ],
)
def test_what_cannot_work_is_refused(model, data, error, message):
    with pytest.raises(error, match=message):
        model.fit(data)


def test_several_observed_numbers():
    x = np.stack([np.cos(TIMES), np.sin(TIMES)], axis=1) * np.random.default_rng(0).uniform(1, 2, (20, 1, 1))
    model = NeuralODEVAE(dt=0.25, inside_width=3, **TINY).fit(x)
    assert model.project(x).shape == (20, 9, 2)
    assert model.latent_names_[-2:] == ("initial0_0", "initial0_1")
