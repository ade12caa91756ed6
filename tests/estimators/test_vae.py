"""The plain variational autoencoder, as a user meets it, and as the decoder of traversals."""

import functools
import unittest.mock

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import latax
from latax import VAE, PotentialFlow
from latax._errors import DataError, DivergenceError
from latax.cli import main
from latax.data import Samples
from latax.nn import DiagonalGaussian

ROWS = 40
TINY = {"latent_size": 2, "width_size": 4, "steps": 6, "batch_size": 8, "progress": False}


@functools.cache
def points():
    """A line in R³, far from zero, with noise."""
    rng = np.random.default_rng(0)
    return 50 + 3 * (rng.normal(size=(ROWS, 1)) * [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=(ROWS, 3)))


@functools.cache
def fitted():
    return VAE(**TINY).fit(points())


def test_verbs_give_the_promised_shapes():
    model, x = fitted(), points()
    Z = model.transform(x)
    assert Z.shape == (ROWS, 2)
    assert model.latent_names_ == ("z0", "z1")
    np.testing.assert_allclose(model.inverse_transform(Z), model.project(x), rtol=1e-6)
    error = np.linalg.norm(model.project(x) - x, axis=1)
    np.testing.assert_allclose(model.reconstruction_error(x), error, rtol=1e-3)
    drawn = model.sample(7, seed=3)
    assert drawn.shape == (7, 3)
    np.testing.assert_array_equal(drawn, model.sample(7, seed=3))
    assert np.abs(drawn - 50).max() < 60
    assert model.first_weight_.shape[1] == 2


def test_its_bound_is_the_density_where_the_decoder_does_not_look():
    """With weights of zero, p(x) is a Gaussian about one point and q the prior: every draw gives the density."""
    prior = lambda features: DiagonalGaussian(jnp.zeros(2), jnp.zeros(2))
    still = eqx.tree_at(lambda m: (m.decoder, m.head), fitted().module_, (lambda z: jnp.zeros(3), prior))
    x = points()[:5].astype(np.float32)
    key = jax.random.key(0)
    weight = [float(still.log_weight(jnp.asarray(row)[None], None, key)) for row in x]
    loc, noise = float(still.loc), float(np.exp(still.log_noise))
    np.testing.assert_allclose(weight, scipy.stats.norm.logpdf(x, loc, noise).sum(axis=1), rtol=1e-5)


def test_longer_training_finds_the_line():
    model = VAE(**(TINY | {"width_size": 16, "steps": 400, "learning_rate": 1e-2})).fit(points())
    off = np.linalg.norm(points() - points().mean(axis=0), axis=1).mean()
    assert model.reconstruction_error(points()).mean() < 0.25 * off
    assert model.score(points()) > fitted().score(points()) + 1


def test_a_diverged_run_names_the_rows_of_the_data(monkeypatch):
    model = VAE(**TINY)
    for validation in (False, True):
        error = DivergenceError("It diverged.", rows=[2, 0, 1, 3], validation=validation)
        monkeypatch.setattr("latax.train.fit", unittest.mock.Mock(side_effect=error))
        rows = model.rows(ROWS)[validation]
        first = ", ".join(f"row {rows[i]} \\(the first row is 0\\)" for i in (2, 0, 1))
        with pytest.raises(DivergenceError, match=rf"^It diverged\. In array: {first}, \.\.\. \(1 more\)\.$") as caught:
            model.fit(points())
        # They are rows of the data that were given, and not of the part that was trained on.
        assert caught.value.rows == tuple(rows[[2, 0, 1, 3]])


def test_traversals_begin_at_its_prior(tmp_path):
    """And not at some encoded draws of it."""
    flow = PotentialFlow(fitted(), potentials=2, steps=2, width_size=4, path_steps=2, progress=False).fit()
    Z = flow.draw(4000, seed=1)
    assert len(np.unique(Z, axis=0)) == 4000
    assert scipy.stats.kstest(Z.ravel(), "norm").pvalue > 1e-3
    np.testing.assert_allclose(
        flow.traverse(Z[:3], 0, steps=2).data[:, 0], fitted().inverse_transform(Z[:3]), rtol=1e-5
    )
    flow.save(tmp_path / "saved")
    again = latax.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.draw(5, seed=2), flow.draw(5, seed=2))
    np.testing.assert_array_equal(again.traverse(Z[:3], 1, steps=2).data, flow.traverse(Z[:3], 1, steps=2).data)
    # Of given data, the encoded ones are the prior.
    own = PotentialFlow(fitted(), potentials=2, steps=1, width_size=4, path_steps=2, progress=False).fit(points())
    assert len(np.unique(own.draw(500), axis=0)) <= ROWS


def test_from_the_command_line(tmp_path, capsys):
    np.savez(tmp_path / "images.npz", x=np.random.default_rng(0).uniform(size=(20, 4, 4)))
    command = ["fit", "vae", str(tmp_path / "images.npz"), "--latent-size", "2", "--width-size", "4", "--steps", "2"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0, capsys.readouterr().err
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    assert main(["encode", str(tmp_path / "run"), str(tmp_path / "images.npz"), "--out", str(tmp_path / "z.csv")]) == 0
    assert latax.data.read(tmp_path / "z.csv").feature_names == ("z0", "z1")


def test_what_cannot_be_fitted():
    with pytest.raises(DataError, match="A vae takes no context"):
        VAE(**TINY).fit(Samples(points(), np.ones((ROWS, 1))))
    with pytest.raises(DataError, match="All rows are equal"):
        VAE(**TINY).fit(np.ones((ROWS, 3)))
