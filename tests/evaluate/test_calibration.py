import numpy as np
import pytest
from scipy.stats import chi2, kstest

from latax._errors import DataError
from latax.evaluate import binomial_band, calibration


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_right_base_is_calibrated(rng, n):
    found = calibration(rng.normal(size=(4000, n)))
    inside = (found.coverage >= found.band_low) & (found.coverage <= found.band_high)
    assert np.mean(inside) > 0.8
    assert found.worst_error < found.worst_noise
    assert found.error.low == 0.0
    assert found.p_value > 0.01
    assert found.coordinate_errors.shape == (n,)


@pytest.mark.parametrize("scale", [0.9, 1.1])
def test_a_mis_scaled_base_is_found(rng, scale):
    found = calibration(scale * rng.normal(size=(4000, 2)))
    exact = np.mean(np.abs(chi2.cdf(chi2.ppf(found.levels, 2) / scale**2, 2) - found.levels))
    assert found.error.estimate > 2 * found.noise
    assert found.error.covers(exact)
    assert not found.error.covers(0.0)
    assert found.p_value < 1e-6
    # A base that is too wide (the density too narrow) leaves too few points inside.
    assert np.sign(np.mean(found.coverage - found.levels)) == np.sign(1 - scale)


def test_a_shift_and_a_compensated_scale_are_found_by_the_coordinates(rng):
    base = rng.normal(size=(4000, 2)) * np.array([1.25, 1 / 1.25])
    found = calibration(base)
    assert found.worst_error == found.coordinate_errors.max() > 2 * found.worst_noise
    assert np.all(calibration(rng.normal(size=(4000, 2)) + 0.3).coordinate_p_values < 1e-6)


def test_the_pit_is_that_of_chi_square_and_normal(rng):
    base = rng.normal(size=(50, 3))
    found = calibration(base)
    np.testing.assert_allclose(found.radius_pit, chi2.cdf(np.sum(base**2, axis=1), 3), rtol=1e-12)
    assert found.p_value == pytest.approx(kstest(chi2.cdf(np.sum(base**2, axis=1), 3), "uniform").pvalue)


def test_the_errors_interval_covers_the_true_error(rng):
    for scale in (1.0, 1.3):
        exact = np.mean(
            np.abs(chi2.cdf(chi2.ppf(np.linspace(0.01, 0.99, 99), 2) / scale**2, 2) - np.linspace(0.01, 0.99, 99))
        )
        found = [calibration(scale * rng.normal(size=(200, 2)), resamples=200, seed=s).error for s in range(100)]
        assert np.mean([interval.covers(exact) for interval in found]) > 0.88


def test_noise_is_what_perfect_models_stay_below(rng):
    above = [calibration(rng.normal(size=(100, 1)), resamples=400, seed=s) for s in range(120)]
    assert np.mean([c.error.estimate > c.noise for c in above]) < 0.12
    assert (
        np.mean([c.error.estimate > 0.5 * c.noise for c in above]) > 0.2
    )  # negative control: half of it is exceeded often


def test_points_that_are_not_finite_are_counted(rng):
    base = rng.normal(size=(100, 2)).astype(np.float32)
    base[:7, 1] = np.nan
    found = calibration(base)
    assert (found.excluded, found.error.n) == (7, 93)


def test_one_point_and_no_point(rng):
    assert calibration(np.zeros((1, 2))).error.low is None
    with pytest.raises(DataError, match="None of the 3 base points is finite"):
        calibration(np.full((3, 2), np.nan))


def test_the_band_holds_binomial_counts(rng):
    low, high = binomial_band(np.array([0.1, 0.5]), 200)
    fractions = rng.binomial(200, [0.1, 0.5], size=(4000, 2)) / 200
    assert np.all(np.mean((fractions >= low) & (fractions <= high), axis=0) > 0.94)
    assert np.all(np.mean((fractions > low) & (fractions < high), axis=0) < 0.96)
