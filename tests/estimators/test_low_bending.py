"""The low-bending autoencoder as a user meets it: built-in and own manifolds, wrong input, files; one tiny fit."""

import functools
import math

import jax.numpy as jnp
import numpy as np
import pytest

import latax
from latax import Autoencoder, LowBendingAutoencoder
from latax._errors import ConfigError, DataError
from latax.cli import main
from latax.data import Samples
from latax.data.catalogue import make
from latax.data.rendered import RenderedManifold
from latax.estimators.manifolds import BUILT_IN, find_manifold
from latax.geometry import FlatTorus
from latax.report.run import report_run

TINY = {"latent_size": 3, "steps": 8, "batch_size": 8, "progress": False}

OWN = """
import math
import jax.numpy as jnp
from latax.data.rendered import RenderedManifold
from latax.geometry import FlatTorus

def draw(angle):
    x = jnp.linspace(-1, 1, 8).astype(angle.dtype)
    row = lambda centre: jnp.exp(-8 * (x - centre) ** 2)
    return (row(0.5 * jnp.sin(angle[0]))[:, None] * row(0.5 * jnp.cos(angle[0]))[None])[..., None]

blob = RenderedManifold(FlatTorus(2 * math.pi), draw, "blob", (8, 8, 1))
"""


@functools.cache
def blob():
    names: dict = {}
    exec(OWN, names)
    return names["blob"]


@functools.cache
def data(rows=32):
    return blob().samples(rows, 0)


@functools.cache
def fitted():
    return LowBendingAutoencoder(manifold=blob(), **TINY).fit(data())


def test_verbs_give_the_promised_shapes():
    model, X = fitted(), data()
    Z = model.transform(X)
    assert Z.shape == (32, 3)
    assert model.inverse_transform(Z).shape == (32, 8, 8, 1)
    np.testing.assert_allclose(model.inverse_transform(Z), model.project(X), atol=1e-5)
    error = np.linalg.norm((model.project(X).reshape(32, -1) - X.X).reshape(32, -1), axis=1)
    np.testing.assert_allclose(model.reconstruction_error(X), error, rtol=1e-3)
    assert model.interpolate(X.X[0], X.X[1], steps=4).shape == (4, 8, 8, 1)
    with pytest.raises(ConfigError, match="along='arc' is not known; give 'line' or 'geodesic'"):
        model.interpolate(X.X[0], X.X[1], along="arc")
    assert set(model.metrics_) == {"energy", "distortion", "bending", "reconstruction_error"}
    assert not hasattr(model, "sample")


def test_fits_and_files_repeat(tmp_path):
    model, X = fitted(), data()
    again = LowBendingAutoencoder(manifold=blob(), **TINY).fit(X)
    np.testing.assert_array_equal(model.transform(X), again.transform(X))
    model.save(tmp_path / "model")
    loaded = latax.load(tmp_path / "model", manifold=blob())
    np.testing.assert_array_equal(model.transform(X), loaded.transform(X))
    with pytest.raises(ConfigError, match=r"latax\.load\(path, manifold=\.\.\.\)"):
        latax.load(tmp_path / "model")


def test_a_report_and_a_diagnosis(tmp_path):
    found = report_run(tmp_path / "report.html", fitted(), data())
    page = (tmp_path / "report.html").read_text()
    for title in ("The embedding", "Lengths", "Straight lines", "From one image to another"):
        assert title in page
    assert "latax sample" not in page
    names = [finding.name for finding in found.diagnosis.findings]
    assert names[:2] == ["energy / lowest possible energy", "far points drawn together"]
    assert found.lowest == pytest.approx(0.09806, abs=1e-4)
    chance = 200 * found.energy_error / found.lowest
    assert chance > 0
    assert f"two standard errors of the pairs are {chance:.3g} %" in found.diagnosis.findings[0].advice
    assert found.interpolation is not None
    # Far apart, the mean of two blobs is no blob halfway.
    assert found.interpolation.averaged[-1] > found.interpolation.averaged[0]


def test_encoders_alone_encode(tmp_path):
    model = LowBendingAutoencoder(manifold=blob(), decoder=False, start="none", **TINY).fit(data())
    assert [record["phase"] for record in model.history_][-1] == "embedding"
    assert model.transform(data()).shape == (32, 3)
    with pytest.raises(ConfigError, match="decoder=False"):
        model.project(data())
    assert report_run(tmp_path / "report.html", model, data()).interpolation is None


def test_lengths_are_in_units_of_the_manifold():
    degrees = RenderedManifold(FlatTorus(360.0), lambda a: blob().render(a * math.pi / 180), "degrees", (8, 8, 1))
    model = LowBendingAutoencoder(manifold=degrees, decoder=False, start="none", **TINY)
    assert model._law(degrees.manifold).outer == pytest.approx(0.5 * 180 / math.pi)
    model.fit(degrees.samples(16, 0))
    assert model._weight == pytest.approx(0.1 * (180 / math.pi) ** 2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"manifold": "sundail"}, ConfigError, "Did you mean 'sundial'"),
        ({"manifold": "nowhere.py:blob"}, latax._errors.FileError, "there is no file nowhere.py"),
        ({"activation": "relu"}, ConfigError, "'relu' has kinks, whose bending is infinite"),
        ({"activation": "selu"}, ConfigError, "no activation 'selu'"),
        ({"farthest": 4.0}, ConfigError, r"unique only below its injectivity radius, 3\.14159"),
        ({"nearest": 0.001}, ConfigError, "nearest=0.001 is below 0.01 of the manifold's length"),
        ({"nearest": 0.6}, ConfigError, "expected 0 < inner < outer"),
        ({"distortion": "square"}, ConfigError, "no distortion 'square'"),
        ({"distances": "cube"}, ConfigError, "distances='cube' is not one of annulus, ball"),
        ({"start": "warm"}, ConfigError, "start='warm' is not known"),
        (
            {"reconstruction_weight": 1.0, "decoder": False},
            ConfigError,
            "asks for a decoder, and decoder=False",
        ),
        ({"bending_weight": -1.0}, ConfigError, "bending_weight=-1.0 must be a number of 0 or more"),
        ({"latent_size": 0}, ConfigError, "latent_size=0"),
    ],
)
def test_what_cannot_work_is_refused(options, error, message):
    model = LowBendingAutoencoder(manifold=blob(), **TINY)
    for name, value in options.items():
        setattr(model, name, value)  # the run-time type checks of these tests refuse some in the constructor
    with pytest.raises(error, match=message):
        model.fit(data())


def test_data_that_cannot_be_meant_are_refused():
    model, X = LowBendingAutoencoder(manifold=blob(), **TINY), np.array(data().X)
    with pytest.raises(DataError, match=r"shape \(64,\), and 'blob' renders images of \(8, 8, 1\)"):
        model.fit(X)
    with pytest.raises(DataError, match="All rows are equal"):
        model.fit(np.ones((16, 8, 8, 1)))
    with pytest.raises(DataError, match="takes no context"):
        model.fit(X.reshape(-1, 8, 8, 1), context=np.zeros((32, 1)))
    X[3, 5] = np.nan
    with pytest.raises(DataError, match="1 value NaN"):
        model.fit(X.reshape(-1, 8, 8, 1))
    with pytest.raises(DataError, match="1 row"):
        model.fit(X[:1].reshape(-1, 8, 8, 1))


def test_own_manifold_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    np.savez("blobs.npz", x=np.asarray(data().X).reshape(-1, 8, 8, 1))
    options = ["--steps", "8", "--batch-size", "8", "--latent-size", "3", "--no-progress"]
    assert main(["fit", "low-bending", "blobs.npz", "--manifold", "own.py:blob", "--out", "run", *options]) == 0
    assert "energy" in capsys.readouterr().out
    assert main(["encode", "run", "blobs.npz", "--out", "z.csv"]) == 0
    assert main(["sample", "run", "--out", "x.npz"]) != 0
    assert "draws no samples" in capsys.readouterr().err


def test_built_in_sets_have_a_manifold_of_their_name():
    for name in BUILT_IN:
        assert find_manifold(name).image_shape == tuple(make(name, 1, 0).sample_shape)
    assert find_manifold(blob()) is blob()


def test_a_plain_autoencoder_of_tables_and_images(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 2)) @ np.random.default_rng(1).normal(size=(2, 5))
    model = Autoencoder(**{**TINY, "latent_size": 2, "width_size": 6}, activation="relu").fit(X)
    assert model.transform(X).shape == (40, 2)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(latax.load(tmp_path / "model").project(X), model.project(X))
    found = report_run(tmp_path / "report.html", model, Samples(X))
    assert found.pca_error == pytest.approx(0, abs=1e-6)
    assert "reconstruction error / that of PCA" in str(found.diagnosis)
    assert jnp.isfinite(model.module_.encode(jnp.zeros(5))).all()
