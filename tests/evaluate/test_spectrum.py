import numpy as np
import pytest

from latax._errors import DataError
from latax.evaluate import metric_spectrum, principal_directions


def test_known_spectrum():
    found = metric_spectrum(np.array([[1.0, 4.0, 2.0], [3.0, 3.0, 3.0]]))
    np.testing.assert_allclose(found.singular_values, [[4, 2, 1], [3, 3, 3]])
    np.testing.assert_allclose(found.condition, [4, 1])
    np.testing.assert_allclose(found.log_volume, [np.log(8), np.log(27)])
    np.testing.assert_allclose(found.effective_dimension, [21**2 / (256 + 16 + 1), 3])
    np.testing.assert_allclose(found.share.sum(), 1.0)
    assert (found.collapsed, found.unused_directions(), found.excluded) == (0.0, 0, 0)


def test_lost_and_unused_directions_are_counted():
    found = metric_spectrum(np.array([[1.0, 0.5, 0.0], [1.0, 0.5, 1e-3], [np.nan, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    assert found.excluded == 1
    assert found.collapsed == pytest.approx(2 / 3)
    assert np.isinf(found.condition[[0, 2]]).all()
    assert found.log_volume[0] == -np.inf
    assert found.unused_directions() == 1
    assert found.unused_directions(threshold=1e-6) == 0


def test_one_latent_coordinate():
    found = metric_spectrum(np.full((5, 1), 2.0, dtype=np.float32))
    np.testing.assert_allclose(found.condition, 1.0)
    np.testing.assert_allclose(found.effective_dimension, 1.0)


def test_principal_directions_of_a_rotated_metric():
    angle = 0.3
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    metric = rotation @ np.diag([9.0, 1.0]) @ rotation.T
    found = principal_directions(np.stack([metric, 2 * metric]))
    np.testing.assert_allclose(np.abs(found.directions.T @ rotation), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(found.share, [0.9, 0.1])
    assert found.alignment == pytest.approx(1.0)
    assert found.correlation == pytest.approx(abs(metric[0, 1]) / np.sqrt(metric[0, 0] * metric[1, 1]))
    # Negative control: directions that differ from point to point are not aligned.
    turned = principal_directions(np.stack([np.diag([9.0, 1.0]), np.diag([1.0, 8.9])]))
    assert turned.alignment == pytest.approx(0.5)
    assert principal_directions(np.ones((3, 1, 1))).correlation == 0.0


def test_bad_spectra_are_refused():
    with pytest.raises(DataError, match="No metric is finite at any of the 2 points"):
        metric_spectrum(np.full((2, 2), np.inf))
    with pytest.raises(DataError, match="1 singular values are negative"):
        metric_spectrum(np.array([[1.0, -1.0]]))
