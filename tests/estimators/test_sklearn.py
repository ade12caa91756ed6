"""scikit-learn's own checks of an estimator, on the smallest models that there are.

One estimator in closed form and one that is trained run all checks. Nearly every check fits at shapes of its own, and
so compiles anew: the others, which share their base classes, run the checks that see what is their own.
`ManifoldDensity` and `PhysicsVAE` take data of the dimension of their manifold or physics only, and forecasters take
initial states to `predict` from, while most checks bring data of their own: these estimators run those that do not fit,
and their fits are tested elsewhere.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from latax import VAEDLM, AmbientFlow, ForecastVAE, ManifoldDensity, MFlow, PhysicsVAE, ProbabilisticPCA, SequenceVAE
from latax._errors import DataError
from latax.data import Samples

SMALLEST = {"width_size": 2, "blocks": 1, "bins": 2, "steps": 2, "batch_size": 8, "progress": False}
ALL_CHECKS = [AmbientFlow(layers=1, noise=0.1, **SMALLEST), ProbabilisticPCA(latent_size=1)]
SOME_CHECKS = [
    MFlow(latent_size=1, layers=1, latent_layers=1, **SMALLEST),
    SequenceVAE(latent_size=1, width_size=2, dt=1.0, steps=2, batch_size=8, progress=False),
]
# scikit-learn gives every parameter values of wrong types, to see whether the constructor looks at them.
REFUSED = {
    "check_do_not_raise_errors_in_init_or_set_params": "The run-time type checks of these tests refuse wrong types. "
    "Without them it passes: see test_constructors_look_at_nothing.",
}
WITHOUT_DATA = {
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_get_params_invariance",
    "check_set_params",
    "check_parameters_default_constructible",
    "check_mixin_order",
}


OF_THEIR_OWN = WITHOUT_DATA | {
    "check_dict_unchanged",
    "check_estimators_nan_inf",
    "check_estimators_pickle",
    "check_estimators_unfitted",
    "check_fit1d",
    "check_fit_idempotent",
    "check_n_features_in",
    "check_transformers_unfitted",
    "check_transformer_general",
}


@parametrize_with_checks(ALL_CHECKS, expected_failed_checks=lambda estimator: REFUSED)
def test_estimators_follow_the_protocol(estimator, check):
    check(estimator)


SOME = [
    pytest.param(check, estimator, id=f"{estimator.name}-{check.func.__name__}")
    for estimator in SOME_CHECKS
    for _, check in estimator_checks_generator(estimator)
    if check.func.__name__ in OF_THEIR_OWN
]


@pytest.mark.parametrize(("check", "estimator"), SOME)
def test_more_estimators_follow_the_protocol_in_what_is_their_own(check, estimator):
    check(estimator)


def test_the_checks_of_their_own_are_all_there():
    assert {param.values[0].func.__name__ for param in SOME} == OF_THEIR_OWN


TAKE_DATA_OF_THEIR_OWN = [
    ManifoldDensity(**SMALLEST),
    PhysicsVAE(steps=2, progress=False),
    VAEDLM(steps=2, progress=False),
    ForecastVAE(steps=2, progress=False),
]
CHECKS_WITHOUT_DATA = [
    check for _, check in estimator_checks_generator(TAKE_DATA_OF_THEIR_OWN[0]) if check.func.__name__ in WITHOUT_DATA
]


@pytest.mark.parametrize("estimator", TAKE_DATA_OF_THEIR_OWN, ids=lambda estimator: estimator.name)
@pytest.mark.parametrize("check", CHECKS_WITHOUT_DATA, ids=lambda check: check.func.__name__)
def test_others_follow_the_protocol_where_it_needs_no_data(check, estimator):
    check.func(type(estimator).__name__, estimator)


def test_the_checks_without_data_are_all_there():
    assert {check.func.__name__ for check in CHECKS_WITHOUT_DATA} == WITHOUT_DATA


LOOK_AT_NOTHING = """
import latax
from sklearn.utils.estimator_checks import check_do_not_raise_errors_in_init_or_set_params
for cls in (
    latax.MFlow, latax.AmbientFlow, latax.ManifoldDensity, latax.ProbabilisticPCA,
    latax.PhysicsVAE, latax.SequenceVAE, latax.NeuralODEVAE, latax.VAEDLM, latax.ForecastVAE,
):
    check_do_not_raise_errors_in_init_or_set_params(cls.__name__, cls())
print("passed")
"""


def test_constructors_look_at_nothing(run_python):
    assert run_python(LOOK_AT_NOTHING, devices=1).strip() == "passed"


def test_latent_coordinates_come_as_the_data_frame_that_was_asked_for():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=["a", "b", "c"], index=range(5, 35))
    model = ProbabilisticPCA(latent_size=2).fit(X)
    plain = model.transform(X)
    assert model.get_feature_names_out().tolist() == ["u0", "u1"]
    frame = model.set_output(transform="pandas").transform(X)
    assert list(frame.columns) == ["u0", "u1"]
    assert list(frame.index) == list(X.index)
    np.testing.assert_array_equal(frame, plain)
    # What uses latent coordinates inside is not disturbed.
    assert model.interpolate(X.iloc[0], X.iloc[1], steps=3).shape == (3, 3)
    for names, message in ((["a", "b"], "should have length equal"), (["a", "b", "x"], "is not equal to")):
        with pytest.raises(DataError, match=f"input_features {message}.*Leave them out"):
            model.get_feature_names_out(names)


def test_latent_coordinates_of_sequences_are_named():
    model = SequenceVAE(latent_size=2, width_size=2, steps=2, progress=False)
    X = np.random.default_rng(0).normal(size=(20, 4))
    model.set_output(transform="pandas").fit_samples(Samples(X, times=np.arange(4.0)))
    assert list(model.transform(X).columns) == list(model.latent_names_)
    assert model.project(X).shape == X.shape
