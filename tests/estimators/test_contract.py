"""What every estimator promises, whatever its model: shapes, units, round trips, seeds, context, faces of the data."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from latax import ManifoldDensity, ProbabilisticPCA
from latax._errors import ConfigError, DataError, DataWarning
from latax.data import LazyRows, Samples
from tests.estimators.cases import CASES, ROWS, TINY, contexts, fitted

every = pytest.mark.parametrize("name", CASES)
conditional = pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.uses_context])
standardising = pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.standardises])
close = {"rtol": 1e-4, "atol": 2e-5}


@every
def test_verbs_give_the_promised_shapes(name):
    case, model, X = CASES[name], fitted(name), CASES[name].data()
    d = X.shape[1]
    assert model.transform(X).shape == (ROWS, case.latent_size)
    assert model.base(X).shape == (ROWS, case.latent_size)
    assert model.inverse_transform(model.transform(X)).shape == (ROWS, d)
    assert model.project(X).shape == (ROWS, d)
    assert model.sample(5).shape == (5, d)
    assert model.interpolate(X[0], X[1], steps=4).shape == (4, d)
    assert model.reconstruction_error(X).shape == (ROWS,)
    assert model.score_samples(X).shape == (ROWS,)
    assert np.isfinite(model.score_samples(X)).all()
    assert model.score(X) == pytest.approx(float(model.log_prob(X).log_prob.mean()))
    assert model.n_features_in_ == d
    assert model.metrics_.keys() == set(case.keys)


@every
def test_projection_is_decode_of_encode_and_repeats_itself(name):
    model, X = fitted(name), CASES[name].data()
    projected = model.project(X)
    np.testing.assert_allclose(projected, model.inverse_transform(model.transform(X)), **close)
    np.testing.assert_allclose(model.project(projected), projected, **close)
    np.testing.assert_allclose(model.transform(projected), model.transform(X), rtol=1e-3, atol=1e-4)
    distance = np.linalg.norm(X - projected, axis=1)
    np.testing.assert_allclose(model.reconstruction_error(X), distance, **close)
    # The control: only a model with as many latent coordinates as columns leaves the data where they are.
    assert (distance.max() < 1e-4) == (CASES[name].latent_size == X.shape[1])


@every
def test_interpolation_begins_and_ends_at_the_projections(name):
    model, X = fitted(name), CASES[name].data()
    path = model.interpolate(X[0], X[1], steps=5)
    np.testing.assert_allclose(path[[0, -1]], model.project(X[:2]), **close)


def test_geodesics_of_a_sphere_are_great_circles():
    X = np.random.default_rng(0).normal(size=(40, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    model = ManifoldDensity(chart="sphere-2", latent_layers=1, **TINY).fit(X)
    a, b = model.project(np.array([[0.8, 0.0, 0.6], [0.0, 0.8, 0.6]]))
    line, curve = (model.interpolate(a, b, steps=9, along=along) for along in ("line", "geodesic"))
    t, angle = np.linspace(0, 1, 9)[:, None], np.arccos(a @ b)
    great_circle = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    np.testing.assert_allclose(curve, great_circle, atol=2e-3)
    assert np.abs(line - great_circle).max() > 0.05


def test_geodesics_of_a_linear_decoder_are_lines():
    X = np.random.default_rng(0).normal(size=(50, 4))
    pca = ProbabilisticPCA(latent_size=2).fit(X)
    line, curve = (pca.interpolate(X[0], X[1], steps=5, along=along) for along in ("line", "geodesic"))
    np.testing.assert_allclose(curve, line, atol=1e-5)


@every
def test_parts_of_the_log_density_add_up(name):
    case, model, X = CASES[name], fitted(name), CASES[name].data()
    scored = model.log_prob(X)
    np.testing.assert_allclose(scored.latent, model.transform(X), **close)
    np.testing.assert_array_equal(model.score_samples(X), scored.log_prob)
    if case.is_manifold:
        np.testing.assert_allclose(scored.log_prob, scored.log_base - scored.log_volume, **close)
        np.testing.assert_allclose(scored.reconstruction_error, model.reconstruction_error(X), **close)
        assert np.abs(scored.log_volume).max() > 0 or name == "manifold-density"  # the circle is not stretched


@every
def test_one_row_is_treated_as_in_a_table(name):
    model, X = fitted(name), CASES[name].data()
    for verb in (model.transform, model.project, model.score_samples, model.base):
        np.testing.assert_allclose(verb(X[7:8])[0], verb(X)[7], **close)


@every
def test_samples_depend_on_the_seed_alone(name):
    model = fitted(name)
    np.testing.assert_array_equal(model.sample(6, seed=3), model.sample(6, seed=3))
    assert not np.array_equal(model.sample(6, seed=3), model.sample(6, seed=4))


@every
def test_fits_of_one_seed_are_alike_to_the_bit(name):
    case, X = CASES[name], CASES[name].data()
    again = case.make().fit(X)
    np.testing.assert_array_equal(again.score_samples(X), fitted(name).score_samples(X))
    other = case.make(seed=1).fit(X)
    assert not np.array_equal(other.score_samples(X), fitted(name).score_samples(X))


@every
def test_public_module_agrees_in_data_units(name):
    model, X = fitted(name), CASES[name].data()

    @jax.jit
    @jax.vmap
    def verbs(x):
        u = model.module_.encode(x)
        return u, model.module_.decode(u), model.module_.log_prob(x).log_prob

    latent, projected, log_prob = verbs(jnp.asarray(X, jnp.float32))
    np.testing.assert_allclose(latent, model.transform(X), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(projected, model.project(X), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(log_prob, model.score_samples(X), rtol=1e-3, atol=1e-3)


@standardising
def test_density_follows_the_units_of_the_data(name):
    case, X, before = CASES[name], CASES[name].data(), fitted(name)
    factor = 64.0  # a power of two: the standardised numbers are the same to the bit
    after = case.make().fit(factor * X)
    # An ambient density is per d-dimensional volume even where the model has fewer latent coordinates.
    n = case.latent_size if case.is_manifold else X.shape[1]
    expected = before.score_samples(X) - n * np.log(factor)
    np.testing.assert_allclose(after.score_samples(factor * X), expected, rtol=1e-4, atol=1e-3)
    residual = factor * before.reconstruction_error(X)
    np.testing.assert_allclose(after.reconstruction_error(factor * X), residual, rtol=1e-3, atol=1e-3)
    assert np.abs(after.score_samples(factor * X) - before.score_samples(X)).min() > 1  # the control


@standardising
def test_a_large_offset_costs_no_digits(name):
    X, offset = CASES[name].data(), 1e6
    shifted = CASES[name].make().fit(X + offset)
    np.testing.assert_allclose(shifted.score_samples(X + offset), fitted(name).score_samples(X), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(shifted.project(X + offset) - offset, fitted(name).project(X), rtol=1e-3, atol=1e-4)
    # In single precision the offset alone would cost this much.
    assert np.abs((X + offset).astype(np.float32) - offset - X).max() > 1e-2


# ---- context


@conditional
def test_context_changes_the_density_and_must_be_given(name):
    model, X, theta = fitted(name, conditional=True), CASES[name].data(), contexts()
    scored = model.score_samples(X, context=theta)
    assert scored.shape == (ROWS,)
    assert not np.allclose(scored, model.score_samples(X, context=theta + 1))
    np.testing.assert_array_equal(scored, model.score_samples(Samples(X, theta)))
    np.testing.assert_array_equal(scored, model.score_samples(X, context=theta[:, 0]))
    with pytest.raises(
        DataError, match=r"fitted with 1 context column \(context0\), but none was given\. Give the context"
    ):
        model.transform(X)
    with pytest.raises(DataError, match=r"but 2 columns of context were given\. Give the context"):
        model.transform(X, context=np.ones((ROWS, 2)))
    with pytest.raises(DataError, match=rf"context has 3 rows and the data have {ROWS}"):
        model.transform(X, context=theta[:3])
    with pytest.raises(DataError, match="not finite"):
        model.transform(X, context=np.full((ROWS, 1), np.nan))
    with pytest.raises(DataError, match="part of these Samples already"):
        model.transform(Samples(X, theta), context=theta)


@conditional
def test_samples_under_one_context_row_or_one_each(name):
    model = fitted(name, conditional=True)
    one = model.sample(4, context=[[0.5]], seed=1)
    np.testing.assert_array_equal(one, model.sample(4, context=np.full((4, 1), 0.5), seed=1))
    assert not np.array_equal(one, model.sample(4, context=[[-0.5]], seed=1))
    with pytest.raises(DataError, match="context has 3 rows for 4 samples"):
        model.sample(4, context=np.zeros((3, 1)))
    path = model.interpolate(CASES[name].data()[0], CASES[name].data()[1], steps=3, context=[[0.5]])
    assert path.shape == (3, CASES[name].data().shape[1])


@every
def test_context_is_refused_where_the_model_has_none(name):
    with pytest.raises(
        DataError, match=r"fitted without context, but 1 column of context was given\. Leave the context out"
    ):
        fitted(name).score_samples(CASES[name].data(), context=contexts())


# ---- faces of the data


@every
def test_arrays_lists_frames_and_samples_are_the_same_data(name):
    case, X = CASES[name], CASES[name].data()
    expected = fitted(name).score_samples(X)
    np.testing.assert_array_equal(fitted(name).score_samples(X.tolist()), expected)
    np.testing.assert_array_equal(fitted(name).score_samples(Samples(X)), expected)
    np.testing.assert_allclose(fitted(name).score_samples(X.astype(np.float32)), expected, rtol=1e-3, atol=1e-3)
    columns = [f"column {i}" for i in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=columns)
    named = case.make().fit(frame)
    assert list(named.feature_names_in_) == columns == list(named.feature_names_)
    np.testing.assert_array_equal(named.score_samples(frame), expected)
    with pytest.raises(DataError, match="feature names should match"):
        named.score_samples(frame[columns[::-1]])
    with pytest.raises(DataError, match="columns are in another order"):
        named.score_samples(Samples(X[:, ::-1], feature_names=tuple(columns[::-1])))
    renamed = Samples(X, feature_names=tuple(f"other {i}" for i in range(X.shape[1])))
    with pytest.warns(DataWarning, match="columns are named other 0.* taken to be the same"):
        named.score_samples(renamed)


@pytest.mark.parametrize("name", ["probabilistic-pca"])
def test_images_keep_their_shape(name):
    case = CASES[name]
    flat = np.concatenate([case.data(), case.data()[::-1]], axis=1)
    images = flat.reshape(ROWS, 2, 3)
    model = case.make().fit(images)
    assert model.sample_shape_ == (2, 3)
    assert model.project(images).shape == (ROWS, 2, 3)
    assert model.sample(4).shape == (4, 2, 3)
    assert model.interpolate(images[0], images[1], steps=3).shape == (3, 2, 3)
    np.testing.assert_array_equal(model.transform(images), model.transform(flat))
    np.testing.assert_array_equal(model.project(images).reshape(ROWS, 6), model.project(flat).reshape(ROWS, 6))


@pytest.mark.parametrize("name", ["ambient-flow", "probabilistic-pca"])
def test_data_on_disk_can_be_fitted_and_scored(name):
    case, X = CASES[name], CASES[name].data()
    read = []

    def rows(index):
        read.append(len(range(*index.indices(ROWS))) if isinstance(index, slice) else len(index))
        return X[index]

    lazy = Samples(LazyRows(rows, X.shape, X.dtype, "test data"))
    model = case.make().fit(lazy)
    np.testing.assert_allclose(model.scaling_.loc, fitted(name).scaling_.loc, atol=1e-12)
    assert np.isfinite(model.score_samples(X)).all()
    read.clear()
    np.testing.assert_allclose(model.score_samples(lazy), model.score_samples(X), **close)
    assert sum(read) >= ROWS


# ---- replicates, copies, judgement


@pytest.mark.parametrize("name", ["manifold-density"])
def test_replicates_are_different_models_with_their_metrics(name, monkeypatch):
    case, X = CASES[name], CASES[name].data()
    model = case.make(replicates=2).fit(X)
    assert model.n_replicates_ == 2
    assert all(values.shape == (2,) for values in model.metrics_.values())
    assert len(set(model.metrics_["nll"])) == 2
    assert model.best_ == int(np.argmin(model.metrics_["nll"]))
    evaluate = type(model)._evaluate
    negative = lambda self, samples: {name: -value for name, value in evaluate(self, samples).items()}
    monkeypatch.setattr(type(model), "_evaluate", negative)
    assert case.make(replicates=2).fit(X).best_ == 1 - model.best_
    first, second = model.replicate(0), model.replicate(1)
    assert not np.array_equal(first.score_samples(X), second.score_samples(X))
    np.testing.assert_array_equal(model.score_samples(X), (first, second)[model.best_].score_samples(X))
    with pytest.raises(ConfigError, match="replicate=2 is not there: the fit has replicates 0 to 1"):
        model.replicate(2)


@every
def test_metrics_are_those_of_the_held_out_rows(name):
    case, model, X = CASES[name], fitted(name), CASES[name].data()
    training, held_out = model.rows(ROWS)
    assert not set(training) & set(held_out)
    assert len(training) + len(held_out) == ROWS
    assert model.metrics_["nll"][0] == pytest.approx(-model.score(X[held_out]), rel=1e-4)
    assert model.metrics_["nll"][0] != pytest.approx(-model.score(X[training]), rel=1e-4)
    if case.is_manifold:
        assert model.tolerance_ == pytest.approx(
            3 * np.quantile(model.reconstruction_error(X[held_out]), 0.99), rel=1e-3
        )


@every
def test_clone_is_a_new_estimator_with_the_same_parameters(name):
    copy = clone(fitted(name))
    assert copy.get_params() == fitted(name).get_params()
    assert not hasattr(copy, "models_")


@every
def test_diagnosis_says_something_about_the_fit(name):
    model, X = fitted(name), CASES[name].data()
    training, held_out = model.rows(ROWS)
    alone, compared = model.diagnose(X[held_out]), model.diagnose(X[held_out], training=Samples(X[training]))
    assert len(compared.findings) > len(alone.findings) > 0
    assert alone.verdict in ("unknown", "warning", "bad")  # Six rows are too few to say "good".
    if CASES[name].is_manifold:  # points far away are not on the manifold
        assert model.diagnose(X[held_out] + 30).verdict == "bad"


# ---- off the manifold


@pytest.mark.parametrize("name", ["mflow", "manifold-density"])
def test_points_off_the_manifold_are_projected_refused_or_marked(name):
    model, X = fitted(name), CASES[name].data()[:8]
    far = X.copy()
    far[2] += 50.0
    assert np.isfinite(model.log_prob(far).log_prob).all()
    marked = model.log_prob(far, off_manifold="nan").log_prob
    assert np.isnan(marked[2])
    assert np.isfinite(model.log_prob(far, off_manifold="nan", tolerance=1e9).log_prob).all()
    with pytest.raises(DataError, match=r"1 of 8 samples are off the manifold: .* row 2, at .* off_manifold='project'"):
        model.log_prob(far, off_manifold="raise", tolerance=20.0)
    near = model.log_prob(X, off_manifold="raise", tolerance=20.0)
    np.testing.assert_array_equal(near.log_prob, model.log_prob(X).log_prob)
