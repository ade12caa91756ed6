import numpy as np
import pytest

from latax._errors import ConfigError
from latax.data import digits


def test_all_digits_once():
    samples = digits.make()
    assert samples.X.shape == (1797, 64)
    assert samples.sample_shape == (8, 8)
    assert (samples.X.min(), samples.X.max()) == (0.0, 1.0)
    assert samples.feature_names[9] == "pixel1_1"
    assert set(np.unique(samples.context)) == set(range(10))
    assert np.count_nonzero(samples.context == 0) == 178
    other_order = digits.make(seed=1)
    assert not np.array_equal(samples.X, other_order.X)
    np.testing.assert_array_equal(np.sort(samples.X.sum(axis=1)), np.sort(other_order.X.sum(axis=1)))


def test_labels_stay_with_their_images():
    whole, part = digits.make(seed=3), digits.make(50, seed=3)
    np.testing.assert_array_equal(part.X, whole.X[:50])
    np.testing.assert_array_equal(part.context, whole.context[:50])
    assert digits.make(5, labels=False).context is None


@pytest.mark.parametrize("n", [0, 1798])
def test_a_size_it_does_not_have_is_refused(n):
    with pytest.raises(ConfigError, match=f"1797 images; {n} were asked for. Take a size from 1 to 1797"):
        digits.make(n)
