"""Potential flows on a decoder that is known, on fitted models, and on what cannot be decoded."""

import functools
import json
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone

import latax
from latax import Autoencoder, ForecastVAE, MFlow, PotentialFlow, ProbabilisticPCA
from latax._errors import ConfigError, DataError, FileError
from latax.estimators.decoders import DecodeSignal, points_of, space_with, to_normal
from latax.estimators.signal_estimator import latents_of
from latax.models.latent_space import LatentSpace, StandardNormal
from latax.models.physics_vae import physics_vae
from latax.physics import pendulum
from latax.potential import Supervised, Wave, check_number


def stripes(z, side=5):
    """An image too small for convolutions, which take long to compile."""
    pixels = jnp.arange(side, dtype=z.dtype)
    return jnp.cos(pixels[:, None] * z[0] + pixels[None] * z[1] + z[2])[..., None]


SPACE = LatentSpace(3, StandardNormal(3), stripes)
TINY = {"steps": 12, "width_size": 8, "path_steps": 4, "progress": False}
ROWS = np.random.default_rng(0).normal(size=(60, 5)) @ np.random.default_rng(1).normal(size=(5, 5))


@functools.cache
def run() -> Path:
    """The folder of a finished run."""
    folder = Path(tempfile.mkdtemp()) / "run"
    PotentialFlow(SPACE, potentials=3, replicates=2, **TINY).fit(out=folder)
    return folder


@functools.cache
def fitted() -> PotentialFlow:
    return latax.load(run(), decoder=SPACE)


@functools.cache
def on_pca() -> PotentialFlow:
    return PotentialFlow(ProbabilisticPCA(latent_size=3).fit(ROWS), potentials=2, pde="none", **TINY).fit()


def test_paths_begin_at_their_points_and_the_way_back_ends_there():
    model = fitted()
    Z = model.draw(5, seed=1)
    there = model.traverse(Z, 1, steps=4)
    assert there.data.shape == (5, 4, 5, 5, 1)
    assert there.times.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(there.latent[:, 0], Z, atol=1e-5)
    decoded = jax.vmap(jax.vmap(SPACE.decode))(jnp.asarray(there.latent))
    np.testing.assert_allclose(there.data, decoded, atol=1e-5)
    back = model.traverse(there.latent[:, -1], 1, steps=4, backwards=True)
    assert back.times.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(back.latent[:, ::-1], there.latent, atol=1e-4)
    assert np.abs(there.latent[:, -1] - Z).max() > 0.05
    # Minus the velocity from the start is no way back.
    assert np.abs(model.compose(there.latent[:, -1], [0, -1, 0], steps=4).latent[:, -1] - Z).max() > 1e-4


def test_paths_may_start_from_data_where_the_decoder_encodes():
    model = on_pca()
    np.testing.assert_allclose(model.start(ROWS[:4]), model._decoder.transform(ROWS[:4]), atol=1e-5)
    with pytest.raises(ConfigError, match=r"The decoder is a LatentSpace, which encodes nothing"):
        fitted().start(np.zeros((1, 5, 5, 1)))
    with pytest.raises(ConfigError, match=r"k=2: there is no such potential; there are 2"):
        model.start(ROWS[:4], 2)


def test_copies_between_processes():
    model = on_pca()
    again = pickle.loads(pickle.dumps(model))
    Z = model.draw(3, seed=4)
    np.testing.assert_array_equal(again.draw(3, seed=4), Z)
    np.testing.assert_array_equal(again.traverse(Z, 1).data, model.traverse(Z, 1).data)


def test_what_is_kept_of_its_arguments(tmp_path, monkeypatch):
    described = lambda pde: PotentialFlow(SPACE, pde=pde)._params()["pde"]
    assert described(Wave(1.0)) == described(Wave(1.0)) != described(Wave(5.0))
    assert described(Wave(1.0)).endswith(")")
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)
    assert PotentialFlow("run")._params()["decoder"] == str(tmp_path / "run")
    model = PotentialFlow(SPACE)
    vars(model)["potentials"] = np.int64(3)
    assert json.dumps(model._params()["potentials"]) == "3"
    with pytest.raises(ConfigError, match=r"seed=-1 must be a whole number"):
        fitted().draw(seed=-1)


def test_compositions():
    model = fitted()
    Z = model.draw(3)
    np.testing.assert_allclose(model.compose(Z, [0, 0, 1]).latent, model.traverse(Z, 2).latent, atol=1e-6)
    assert np.ptp(model.compose(Z, [0, 0, 0]).latent, axis=1).max() < 1e-6


def test_draws_depend_on_the_seed_alone():
    model = fitted()
    np.testing.assert_array_equal(model.draw(4, seed=2), model.draw(4, seed=2))
    assert not np.array_equal(model.draw(4, seed=2), model.draw(4, seed=3))


def test_replicates_and_metrics():
    model = fitted()
    assert model.n_replicates_ == 2
    assert model.metrics_["path_loss"][model.best_] == model.metrics_["path_loss"].min()
    assert {"distinct", "equation", "initial", "guidance", "speed", "alignment"} == set(model.history_[-1]["terms"])


def test_each_replicate_has_its_own_paths():
    model = fitted()
    Z = model.draw(2)
    ends = [model.replicate(r).traverse(Z, 0, steps=2).latent[:, -1] for r in range(2)]
    assert np.abs(ends[0] - ends[1]).max() > 1e-2
    np.testing.assert_array_equal(ends[model.best_], model.traverse(Z, 0, steps=2).latent[:, -1])
    with pytest.raises(ConfigError, match=r"replicate=2 is not there: the fit has replicates 0 to 1"):
        model.replicate(2)


def test_accuracy_counts_pairs():
    model = fitted()
    told = model.which(model.draw(4), np.array([0, 1, 2, 0]), np.full(4, 0.5))
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-5)
    assert told.shape == (4, 3)
    # A share of 3 × 64 pairs, which the mean probability of the true path is not.
    pairs = 3 * 64 * model.assess().accuracy
    assert pairs == pytest.approx(round(pairs), abs=1e-9)


def test_alignment_is_asked_for_by_its_weight():
    plain, asked = (PotentialFlow(SPACE, potentials=2, alignment_weight=w, **TINY) for w in (0.0, 0.5))
    assert not plain._objective.aligned
    assert "alignment" not in plain._weights
    asked.fit()
    assert asked._weights["alignment"] == 0.5
    assert 0 < np.min(asked.history_[-1]["terms"]["alignment"]) < 4


def test_an_assessment_says_what_is_wrong_with_a_short_fit():
    found = fitted().assess()
    assert found.displacement.shape == (3, 64)
    assert 0.2 < found.displacement.mean() < 1.0
    assert found.round_trip.max() < 1e-3
    assert found.example.shape == (3, 9, 5, 5, 1)
    assert 0 < found.accuracy < 0.9
    names = {finding.name: finding.verdict for finding in found.diagnosis.findings}
    assert names["round trip error"] == "good"
    assert names["paths that stand still"] == "good"
    assert names["pairs given to a wrong path"] != "good"
    assert fitted().diagnose().verdict == found.diagnosis.verdict


def test_a_fitted_model_is_a_decoder_and_is_saved_with_the_potentials(tmp_path):
    model = on_pca()
    pca = model.decoder
    Z = model.draw(4)
    there = model.traverse(Z, 0, steps=3)
    assert there.data.shape == (4, 3, 5)
    np.testing.assert_allclose(there.data[:, -1], pca.inverse_transform(there.latent[:, -1]), atol=1e-4)
    # Its points are those of its own draws.
    assert (np.abs(Z[:, None] - np.asarray(model.space_.sample.points)[None]).sum(axis=2).min(axis=1) < 1e-5).all()
    model.save(tmp_path / "model")
    again = latax.load(tmp_path / "model")
    assert isinstance(again, PotentialFlow)
    np.testing.assert_allclose(again.traverse(Z, 0, steps=3).data, there.data, atol=1e-5)
    np.testing.assert_array_equal(again.draw(4), Z)
    assert again.metrics_["path_loss"] == pytest.approx(model.metrics_["path_loss"])
    assert "latax.load" in (tmp_path / "model" / "README.md").read_text()
    with pytest.raises(ConfigError, match=r"is a potential-flow, which decodes nothing itself"):
        PotentialFlow(str(tmp_path / "model"), **TINY).fit()


def test_a_space_is_given_again_or_named(tmp_path):
    model = fitted()
    model.save(tmp_path / "model")
    with pytest.raises(ConfigError, match=r"Load the model in Python by latax\.load\(path, decoder=\.\.\.\)"):
        latax.load(tmp_path / "model")
    again = latax.load(tmp_path / "model", decoder=SPACE)
    Z = model.draw(2)
    np.testing.assert_allclose(again.traverse(Z, 1).latent, model.traverse(Z, 1).latent, atol=1e-6)
    with pytest.raises(FileError, match=r"was fitted on a decoder of data of shape \(5, 5, 1\), and this one's have"):
        latax.load(tmp_path / "model", decoder=LatentSpace(3, StandardNormal(3), lambda z: stripes(z, 6)))
    (tmp_path / "own.py").write_text(
        "import jax.numpy as jnp\n"
        "from latax.models.latent_space import LatentSpace, StandardNormal\n"
        "pixels = jnp.arange(5.0)\n"
        "decode = lambda z: jnp.cos(pixels[:, None] * z[0] + pixels[None] * z[1] + z[2])[..., None]\n"
        "space = LatentSpace(3, StandardNormal(3), decode)\n"
    )
    named = latax.load(tmp_path / "model", decoder=f"{tmp_path / 'own.py'}:space")
    np.testing.assert_allclose(named.traverse(Z, 1).latent, model.traverse(Z, 1).latent, atol=1e-6)


def test_a_run_is_resumed_to_the_same_bits():
    assert {"config.json", "metrics.jsonl", "model", "checkpoints"} <= {p.name for p in run().iterdir()}
    again = PotentialFlow(SPACE, potentials=3, replicates=2, **TINY).fit(out=run(), resume=True)
    Z = again.draw(2)
    np.testing.assert_array_equal(again.traverse(Z, 0).latent, fitted().traverse(Z, 0).latent)
    assert again.steps_ == 0
    with pytest.raises(ConfigError, match=r"began with another params: speed was 0\.5, now 0\.4"):
        PotentialFlow(SPACE, potentials=3, replicates=2, speed=0.4, **TINY).fit(out=run(), resume=True)


class Scaled(eqx.Module):
    """A decoder with weights, and a function that lies elsewhere in memory each time it is made."""

    factor: jax.Array
    function: Callable

    def __call__(self, z):
        return self.function(self.factor * z)


def scaled(factor):
    return LatentSpace(3, StandardNormal(3), Scaled(jnp.array(factor), jax.jit(lambda z: stripes(z))))


def test_a_run_is_resumed_with_the_same_decoder_made_anew_and_not_with_other_weights(tmp_path):
    assert repr(scaled(1.0)) != repr(scaled(1.0))
    fit = lambda factor, **more: PotentialFlow(scaled(factor), potentials=2, pde="none", **TINY).fit(
        out=tmp_path, **more
    )
    first = fit(1.0)
    again = fit(1.0, resume=True)
    Z = again.draw(2)
    np.testing.assert_array_equal(again.traverse(Z, 0).latent, first.traverse(Z, 0).latent)
    with pytest.raises(ConfigError, match="began with another params: decoder was"):
        fit(2.0, resume=True)


def test_an_autoencoder_needs_data_to_know_where_its_points_are():
    encoder = Autoencoder(latent_size=2, width_size=4, steps=3, progress=False).fit(ROWS)
    with pytest.raises(DataError, match=r"'autoencoder' cannot draw samples, .* Give it data to encode: fit\(X\)"):
        PotentialFlow(encoder, **TINY).fit()
    np.testing.assert_allclose(points_of(encoder, ROWS), encoder.transform(ROWS), atol=1e-5)


def test_a_forecaster_decodes_whole_trajectories():
    options = {"latent_size": 2, "width_size": 4, "times_per_sample": 2, "steps": 2, "batch_size": 8, "dt": 1.0}
    model = ForecastVAE(**options, progress=False).fit(ROWS)
    space = space_with(model, points_of(model))
    Z = space.sample.points[:3]
    np.testing.assert_allclose(jax.vmap(space.decode)(Z), model.inverse_transform(np.asarray(Z)), atol=1e-4)
    assert space.decode(Z[0]).shape == (5,)


def test_parameters_of_a_physics_move_within_their_bounds(x64):
    module = physics_vae(pendulum(), np.linspace(0, 1.2, 4), width_size=4, inside_width=3, key=jax.random.key(0))
    # The one parameter, one inner and two outer corrections, and angle and velocity at first.
    row = jnp.array([1.9, 0.3, -0.2, 0.5, 0.7, -0.1])
    decode, point = DecodeSignal(module, (4,)), to_normal(module, row)
    np.testing.assert_allclose(
        eqx.filter_jit(decode)(point), module.decode(latents_of(module, row)).ravel(), rtol=1e-10
    )
    assert abs(float(point[0]) - 1.9) > 0.1
    far = eqx.filter_jit(decode)(point.at[0].set(40.0))
    assert np.isfinite(far).all()
    assert not np.isfinite(to_normal(module, row.at[0].set(40.0))[0])


def test_objects_and_scikit_learn():
    supervised = PotentialFlow(SPACE, potentials=2, pde=Wave(2.0), guidance=Supervised(jnp.sum), **TINY)
    copied = clone(supervised)
    assert float(copied._pde.speed) == 2.0
    assert isinstance(copied._objective.guidance, Supervised)
    assert "Supervised" in supervised._params()["guidance"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PotentialFlow(SPACE, potentials=1), r"potentials=1 must be a whole number of at least 2"),
        (lambda: PotentialFlow(SPACE, pde="waves"), r"there is no equation 'waves'"),
        (lambda: PotentialFlow(SPACE, guidance="jvp"), r"there is no guidance 'jvp'"),
        (lambda: PotentialFlow(SPACE).set_params(initial="rest"), r"there is no initial condition 'rest'"),
        (lambda: PotentialFlow(SPACE, activation="relu"), r"the equation Wave has second derivatives"),
        (lambda: PotentialFlow(SPACE, batch_size=10), r"batch_size=10 is not a multiple of potentials=4.* give 8"),
        (
            lambda: PotentialFlow(SPACE, guidance=Supervised(lambda x: jnp.sum(x, axis=(1, 2)))),
            r"has shape \(5,\); expected one number, or one for each of the 4 paths",
        ),
        (lambda: PotentialFlow(SPACE, alignment_weight=-1.0), r"alignment_weight=-1\.0 must be a number of 0 or more"),
        (lambda: PotentialFlow(SPACE, distinct_weight=-1.0), r"distinct_weight=-1\.0 must be a number of 0 or more"),
        (
            lambda: PotentialFlow(SPACE, reference=True, hold_norm=True),
            r"as released, where no norm is held. Drop hold",
        ),
        (lambda: PotentialFlow(SPACE, speed=0.0), r"speed=0\.0 must be a number greater than 0"),
        (lambda: PotentialFlow(SPACE).set_params(pairs="near"), r"pairs='near' is not known; give 'start' or"),
        (lambda: PotentialFlow(MFlow()), r"The decoder is a MFlow that is not fitted yet"),
        (lambda: PotentialFlow("nowhere/run"), r"There is no model nowhere/run"),
        (lambda: PotentialFlow("nowhere.py:space"), r"there is no file nowhere\.py"),
    ],
)
def test_settings_that_cannot_work(make, said):
    with pytest.raises((ConfigError, FileError), match=said):
        make().fit()


def test_verbs_refuse_what_is_not_there():
    model = fitted()
    Z = model.draw(2)
    with pytest.raises(ConfigError, match=r"k=3: there is no such potential; there are 3, numbered 0 to 2"):
        model.traverse(Z, 3)
    for k in (0.5, True, None, "one"):
        with pytest.raises(ConfigError, match=r"must be a whole number, from 0 to 2"):
            check_number(k, 3)
    assert len(model.module_.potentials) == len(list(model.module_.potentials)) == 3
    rows, half = np.zeros(len(Z), int), np.full(len(Z), 0.5)
    with pytest.raises(ConfigError, match=r"k=7: there is no such potential"):
        model.which(Z, rows + 7, half)
    with pytest.raises(DataError, match=r"s\[0\] = 3: expected a share of the way, from 0 to 1"):
        model.which(Z, rows, half + 2.5)
    with pytest.raises(DataError, match=r"k has shape .*expected one k and one s for each"):
        model.which(Z, [0], half)
    with pytest.raises(ConfigError, match=r"steps=1 must be a whole number of at least 2"):
        model.traverse(Z, 0, steps=1)
    with pytest.raises(DataError, match=r"Z has shape \(2, 2\); expected finite latent coordinates of"):
        model.traverse(Z[:, :2], 0)
    with pytest.raises(DataError, match=r"The weights have shape \(2,\); expected 3 finite numbers"):
        model.compose(Z, [1.0, 2.0])
