"""scikit-learn's own checks of an estimator, on the smallest models that there are.

`ManifoldDensity` is fitted to points of a given manifold and takes data of its dimension only, while most checks bring
data of their own: it runs those that do not fit, and its fits are tested in test_contract.py.
"""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from latax import AmbientFlow, ManifoldDensity, MFlow, ProbabilisticPCA

SMALLEST = {"width_size": 2, "blocks": 1, "bins": 2, "steps": 2, "batch_size": 8, "progress": False}
ESTIMATORS = [
    MFlow(latent_size=1, layers=1, latent_layers=1, **SMALLEST),
    AmbientFlow(layers=1, noise=0.1, **SMALLEST),
    ProbabilisticPCA(latent_size=1),
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


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: REFUSED)
def test_estimators_follow_the_protocol(estimator, check):
    check(estimator)


CHECKS_WITHOUT_DATA = [
    check for _, check in estimator_checks_generator(ManifoldDensity(**SMALLEST)) if check.func.__name__ in WITHOUT_DATA
]


@pytest.mark.parametrize("check", CHECKS_WITHOUT_DATA, ids=lambda check: check.func.__name__)
def test_manifold_density_follows_the_protocol_where_it_needs_no_data(check):
    check(ManifoldDensity(**SMALLEST))


def test_the_checks_without_data_are_all_there():
    assert {check.func.__name__ for check in CHECKS_WITHOUT_DATA} == WITHOUT_DATA


LOOK_AT_NOTHING = """
import latax
from sklearn.utils.estimator_checks import check_do_not_raise_errors_in_init_or_set_params
for cls in (latax.MFlow, latax.AmbientFlow, latax.ManifoldDensity, latax.ProbabilisticPCA):
    check_do_not_raise_errors_in_init_or_set_params(cls.__name__, cls())
print("passed")
"""


def test_constructors_look_at_nothing(run_python):
    assert run_python(LOOK_AT_NOTHING, devices=1).strip() == "passed"
