"""Times and truth: in samples, and in files of the user's own."""

import h5py
import numpy as np
import pytest

from latax._errors import ConfigError, DataError
from latax.data import Samples, read, write

X = np.arange(12.0).reshape(3, 4)
TIMES = np.array([0.0, 0.5, 1.5, 2.0])


def test_samples_refuse_what_does_not_fit():
    with pytest.raises(DataError, match=r"3 times do not fit sequences of 4 entries"):
        Samples(X, times=TIMES[:3])
    with pytest.raises(DataError, match=r"the truth 'a' has shape \(2,\); expected 3 values, one per sample"):
        Samples(X, truth={"a": np.ones(2)})


def test_rows_keep_their_truth():
    part = Samples(X, times=TIMES, truth={"a": np.arange(3), "signal": X + 1}).take(np.array([2, 0]))
    assert part.truth["a"].tolist() == [2, 0]
    np.testing.assert_array_equal(part.truth["signal"], X[[2, 0]] + 1)
    np.testing.assert_array_equal(part.times, TIMES)


@pytest.mark.parametrize("extension", [".npz", ".nc"])
def test_files_keep_both_beside_a_context(extension, tmp_path):
    made = Samples(X, context=X[:, :1], context_names=("load",), times=TIMES, truth={"a": np.arange(3), "b": X[:, :2]})
    again = read(write(made, tmp_path / f"a{extension}"), context="load")
    np.testing.assert_array_equal(again.X, X)
    np.testing.assert_array_equal(again.times, TIMES)
    np.testing.assert_array_equal(again.truth["a"], np.arange(3))
    np.testing.assert_array_equal(again.truth["b"], X[:, :2])
    assert again.context_names == ("load",)


def test_times_of_the_users_own_files(tmp_path):
    np.savez(tmp_path / "a.npz", angles=X.astype(np.float32), times=TIMES.astype(int))
    found = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.times, [0, 0, 1, 2])
    np.testing.assert_array_equal(read(tmp_path / "a.npz", columns=["x2", "x0"]).times, [1, 0])
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["fields"], file["time"] = np.ones((5, 4, 2)), TIMES
    np.testing.assert_array_equal(read(tmp_path / "b.h5").times, TIMES)
    # PDEBench's files have the time after the last state as well.
    others = {"dimensions/time": TIMES, "t": TIMES, "t-coordinate": np.append(TIMES, 3)}
    for number, (name, times) in enumerate(others.items()):
        with h5py.File(tmp_path / f"{number}.h5", "w") as file:
            file["fields/u"], file[name] = np.ones((5, 4, 2)), times
        np.testing.assert_array_equal(read(tmp_path / f"{number}.h5").times, TIMES)
    np.savez(tmp_path / "c.npz", angles=X, times=TIMES[:2])
    assert read(tmp_path / "c.npz").times is None


def test_names_that_are_taken(tmp_path):
    for extension, name in ((".npz", "times"), (".nc", "time"), (".nc", "x")):
        samples = Samples(X, context=X[:, :1], context_names=(name,), times=TIMES, feature_names=tuple("abcd"))
        with pytest.raises(ConfigError, match=rf"a context named {name} cannot be written as \{extension}; rename it"):
            write(samples, tmp_path / f"a{extension}")
