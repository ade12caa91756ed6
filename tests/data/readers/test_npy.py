import numpy as np
import pytest

from latax._errors import ConfigError, DataError, FileError
from latax.data import read


@pytest.fixture
def save(tmp_path):
    def saved(array):
        np.save(tmp_path / "a.npy", array)
        return tmp_path / "a.npy"

    return saved


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f4", np.float16, np.int8, bool])
def test_round_trip(save, dtype):
    array = np.random.default_rng(0).integers(0, 2, (7, 2, 3)).astype(dtype)
    for lazy in (False, True):
        samples = read(save(array), lazy=lazy)
        assert samples.is_lazy == lazy
        assert samples.sample_shape == (2, 3)
        assert samples.X.dtype == (np.float64 if dtype is np.float64 else np.float32)
        assert samples.X.dtype.isnative
        np.testing.assert_array_equal(samples.X[:], array.reshape(7, 6).astype(float))


def test_data_read_whole_do_not_follow_the_file(save):
    samples = read(save(np.zeros((3, 2))))
    save(np.ones((3, 2)))
    np.testing.assert_array_equal(samples.X, 0)


def test_fortran_order_and_vectors(save):
    table = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(read(save(np.asfortranarray(table))).X, table)
    assert read(save(np.arange(5.0))).X.shape == (5, 1)


def test_the_second_version_of_the_format(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.ones((2, 2)), version=(2, 0))
    assert read(tmp_path / "a.npy").X.tolist() == [[1, 1], [1, 1]]


def test_context_columns(save):
    samples = read(save(np.arange(12.0).reshape(4, 3)), context=["x2"])
    assert samples.feature_names == ("x0", "x1")
    np.testing.assert_array_equal(samples.context[:, 0], [2, 5, 8, 11])
    with pytest.raises(ConfigError, match=r"no array or column 'theta' to use as context\. The columns"):
        read(save(np.zeros((4, 3))), context="theta")


def test_objects_are_never_unpickled(save):
    path = save(np.array([{"a": 1}, None], dtype=object))
    with pytest.raises(DataError, match=r"holds Python objects \(pickled\); latax never unpickles files.*numpy\.save"):
        read(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((3, 2), complex), r"complex numbers \(complex128\).*real and imaginary parts"),
        (np.array([["a", "b"]]), r"holds <U1 values \(text\?\); latax expects numbers"),
        (np.array([["2020-01-01"]], "datetime64[D]"), r"dates or durations.*Convert them"),
        (np.zeros(3, [("x", float), ("y", float)]), r"structured array with the fields x, y.*Stack the fields"),
        (np.float64(3.0), r"is a single number; latax expects an array"),
        (np.zeros((0, 4)), r"is empty: its shape is \(0, 4\)"),
        (np.zeros((4, 0)), r"is empty: its shape is \(4, 0\)"),
        (np.array([[2**53 + 2, 1]]), r"integers too big .*largest in size is 9007199254740994.*identifiers"),
        (np.array([[-(2**60), 1]]), r"largest in size is -1152921504606846976"),
    ],
)
def test_what_is_not_a_table_of_numbers(save, array, message):
    with pytest.raises(DataError, match=message):
        read(save(array))


def test_largest_exact_integer_is_fine(save):
    np.testing.assert_array_equal(read(save(np.array([[2**53, -(2**53)]]))).X, [[2.0**53, -(2.0**53)]])


def test_cut_short(save):
    path = save(np.zeros((100, 10)))
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(FileError, match=r"a\.npy cannot be read as \.npy: it is damaged, cut short.*download it again"):
        read(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FileError, match=r"a\.npy cannot be read as \.npy"):
        read(path)


def test_no_named_arrays(save):
    with pytest.raises(ConfigError, match=r"holds a single array or table, so name='x' has no meaning\. Drop it"):
        read(save(np.zeros((3, 2))), name="x")
