import numpy as np
import pytest

from latax._errors import DataError
from latax.data import Samples, digit_sequences
from latax.estimators.splitting import split_rows

X = np.arange(120.0).reshape(40, 3)
SUBJECT = np.arange(40) // 4
NAMES = tuple(f"subject {s}" for s in SUBJECT)


def shared(parts, groups):
    training, held_out = (set(np.asarray(groups)[rows]) for rows in parts)
    return training & held_out


@pytest.mark.parametrize("belong", [{"groups": SUBJECT}, {"labels": NAMES}], ids=["groups", "labels that repeat"])
def test_what_belongs_together_stays_together(belong):
    for seed in range(5):
        parts = split_rows(Samples(X, **belong), 0.2, seed)
        assert not shared(parts, SUBJECT)
        assert sorted(np.concatenate(parts)) == list(range(40))
        assert len(parts[1]) == 8
    assert shared(split_rows(Samples(X), 0.2, 0), SUBJECT)  # by row, subjects would be in both


@pytest.mark.parametrize("labels", [(), tuple(map(str, range(40))), ("one",) * 40], ids=["none", "all differ", "equal"])
def test_labels_that_tell_nothing_apart_change_nothing(labels):
    for ours, plain in zip(split_rows(Samples(X, labels=labels), 0.1, 3), split_rows(40, 0.1, 3), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_what_is_held_out_fits_into_memory(monkeypatch):
    assert len(split_rows(Samples(X), 0.5, 0)[1]) == 20
    monkeypatch.setattr("latax.estimators.splitting.MOST_VALIDATION_BYTES", 5 * 3 * 4)
    assert len(split_rows(Samples(X), 0.5, 0)[1]) == 5
    monkeypatch.setattr("latax.estimators.splitting.MOST_VALIDATION_BYTES", 1)  # a row is more than that
    assert len(split_rows(Samples(X), 0.5, 0)[1]) == 1


def test_a_single_group_cannot_be_held_out():
    with pytest.raises(DataError, match="1 group cannot be split into 2 parts"):
        split_rows(Samples(X, groups=np.zeros(40)), 0.1, 0)


def test_sequences_of_one_digit_are_not_parted():
    samples = digit_sequences.make(60, side=8)
    assert not shared(split_rows(samples, 0.2, 0), samples.truth["image"])
