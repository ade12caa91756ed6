import json
import math

import numpy as np
import pytest

from latax.evaluate import Diagnosis, rules
from latax.evaluate.diagnose import cannot_tell

GOOD = rules.unused_latents(0, 4)
WARNING = rules.unused_latents(1, 4)
BAD = rules.unused_latents(3, 4)


def test_the_worst_finding_decides_and_the_words_name_it():
    assert Diagnosis((GOOD, WARNING, BAD)).verdict == "bad"
    assert Diagnosis((GOOD, WARNING)).verdict == "warning"
    assert Diagnosis((GOOD,)).verdict == "good"
    assert Diagnosis((GOOD,)).summary() == "A good fit: 1 check passed."
    assert Diagnosis(()).summary() == "Nothing was checked."
    assert "not good enough to rely on: unused latent directions" in Diagnosis((GOOD, BAD)).summary()
    assert Diagnosis((GOOD, WARNING)).summary().startswith("Usable with care. Look at: unused latent directions.")


def test_what_too_few_rows_cannot_tell_is_no_pass():
    unknown = cannot_tell(rules.density_calibration(0.25, 0.28), 6)
    assert "[CANNOT TELL] calibration" in str(unknown)
    assert unknown.advice == "6 held-out rows are too few to tell. Hold out more, or judge by more data."
    assert Diagnosis((GOOD, unknown)).verdict == "unknown"
    assert Diagnosis((GOOD, unknown)).summary() == (
        "Nothing speaks against this fit, but not every check could be made. Too few rows to tell: calibration error "
        "of the density."
    )
    assert Diagnosis((unknown, WARNING)).verdict == "warning"
    assert "Too few rows to tell: calibration" in Diagnosis((unknown, BAD)).summary()
    assert Diagnosis((GOOD, unknown, BAD)).worst_first() == [BAD, unknown, GOOD]


def test_plain_text_has_the_worst_first_with_value_threshold_and_cure():
    lines = str(Diagnosis((GOOD, BAD))).splitlines()
    assert lines[1].strip() == (
        "[BAD] unused latent directions: 3.00 (good up to 0). "
        "1 of 4 latent directions change the data. Try latent_size=1."
    )
    assert lines[2].strip().startswith("[ok]")
    assert "Try" not in lines[2]


def test_plain_data_is_json_even_without_numbers():
    found = Diagnosis((rules.metric_condition(math.inf), rules.reconstruction_against_scale(math.nan, 1.0)))
    text = json.dumps(found.as_dict(), allow_nan=False)
    assert json.loads(text)["findings"][0] == {
        "name": "condition of the decoder's Jacobian",
        "value": None,
        "threshold": 100.0,
        "verdict": "bad",
        "advice": found.findings[0].advice,
    }
    assert found.findings[1].verdict == "bad"
    assert "not a number" in found.findings[1].advice


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (rules.reconstruction_against_scale(0.05, 1.0), "good"),
        (rules.reconstruction_against_scale(0.2, 1.0), "warning"),
        (rules.reconstruction_against_scale(0.5, 1.0), "bad"),
        (rules.reconstruction_against_scale(0.0, 0.0), "good"),
        (rules.reconstruction_against_scale(1.0, 0.0), "bad"),
        (rules.reconstruction_against_pca(0.9, 1.0, 10.0), "good"),
        (rules.reconstruction_against_pca(1.05, 1.0, 10.0), "warning"),
        (rules.reconstruction_against_pca(1.5, 1.0, 10.0), "bad"),
        (rules.reconstruction_against_pca(0.005, 1e-12, 1.0), "good"),  # PCA is exact: nobody needs to beat zero
        (rules.off_manifold(0.012, 1000), "good"),
        (rules.off_manifold(0.06, 1000), "warning"),
        (rules.off_manifold(0.06, 20), "good"),  # one of twenty is no evidence
        (rules.off_manifold(0.5, 1000), "bad"),
        (rules.forecast_against_nearest(0.4, 1.0), "good"),
        (rules.forecast_against_nearest(0.9, 1.0), "warning"),
        (rules.forecast_against_nearest(1.1, 1.0), "bad"),
        (rules.metric_mismatch(0.05), "good"),
        (rules.metric_mismatch(0.6), "bad"),
        (rules.latent_size_against_prior(1.1), "good"),
        (rules.latent_size_against_prior(3.0), "warning"),
        (rules.latent_size_against_prior(5.0), "bad"),
        (rules.manifold_condition(5.0), "good"),
        (rules.manifold_condition(100.0), "warning"),
        (rules.manifold_condition(1e4), "bad"),
        (rules.flow_residual(0.1), "good"),
        (rules.flow_residual(0.5), "warning"),
        (rules.flow_residual(0.9), "bad"),
        (rules.order_violation(0.01), "good"),
        (rules.order_violation(0.3), "warning"),
        (rules.order_violation(0.8), "bad"),
        (rules.density_calibration(0.015, 0.001), "good"),
        (rules.density_calibration(0.05, 0.001), "warning"),
        (rules.density_calibration(0.05, 0.06), "good"),  # what a perfect model shows with so few points
        (rules.density_calibration(0.2, 0.001), "bad"),
        (rules.error_gap(1.0, 1.05), "good"),
        (rules.error_gap(1.0, 1.3), "warning"),
        (rules.error_gap(1.0, 2.0), "bad"),
        (rules.error_gap(0.0, 0.0), "good"),
        (rules.log_prob_gap(-4.1, -4.15, 2), "good"),
        (rules.log_prob_gap(-4.1, -4.4, 2), "warning"),
        (rules.log_prob_gap(-4.1, -4.4, 2, standard_error=0.15), "good"),
        (rules.log_prob_gap(-4.1, -6.0, 2), "bad"),
        (rules.log_prob_gap(-4.1, -math.inf, 2), "bad"),
        (rules.metric_condition(20.0), "good"),
        (rules.metric_condition(500.0), "warning"),
        (rules.metric_condition(1e5), "bad"),
        (rules.thin_density(0.01 * 64, 64), "good"),
        (rules.thin_density(0.2 * 64, 64), "warning"),
        (rules.thin_density(9.0 * 64, 64), "bad"),
        (rules.not_finite(0, 100, "a log density"), "good"),
        (rules.not_finite(1, 1000, "a log density"), "warning"),
        (rules.not_finite(5, 100, "a log density"), "bad"),
        (rules.not_finite(0, 0, "a log density"), "bad"),
    ],
)
def test_rules(finding, verdict):
    assert finding.verdict == verdict


def test_the_log_density_gap_keeps_its_sign_and_says_what_can_be_chance():
    better = rules.log_prob_gap(-4.1, -4.0, 2, standard_error=0.15)
    assert better.value == pytest.approx(-0.05)
    assert better.threshold == pytest.approx(0.2)
    assert better.advice == "Held-out data have 0.05 nats more per dimension than training data; 0.15 can be chance."


def test_still_improving():
    flat, falling = np.full(40, 4.1), np.geomspace(1.0, 0.01, 40)
    assert rules.still_improving("manifold", falling).verdict == "warning"
    assert rules.still_improving("manifold", flat).verdict == "good"
    assert rules.still_improving("density", flat - np.linspace(0, 2, 40), unit="nats").verdict == "warning"
    assert rules.still_improving("density", flat + np.linspace(0, 2, 40), unit="nats").verdict == "good"
    noisy = 1.0 + 0.05 * np.random.default_rng(0).normal(size=100)
    assert rules.still_improving("manifold", noisy).verdict == "good"
    few = rules.still_improving("manifold", np.array([1.0, np.nan]))
    assert few.verdict == "warning"
    assert "Only 1 finite validations" in few.advice


def test_the_drop_of_thin_density_is_that_of_a_gaussian():
    """A Gaussian of width s per coordinate loses (0.01)² / (2 s²) nats per coordinate to noise of 0.01."""
    rng = np.random.default_rng(0)
    for width, verdict in ((1.0, "good"), (0.015, "warning"), (0.003, "bad")):
        x = width * rng.normal(size=(4000, 3))
        noisy = x + 0.01 * rng.normal(size=x.shape)
        drop = np.mean(np.sum(noisy**2 - x**2, axis=1)) / (2 * width**2)
        assert rules.thin_density(float(drop), 3).verdict == verdict


def test_off_manifold_fraction():
    training = np.linspace(0, 1, 1001)
    held_out = np.array([0.1, 0.5, 1.5, np.nan])
    assert rules.off_manifold_fraction(held_out, training) == 0.5
    assert rules.off_manifold_fraction(training, training) == pytest.approx(0.01, abs=1e-3)
