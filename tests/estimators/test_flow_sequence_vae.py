"""Sequences on potential flows, as a user meets them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import latax
from latax import FlowSequenceVAE
from latax._errors import ConfigError, DataError
from latax.data import Samples, catalogue
from latax.estimators import PotentialFlow
from latax.report.run import report_run

TIMES, ROWS = np.array([2.0, 2.5, 4.0]), 40
TINY = {
    "pde": "none",
    "latent_size": 2,
    "potentials": 2,
    "width_size": 4,
    "steps": 6,
    "batch_size": 8,
    "progress": False,
}


@functools.cache
def turning(known=True):
    """Points in the plane, of no matter what size, that turn one way or the other."""
    rng = np.random.default_rng(0)
    which = rng.integers(2, size=ROWS)
    angle = np.array([0.5, -0.5])[which, None] * (TIMES - 2)[None] + rng.uniform(0, 6, size=(ROWS, 1))
    x = 100 + 7 * np.stack([np.cos(angle), np.sin(angle)], axis=2)
    context = which[:, None].astype(float) if known else None
    return Samples(x.reshape(ROWS, -1), context, sample_shape=(3, 2), times=TIMES)


@functools.cache
def fitted(known=True, flow="potential"):
    return FlowSequenceVAE(flow=flow, **TINY).fit(turning(known))


@pytest.mark.parametrize(("known", "flow"), [(True, "potential"), (False, "linear"), (False, "none")])
def test_verbs_give_the_promised_shapes(known, flow):
    model, data = fitted(known, flow), turning(known)
    Z = model.transform(data)
    assert Z.shape == (ROWS, len(model.latent_names_)) == (ROWS, 6 if flow == "none" else 3)
    np.testing.assert_allclose(model.inverse_transform(Z), model.project(data), rtol=1e-6)
    error = np.linalg.norm(model.project(data).reshape(ROWS, -1) - data.X, axis=1)
    np.testing.assert_allclose(model.reconstruction_error(data), error, rtol=1e-3)
    context = [[1.0]] if known else None
    drawn = model.sample(5, context=context, seed=1)
    assert drawn.shape == (5, 3, 2)
    np.testing.assert_array_equal(drawn, model.sample(5, context=context, seed=1))
    # In the units of the data.
    assert np.abs(drawn - 100).max() < 100
    assert np.abs(np.mean(drawn) - 100) < 20
    found = model.bounds(data, draws=4)
    assert found.elbo.shape == (ROWS,)
    assert (found.iwae >= found.elbo - 1e-6).all()
    assert model.metrics_.keys() == {"bound", "reconstruction_error"}
    # The number of rows in a call changes nothing.
    few = data.take(np.arange(3))
    np.testing.assert_allclose(model.score_samples(few), model.score_samples(data)[:3], rtol=1e-4)


def test_bounds_are_those_of_the_modules_own_densities():
    model, data = fitted(), turning()
    module = model.module_
    x, k = jnp.asarray(data.X[0], jnp.float32).reshape(3, 2), jnp.asarray(int(data.context[0, 0]))
    z = module.posterior(x).mean
    fit, prior = module.log_parts(x, z, k)
    path = np.asarray(jax.vmap(module.decode)(module.states(z, k)[0]))
    wanted = scipy.stats.norm(path, float(np.exp(module.log_noise))).logpdf(np.asarray(x)).sum()
    assert float(fit) == pytest.approx(wanted, rel=1e-4)
    assert float(prior) == pytest.approx(scipy.stats.norm.logpdf(np.asarray(z)).sum(), rel=1e-4)
    # Other units of the data change the model by them, and its density by the logarithm of their ratio.
    other = Samples(64 * np.asarray(data.X), data.context, sample_shape=(3, 2), times=TIMES)
    again = FlowSequenceVAE(**TINY).fit(other)
    np.testing.assert_allclose(again.project(other), 64 * model.project(data), rtol=1e-4)
    frames = 64 * x
    scaled = again.module_.log_parts(frames, z, k)
    assert float(scaled[0]) == pytest.approx(float(fit) - 6 * np.log(64), rel=1e-3)
    assert float(scaled[1]) == pytest.approx(float(prior), rel=1e-3)


def test_transformations_are_followed_from_a_frame():
    model, data = fitted(), turning()
    frames = np.asarray(data.X).reshape(ROWS, 3, 2)[:, 0]
    made = np.stack([model.predict(frames, k) for k in range(2)])
    assert made.shape == (2, ROWS, 3, 2)
    own = made[data.context[:, 0].astype(int), np.arange(ROWS)]
    np.testing.assert_allclose(own, model.project(data), rtol=1e-5)
    assert np.abs(made[0] - made[1])[:, 1:].max() > 1e-3
    np.testing.assert_allclose(made[0][:, 0], made[1][:, 0], rtol=1e-5)


def test_longer_training_rebuilds_and_knows_which(tmp_path):
    options = TINY | {"steps": 150, "width_size": 12, "learning_rate": 1e-2}
    longer = FlowSequenceVAE(**options).fit(turning())
    assert longer.metrics_["bound"] < fitted().metrics_["bound"] - 1
    Z = longer.transform(turning())
    assert set(Z[:, -1].tolist()) == {0.0, 1.0}


def test_files_and_reports(tmp_path):
    model, data = fitted(), turning()
    model.save(tmp_path / "model")
    again = latax.load(tmp_path / "model")
    np.testing.assert_allclose(again.transform(data), model.transform(data), rtol=1e-6)
    report_run(tmp_path / "report.html", model, data)
    page = (tmp_path / "report.html").read_text()
    assert "nll, upper bound (nats)" in page
    assert "Flow factorized representation learning" in page
    with pytest.raises(ConfigError, match=r"A FlowSequenceVAE has flows of its own"):
        PotentialFlow(str(tmp_path / "model")).fit()


def test_digit_sequences_may_say_their_transformation():
    plain, known = (catalogue.make("digit-sequences", 3, seed=1, known=known) for known in (False, True))
    assert plain.context is None
    assert known.context_names == ("transformation",)
    np.testing.assert_array_equal(known.context[:, 0], plain.truth["transformation"])


@pytest.mark.parametrize(
    ("options", "data", "said"),
    [
        ({"flow": "straight"}, turning, r"flow='straight' is not known; give 'potential', 'linear' or 'none'"),
        ({"flow": "linear", "potentials": 3}, turning, r"potentials=3 with latent_size=2: there are no more different"),
        ({"potentials": 1}, turning, r"values from 0 to 1; expected one column of whole numbers from 0 to 0"),
        ({"at": 3}, turning, r"at=3: there is no such frame; the sequences have 3"),
        ({"pde": "waves"}, turning, r"there is no equation 'waves'"),
        ({"dt": 1.0}, turning, r"dt=1\.0 was given, but the data have times of their own"),
        ({}, lambda: Samples(np.ones((9, 6)), sample_shape=(3, 2), times=TIMES), r"All rows are equal"),
        ({}, lambda: Samples(turning().X, turning().context + 0.5, (), (), (3, 2), times=TIMES), r"whole numbers"),
    ],
)
def test_what_cannot_be_fitted(options, data, said):
    with pytest.raises((ConfigError, DataError), match=said):
        FlowSequenceVAE(**TINY).set_params(**options).fit(data())


@pytest.mark.parametrize("at", [0, 1])
def test_a_path_goes_through_the_frame_that_it_starts_from_and_back(at):
    model = fitted() if at == 0 else FlowSequenceVAE(**TINY, at=at).fit(turning())
    sequences = turning().X[:3].reshape(3, 3, 2)
    Z = model.start(sequences[:, at], 1)
    for same in (sequences, sequences.reshape(3, -1), turning().take(slice(3)), turning(False).take(slice(3))):
        np.testing.assert_array_equal(Z, model.start(same, 1))
    np.testing.assert_array_equal(Z, model.start(sequences[:, at].tolist(), 1))
    path = model.traverse(Z, 1, steps=5)
    assert path.times.tolist() == [2, 2.5, 3, 3.5, 4]
    assert path.data.shape == (3, 5, 2)
    # The times of the data are the first, second and last of them.
    np.testing.assert_allclose(path.data[:, [0, 1, 4]], model.predict(sequences[:, at], 1), rtol=1e-5)
    encoded = model.transform(Samples(sequences.reshape(3, -1), np.ones((3, 1)), sample_shape=(3, 2), times=TIMES))
    # To the error of the solver, which takes steps of its own from frame to frame.
    np.testing.assert_allclose(path.latent[:, at], encoded[:, :2], atol=1e-4)
    back = model.traverse(path.latent[:, -1], 1, steps=5, backwards=True)
    assert back.times.tolist() == [4, 3.5, 3, 2.5, 2]
    np.testing.assert_allclose(back.latent[:, -1], Z, atol=1e-4)
    np.testing.assert_allclose(path.latent[:, -1], model.start(sequences, 1, backwards=True), atol=2e-3)
    other = model.traverse(Z, 0, steps=5).latent
    assert np.abs(other - path.latent).max() > 1e-2
    np.testing.assert_allclose(model.compose(Z, [1, 0], steps=5).latent, other, atol=1e-6)


def test_draws_are_those_of_the_prior():
    Z = fitted().draw(4000, seed=3)
    assert Z.shape == (4000, 2)
    assert all(scipy.stats.kstest(column, "norm").pvalue > 1e-3 for column in Z.T)
    np.testing.assert_array_equal(Z, fitted().draw(4000, seed=3))


def test_verbs_refuse_what_is_not_there():
    model = fitted()
    with pytest.raises(ConfigError, match=r"every frame is by itself.* Fit with flow='potential'"):
        fitted(False, "none").draw()
    for shape in ((1, 3), (0, 2)):
        with pytest.raises(DataError, match=r"Z has shape .*; expected finite .* of shape \(N, 2\)"):
            model.traverse(np.zeros(shape), 0)
    moved = Samples(turning().X, sample_shape=(3, 2), times=TIMES + 1)
    with pytest.raises(DataError, match=r"is at time 3, and the model was fitted on sequences where it is at 2"):
        model.start(moved, 0)
    with pytest.raises(ConfigError, match=r"decodes whole sequences. Fit a VAE to their frames"):
        PotentialFlow(fitted(False, "none")).fit()
    with pytest.raises(ConfigError, match=r"k=2: there is no such potential; there are 2"):
        model.predict(np.zeros((1, 2)), 2)
    with pytest.raises(DataError, match=r"The frames have shape \(1, 3\); expected finite numbers of shape \(N, 2\)"):
        model.predict(np.zeros((1, 3)), 0)
    with pytest.raises(DataError, match=r"expected one column of whole numbers from 0 to 1"):
        model.inverse_transform(np.array([[0.0, 0.0, 2.0]]))
    with pytest.raises(ConfigError, match=r"every frame is by itself"):
        fitted(False, "none").predict(np.zeros((1, 2)), 0)
