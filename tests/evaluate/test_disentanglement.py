import numpy as np
import pytest

from latax._errors import DataError
from latax.evaluate import dci, dci_scores, mutual_information_gap

RNG = np.random.default_rng(0)
FACTORS = RNG.uniform(-1, 1, size=(800, 3))
ROTATION = np.linalg.qr(RNG.normal(size=(3, 3)))[0]


def test_scores_of_importances():
    assert dci_scores(np.diag([0.3, 0.9])) == pytest.approx((1.0, 1.0))
    assert dci_scores(np.full((2, 2), 0.5)) == pytest.approx((0.0, 0.0))
    # Two codes for one factor: each stands for one factor only, but neither is all of it.
    assert dci_scores(np.array([[0.5, 0.0], [0.5, 0.0], [0.0, 1.0]])) == pytest.approx((1.0, 0.5 + 0.5 * _half()))
    # One code for two factors, by hand: the row has entropy one, the column none.
    assert dci_scores(np.array([[0.5, 0.5], [0.0, 0.0]])) == pytest.approx((0.0, 1.0))
    assert dci_scores(np.zeros((2, 2))) == (0.0, 0.0)


def _half():
    """1 - the entropy of (½, ½, 0) in units of log 3."""
    return 1 - np.log(2) / np.log(3)


def test_codes_that_are_the_factors_and_codes_that_mix_them():
    pure = dci(FACTORS[:, [2, 0, 1]] ** 3, FACTORS)
    assert pure.disentanglement > 0.95
    assert pure.completeness > 0.95
    assert (pure.informativeness > 0.95).all()
    np.testing.assert_array_equal(pure.importance.argmax(axis=1), [2, 0, 1])
    mixed = dci(FACTORS @ ROTATION, FACTORS)
    assert mixed.disentanglement < 0.6
    nothing = dci(RNG.normal(size=(800, 3)), FACTORS)
    assert (nothing.informativeness < 0.1).all()
    assert nothing.disentanglement < 0.1


def test_the_gap_of_a_code_that_tells_all():
    labels = np.random.default_rng(1).integers(0, 5, size=(4000, 2)).astype(float)
    np.testing.assert_allclose(mutual_information_gap(labels, labels), 1, atol=0.01)
    # Twice the same code tells nothing that the other does not; a single one has no rival.
    np.testing.assert_allclose(mutual_information_gap(labels[:, [0, 0]], labels)[0], 0, atol=1e-12)
    np.testing.assert_allclose(mutual_information_gap(labels[:, :1], labels)[0], 1, atol=1e-12)
    assert mutual_information_gap(labels[:, :1], labels)[1] < 0.01


def test_the_gap_of_a_noisy_code_is_its_mutual_information():
    # A bit that is told rightly with probability 0.9 keeps 1 - H(0.9) bits.
    rng = np.random.default_rng(2)
    bit = rng.integers(0, 2, size=20_000)
    code = np.where(rng.random(20_000) < 0.9, bit, 1 - bit)
    wanted = 1 + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.1)
    found = mutual_information_gap(np.stack([code, rng.normal(size=20_000)], axis=1), bit[:, None].astype(float))
    np.testing.assert_allclose(found, wanted, atol=0.015)


def test_rotated_codes_have_a_smaller_gap():
    many = np.random.default_rng(3).uniform(-1, 1, size=(6000, 3))
    pure, rotated = mutual_information_gap(many, many), mutual_information_gap(many @ ROTATION, many)
    assert (pure > 0.95).all()
    assert rotated.mean() < 0.4


@pytest.mark.parametrize(
    ("codes", "factors", "said"),
    [
        (FACTORS[:5], FACTORS[:5], "There are 5 codes and 5 factors' values"),
        (FACTORS, FACTORS[:-1], "There are 800 codes and 799 factors' values"),
        (FACTORS * np.nan, FACTORS, "Some codes or factors are not finite"),
        (FACTORS, FACTORS * [1, 0, 1], r"Factor 1 \(the first is 0\) does not vary"),
    ],
)
def test_what_cannot_be_measured(codes, factors, said):
    with pytest.raises(DataError, match=said):
        dci(codes, factors)
    with pytest.raises(DataError, match=said):
        mutual_information_gap(codes, factors)
