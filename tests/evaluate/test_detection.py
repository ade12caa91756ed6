import numpy as np
import pytest
from scipy.stats import kstest, norm

from latax._errors import DataError
from latax.evaluate import auc, combined_p_value


def test_auc_of_shifted_normals_is_known_and_never_flipped():
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(size=4000), 1.0 + rng.normal(size=4000)
    assert auc(inside, outside) == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.015)
    assert auc(-inside, -outside) == pytest.approx(1 - auc(inside, outside))
    assert auc(-inside, -outside) < 0.5


def test_auc_counts_ties_half_and_orders_infinities():
    assert auc(np.array([0.0, 1.0]), np.array([1.0, np.inf])) == pytest.approx(3.5 / 4)
    with pytest.raises(DataError, match=r"scores of the outliers are not all numbers \(1 of 2 are NaN\)"):
        auc(np.zeros(2), np.array([0.0, np.nan]))
    with pytest.raises(DataError, match="scores of the inliers are missing"):
        auc(np.zeros(0), np.zeros(2))


def _scores(rng, n, dependence):
    z = rng.normal(size=(n, 2))
    return z[:, 0], np.exp(-dependence * z[:, 0] + np.sqrt(1 - dependence**2) * z[:, 1])


@pytest.mark.parametrize("dependence", [0.0, 0.9, -0.9])
def test_combined_p_values_of_new_data_are_uniform_whatever_the_dependence(dependence):
    rng = np.random.default_rng(1)
    log_prob, error = _scores(rng, 6000, dependence)
    reference = {"validation_log_prob": log_prob[:3000], "validation_reconstruction_error": error[:3000]}
    p = combined_p_value(log_prob[3000:], error[3000:], **reference)
    assert kstest(p, "uniform").pvalue > 1e-3
    # Negative control: Fisher's own distribution, which assumes independence, is wrong for dependent scores.
    if dependence == 0.9:
        from scipy.stats import chi2

        ranks = [(-log_prob).argsort().argsort(), error.argsort().argsort()]
        fisher = chi2.sf(-2 * sum(np.log(1 - (r + 0.5) / 6000) for r in ranks), 4)
        assert kstest(fisher, "uniform").pvalue < 1e-6


def test_strange_points_have_small_p_values_by_either_score():
    rng = np.random.default_rng(2)
    log_prob, error = _scores(rng, 999, 0.0)
    reference = {"validation_log_prob": log_prob, "validation_reconstruction_error": error}
    new_log_prob, new_error = np.array([0.0, -9.0, 0.0, np.nan]), np.array([1.0, 1.0, 99.0, np.nan])
    p = combined_p_value(new_log_prob, new_error, **reference)
    assert p[0] > 0.3
    assert np.all(p[1:3] < 0.02)
    assert p[3] == pytest.approx(1 / 1000)


def test_calibration_needs_both_scores():
    with pytest.raises(DataError, match="there are 3 log densities and 2 reconstruction errors"):
        combined_p_value(
            np.zeros(1), np.zeros(1), validation_log_prob=np.zeros(3), validation_reconstruction_error=np.zeros(2)
        )
    with pytest.raises(DataError, match="contain NaN"):
        combined_p_value(
            np.zeros(1),
            np.zeros(1),
            validation_log_prob=np.full(2, np.nan),
            validation_reconstruction_error=np.zeros(2),
        )
