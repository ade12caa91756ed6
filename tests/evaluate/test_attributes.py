import numpy as np
import pytest
import scipy.stats

from latax._errors import DataError
from latax.evaluate import attribute_correlation

POSITION = np.linspace(-1, 1, 9)
PATHS = np.random.default_rng(0).normal(size=(4, 9, 2))


def test_they_are_those_of_scipy():
    found = attribute_correlation(PATHS, POSITION)
    for n in range(4):
        for f in range(2):
            values = PATHS[n, :, f]
            assert found.pearson[n, f] == pytest.approx(scipy.stats.pearsonr(POSITION, values).statistic)
            assert found.spearman[n, f] == pytest.approx(scipy.stats.spearmanr(POSITION, values).statistic)
            assert found.slope[n, f] == pytest.approx(scipy.stats.linregress(POSITION, values).slope)


def test_the_three_say_different_things():
    small, bent, still, v = 0.01 * POSITION, np.exp(3 * POSITION), np.full(9, 0.1), np.abs(POSITION)
    found = attribute_correlation(np.stack([small, bent, still, v], axis=1)[None], POSITION)
    np.testing.assert_allclose(found.pearson[0, [0, 3]], [1, 0], atol=1e-12)
    assert 0.5 < found.pearson[0, 1] < 0.95
    np.testing.assert_allclose(found.spearman[0, :2], 1)
    np.testing.assert_allclose(found.slope[0, [0, 2, 3]], [0.01, 0, 0], atol=1e-12)
    assert np.isnan(found.pearson[0, 2])
    assert np.isnan(found.spearman[0, 2])
    # A correlation knows no units; the published one, which is not divided by the attribute's spread, does.
    scaled = attribute_correlation(1e3 * PATHS, POSITION)
    np.testing.assert_allclose(scaled.pearson, attribute_correlation(PATHS, POSITION).pearson, atol=1e-12)
    published = lambda values: np.cov(values, POSITION)[0, 1] / np.std(POSITION)
    assert published(1e3 * PATHS[0, :, 0]) == pytest.approx(1e3 * published(PATHS[0, :, 0]))


def test_what_cannot_be_measured():
    with pytest.raises(DataError, match="at least three different positions"):
        attribute_correlation(PATHS[:, :2], POSITION[:2])
    with pytest.raises(DataError, match="Some attributes or positions are not finite"):
        attribute_correlation(PATHS * np.nan, POSITION)
