import jax
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.train import StreamSource

SEED = (0, 1)


class OnDisk:
    """Rows that can only be had by reading slices; remembers what was read."""

    def __init__(self, rows, width=2):
        self.values = np.arange(rows * width, dtype=np.float32).reshape(rows, width)
        self.shape, self.dtype = self.values.shape, self.values.dtype
        self.reads = []

    def __getitem__(self, index):
        assert isinstance(index, slice)
        self.reads.append((index.start, index.stop))
        return self.values[index]


def stream(rows=103, block=8, blocks=3):
    array = OnDisk(rows)
    return StreamSource({"x": array}, block=block, window_bytes=blocks * block * 8), array


def row_numbers(plan):
    return (plan["x"][..., 0] / 2).astype(int)


def test_every_row_comes_once_an_epoch():
    source, _ = stream(rows=103)
    epochs = row_numbers(source.plan(SEED, 0, 206, 1)).reshape(2, 103)
    assert (np.sort(epochs, axis=1) == np.arange(103)).all()
    assert (epochs[0] != epochs[1]).any()


@pytest.mark.parametrize("batch_size", [4, 7, 30])
def test_the_plan_does_not_depend_on_how_it_is_asked_for(batch_size):
    whole = row_numbers(stream()[0].plan(SEED, 0, 40, batch_size))
    source, _ = stream()
    parts = [row_numbers(source.plan(SEED, at, 5, batch_size)) for at in range(0, 40, 5)]
    assert (np.concatenate(parts) == whole).all()
    assert (row_numbers(stream()[0].plan(SEED, 33, 7, batch_size)) == whole[33:]).all()
    for step in (0, 9, 39):
        assert (source.rows_of(SEED, step, batch_size) == whole[step]).all()
    assert (row_numbers(source.plan((1, 1), 0, 40, batch_size)) != whole).any()


def test_rows_are_shuffled_within_and_between_blocks():
    source, _ = stream(rows=96, block=8, blocks=3)
    first_window = row_numbers(source.plan(SEED, 0, 24, 1))[:, 0]
    assert set(first_window // 8) != {0, 1, 2}
    assert len(set(first_window // 8)) == 3
    assert (np.diff(first_window) != 1).sum() > 12


def test_reads_long_runs_and_never_more_than_a_window():
    source, array = stream(rows=800, block=8, blocks=5)
    source.plan(SEED, 0, 1, 4)
    assert sum(stop - start for start, stop in array.reads) == 40
    assert all(stop - start == 8 for start, stop in array.reads)
    source.plan(SEED, 1, 9, 4)
    assert sum(stop - start for start, stop in array.reads) == 40
    source.plan(SEED, 10, 1, 4)
    assert sum(stop - start for start, stop in array.reads) == 80


def test_large_rows_are_read_in_shorter_runs():
    """A window of 40 bytes holds five rows of eight, fewer than a block."""
    array = OnDisk(50)
    source = StreamSource({"x": array}, block=256, window_bytes=40)
    assert (np.sort(row_numbers(source.plan(SEED, 0, 10, 5)).ravel()) == np.arange(50)).all()
    assert all(stop - start <= 5 for start, stop in array.reads)


def test_shapes_can_be_had_without_reading():
    source, array = stream()
    like = source.plan_like(4)
    assert array.reads == []
    plan = source.plan(SEED, 0, 2, 4)
    assert jax.tree.map(lambda a: (a.shape[1:], a.dtype), plan) == jax.tree.map(lambda a: (a.shape, a.dtype), like)


def test_a_window_larger_than_the_data():
    source, _ = stream(rows=50, block=8, blocks=100)
    assert (np.sort(row_numbers(source.plan(SEED, 0, 5, 10)).ravel()) == np.arange(50)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: stream(rows=3)[0].plan(SEED, 0, 1, 4), r"batch_size=4 is larger than the 3 training rows"),
        (lambda: stream(block=0), r"block=0 and window_bytes=0 must be at least 1"),
        (lambda: StreamSource({"x": OnDisk(3), "y": OnDisk(4)}), r"same number of rows"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
