"""What users get wrong: every message says what is wrong with which value, what was expected, and what to do."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from latax import AmbientFlow, ManifoldDensity, MFlow, ProbabilisticPCA
from latax._errors import ConfigError, DataError, DataWarning
from latax.data import Samples
from tests.estimators.cases import CASES, ROWS, bent_plane, fitted

every = pytest.mark.parametrize("name", CASES)


# ---- data that cannot be fitted


@every
def test_values_that_are_not_finite_are_counted_and_located(name):
    X = CASES[name].data()
    X[3, 1], X[5, 0], X[5, 1] = np.nan, np.inf, np.nan
    message = (
        rf"2 values NaN or missing and 1 infinite, in 2 of {ROWS} rows; the first is nan in row 3 .*column 'x1'.*"
        "Remove these rows"
    )
    with pytest.raises(DataError, match=message):
        CASES[name].make().fit(X)
    with pytest.raises(DataError, match=message):
        CASES[name].make().fit_samples(Samples(X))
    with pytest.raises(DataError, match=message):
        fitted(name).transform(X)


@every
def test_a_context_that_is_not_finite_is_refused(name):
    with pytest.raises(DataError, match=r"The context has shape \(64, 1\) and 64 values that are not finite"):
        CASES[name].make().fit(CASES[name].data(), context=np.full(ROWS, np.inf))
    theta = np.zeros((ROWS, 1))
    theta[9] = np.nan
    with pytest.raises(DataError, match=r"the context of array is not finite .* row 9"):
        CASES[name].make().fit_samples(Samples(CASES[name].data(), theta))


@every
def test_one_row_is_not_a_distribution(name):
    X = CASES[name].data()[:1]
    with pytest.raises(DataError, match=r"The data have 1 row .* Give at least 2"):
        CASES[name].make().fit(X)
    with pytest.raises(DataError, match=r"The data have 1 row"):
        CASES[name].make().fit_samples(Samples(X))


@every
def test_equal_rows_leave_nothing_to_learn(name):
    if not CASES[name].standardises:
        pytest.skip("A prescribed manifold takes its units as they are.")
    with pytest.raises(DataError, match="All rows are equal: there is nothing to learn"):
        CASES[name].make().fit(np.full((ROWS, 3), 0.1))


def test_constant_columns_are_named():
    X = bent_plane()
    X[:, 2] = 0.1
    with pytest.raises(DataError, match=r"1 of 3 columns are constant \(x2\).*infinite.*noise > 0, or use MFlow"):
        CASES["ambient-flow"].make().fit(X)
    with pytest.warns(DataWarning, match=r"1 of 3 columns are constant \(x2\).*leave them out"):
        model = CASES["mflow"].make().fit(X)
    for points in (model.project(X), model.sample(5), model.inverse_transform(model.transform(X))):
        assert (points[:, 2] == 0.1).all()
    assert np.isfinite(model.score_samples(X)).all()


def test_a_long_constant_column_is_constant_in_spite_of_rounding():
    from latax.estimators.scaling import measure

    X = np.full((200_000, 2), 0.1)
    X[::2, 1] = 0.1 + 1e-9
    assert measure(X).constant.tolist() == [True, False]
    # The control: sums that are not taken about the first row miss it.
    assert X[:, 0].cumsum()[-1] / len(X) != 0.1


@pytest.mark.parametrize("name", ["mflow", "probabilistic-pca"])
def test_latent_size_must_be_smaller_than_the_number_of_columns(name):
    for size in (3, 4):
        with pytest.raises(DataError, match=rf"latent_size={size} is not smaller .* the data have 3 .*Give a smaller"):
            CASES[name].make(latent_size=size).fit(bent_plane())
    for size in (0, -1):
        with pytest.raises(ConfigError, match=rf"latent_size={size} must be a whole number of at least 1"):
            CASES[name].make(latent_size=size).fit(bent_plane())


def test_a_chart_wants_data_of_its_dimension():
    with pytest.raises(DataError, match=r"The data have 3 columns .* chart 'circle' lives in 2 dimensions"):
        CASES["manifold-density"].make().fit(bent_plane())


def test_pca_wants_more_rows_than_directions_and_some_noise():
    with pytest.raises(DataError, match=r"2 training rows .* cannot fix 2 directions"):
        ProbabilisticPCA(latent_size=2).fit(bent_plane()[:3])
    flat = bent_plane()
    flat[:, 2] = flat[:, 0] + flat[:, 1]
    with pytest.raises(DataError, match=r"2 directions explain the data completely.*Give a smaller latent_size"):
        ProbabilisticPCA(latent_size=2).fit(flat)


def test_fewer_rows_than_a_batch():
    with pytest.raises(
        ConfigError, match=r"batch_size=16 is larger than the 9 training rows \(after 10% were held out\)"
    ):
        CASES["mflow"].make().fit(bent_plane()[:10])
    # By default the batch is as small as the data.
    assert MFlow()._budget(9).batch_size == 9


def test_text_is_refused():
    with pytest.raises(DataError, match=r"could not convert string to float: 'a'\. Give an \(N, d\) array of numbers"):
        CASES["probabilistic-pca"].make().fit([["a", "b", "c"]] * 9)
    table = pd.DataFrame(bent_plane(), columns=["a", "b", "c"]).assign(kind="x")
    with pytest.raises(DataError, match=r"^Columns that hold no numbers: kind\. Leave them out or encode them\."):
        CASES["probabilistic-pca"].make().fit(table)
    with pytest.raises(DataError) as raised:
        fitted("probabilistic-pca").transform(bent_plane()[0])
    assert "Reshape your data" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "Give the same columns" not in str(raised.value)


# ---- parameters that cannot work


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (MFlow(epochs=3, steps=5), "epochs=3 and steps=5 both say how long to train; give one"),
        (MFlow(epochs=0), "epochs=0 must be a whole number of at least 1"),
        (MFlow(steps=-1), "steps=-1 must be a whole number of at least 1"),
        (MFlow(steps=1), "steps=1 must be a whole number of at least 2"),
        (MFlow(batch_size=0), "batch_size=0 must be a whole number of at least 1"),
        (MFlow(replicates=0), "replicates=0 must be a whole number of at least 1"),
        (MFlow(layers=0), "layers=0 must be a whole number of at least 1"),
        (MFlow(learning_rate=0.0), "learning_rate=0.0 must be a number greater than 0"),
        (MFlow(learning_rate=float("nan")), "learning_rate=nan must be a number greater than 0"),
        (MFlow(clip=-1.0), "clip=-1.0 must be a number greater than 0"),
        (MFlow(weight_decay=-1.0), "weight_decay=-1.0 must be a number of 0 or more"),
        (MFlow(reconstruction_weight=0.0), "reconstruction_weight=0.0 must be a number greater than 0"),
        (MFlow(interval=0.0), "interval=0.0 must be a number greater than 0"),
        (MFlow(seed=-1), "seed=-1 must be a whole number from 0 to 2147483647"),
        (MFlow(validation_fraction=1.0), "validation_fraction=1.0 must lie between 0 and 1"),
        (AmbientFlow(noise=-0.1), "noise=-0.1 must be a number of 0 or more"),
        (ManifoldDensity(latent_layers=0), "latent_layers=0 must be a whole number of at least 1"),
        (ManifoldDensity(chart="donut"), "There is no chart 'donut'. Give circle, sphere-N"),
        (ManifoldDensity(chart="no_such_module:Chart"), "The chart 'no_such_module:Chart' cannot be imported"),
        (ManifoldDensity(chart="math:pi"), "'math:pi' is a float, not a latax.density.AbstractEmbedding"),
        (ManifoldDensity(chart="os:getcwd"), "'os:getcwd' is a builtin_function_or_method, not a"),
        (ManifoldDensity(chart="sphere-0"), "There is no sphere of dimension 0"),
        (ProbabilisticPCA(seed=-1), "seed=-1 must be a whole number"),
        (ProbabilisticPCA(validation_fraction=0.0), "validation_fraction=0.0 must lie between 0 and 1"),
    ],
)
def test_parameters_are_checked_before_anything_is_done(estimator, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        estimator.fit(bent_plane())


# The run-time type checks of the tests would be first to complain, so these run without them.
WRONG_TYPES = """
import numpy as np
from latax import MFlow, AmbientFlow, ManifoldDensity, ProbabilisticPCA
X = np.random.default_rng(0).normal(size=(20, 3))
for model in (
    MFlow(latent_size=1.5), MFlow(layers="two"), MFlow(mixing="shuffle"), MFlow(batch_size=True), MFlow(seed=0.5),
    MFlow(learning_rate="fast"), AmbientFlow(noise=None), ProbabilisticPCA(latent_size=None),
):
    try:
        model.fit(X)
    except ValueError as error:
        print(error)
model = ProbabilisticPCA(latent_size=1).fit(X)
for call in (lambda: model.sample(2.5), lambda: model.sample(2, seed="x")):
    try:
        call()
    except ValueError as error:
        print(error)
"""


def test_parameters_of_a_wrong_type_are_named(run_python):
    assert run_python(WRONG_TYPES, devices=1).splitlines() == [
        "latent_size=1.5 must be a whole number of at least 1.",
        "layers='two' must be a whole number of at least 1.",
        "mixing='shuffle' is not known; give 'permutation' or 'lu'.",
        "batch_size=True must be a whole number of at least 1.",
        "seed=0.5 must be a whole number from 0 to 2147483647.",
        "learning_rate='fast' must be a number greater than 0.",
        "noise=None must be a number of 0 or more.",
        "latent_size=None must be a whole number of at least 1.",
        "n=2.5 must be a whole number of at least 1.",
        "seed='x' must be a whole number from 0 to 2147483647.",
    ]


# ---- data that do not belong to the model


@every
def test_another_number_of_columns_is_refused(name):
    model, X = fitted(name), CASES[name].data()
    wide = np.concatenate([X, X], axis=1)
    with pytest.raises(DataError, match=rf"{2 * X.shape[1]} features, but .* is expecting {X.shape[1]} features"):
        model.transform(wide)
    with pytest.raises(DataError, match=rf"have {2 * X.shape[1]} columns .* fitted on {X.shape[1]} \(x0, x1"):
        model.project(Samples(wide))
    with pytest.raises(DataError, match=r"The data have no rows. Give at least one sample"):
        model.project(Samples(X[:0]))


@every
def test_latent_coordinates_of_a_wrong_shape_are_refused(name):
    model, n = fitted(name), CASES[name].latent_size
    for Z, shape in [
        (np.zeros((4, n + 1)), rf"\(4, {n + 1}\)"),
        (np.zeros(n), rf"\({n},\)"),
        (np.zeros((0, n)), rf"\(0, {n}\)"),
        (np.full((2, n), np.nan), rf"\(2, {n}\) and {2 * n} values that are not finite"),
    ]:
        with pytest.raises(DataError, match=rf"Z has shape {shape}; expected finite .* shape \(N, {n}\)"):
            model.inverse_transform(Z)


@every
def test_no_samples_cannot_be_drawn(name):
    for n in (0, -3):
        with pytest.raises(ConfigError, match=f"n={n} must be a whole number of at least 1"):
            fitted(name).sample(n)
    with pytest.raises(ConfigError, match="seed=-1 must be a whole number"):
        fitted(name).sample(2, seed=-1)
    with pytest.raises(ConfigError, match="steps=1 must be a whole number of at least 2"):
        fitted(name).interpolate(*CASES[name].data()[:2], steps=1)


@every
def test_an_unfitted_estimator_says_so(name):
    X = CASES[name].data()
    for verb in ("transform", "inverse_transform", "project", "log_prob", "score_samples", "base", "diagnose"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(CASES[name].make(), verb)(X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        CASES[name].make().sample()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        CASES[name].make().save("never-made")


def test_importing_latax_imports_neither_jax_nor_scikit_learn(run_python):
    heavy = "{'jax', 'sklearn', 'pandas', 'equinox', 'matplotlib'}"
    assert run_python(f"import sys, latax; print({heavy} & set(sys.modules))", devices=1).strip() == "set()"
