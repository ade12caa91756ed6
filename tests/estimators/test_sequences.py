"""What the columns of a table say about times."""

import numpy as np
import pandas as pd
import pytest

from latax._errors import ConfigError
from latax.data import Samples, read
from latax.estimators.sequences import times_of


def named(*names):
    return Samples(np.ones((2, len(names))), feature_names=names)


@pytest.mark.parametrize(
    ("names", "times"),
    [
        (("0.0", "0.5", "1.0"), [0, 0.5, 1]),
        (("t=0", "t=1", "t=2"), [0, 1, 2]),
        (("x[t=0]", "x[t=0.1]", "x[t=1e3]"), [0, 0.1, 1000]),
        (("2001", "2002", "2003"), [2001, 2002, 2003]),
        (("0", "2", "4"), [0, 2, 4]),
    ],
)
def test_names_that_are_times(names, times):
    np.testing.assert_array_equal(times_of(named(*names), None), times)


@pytest.mark.parametrize("start", [0, 1])
def test_names_that_only_count_are_not_taken_for_times(start):
    counted = named(*map(str, range(start, start + 3)))
    with pytest.raises(ConfigError, match=rf"named {start} to {start + 2}, which may be times .* Give dt=1 if they"):
        times_of(counted, None)
    np.testing.assert_array_equal(times_of(counted, 0.05), [0, 0.05, 0.1])


def test_the_header_that_pandas_gives_is_asked_about(tmp_path):
    pd.DataFrame(np.random.default_rng(0).normal(size=(4, 3))).to_csv(tmp_path / "wide.csv", index=False)
    samples = read(tmp_path / "wide.csv")
    assert samples.feature_names == ("0", "1", "2")
    with pytest.raises(ConfigError, match="Give dt=1"):
        times_of(samples, None)


def test_other_names_are_no_times():
    for names in (("x0", "x1"), ("x[t=0]", "y[s=1]"), ("a", "1")):
        with pytest.raises(ConfigError, match="their times are not known"):
            times_of(named(*names), None)
