"""What pairs and midpoints cannot be, as the pairs themselves and the samples tell."""

import contextlib

import numpy as np
import pytest

from latax._errors import DataError, DataWarning
from latax.data import Pairs
from latax.estimators.pair_checks import refuse_contradictions, warn_of_detours, warn_of_midpoints
from latax.estimators.pair_graph import pair_graph
from latax.estimators.paired_nearness import Paired

ROWS = 128
STEP = 2 * np.pi / ROWS


def circle(n: int = ROWS) -> np.ndarray:
    """A closed curve in R⁴."""
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle), 0.3 * np.cos(2 * angle), 0.3 * np.sin(2 * angle)], axis=-1)


def frames(*steps: tuple[int, int], n: int = ROWS) -> Pairs:
    """From every frame, partners that are so many frames later, and their midpoints."""
    start = np.tile(np.arange(n), len(steps))
    partner, midpoint = (np.repeat(some, n) for some in zip(*steps, strict=True))
    return Pairs(start, (start + partner) % n, (start + midpoint) % n, partner * 2 * np.pi / n)


def paired(pairs: Pairs, n: int = ROWS) -> Paired:
    return Paired(pairs, circle(n).astype(np.float32), np.arange(0), np.arange(n), 0)


def test_good_pairs_pass_in_silence():
    assert len(paired(frames((4, 2), (6, 3))).checked(one_part=True).pairs) == 2 * ROWS


def test_midpoints_that_are_not_halfway_contradict_distances():
    pairs = frames((4, 5), (6, 7))
    with pytest.raises(DataError, match=r"contradicted by shorter paths.*rows \d+ and \d+ have .*path over.*halfway"):
        paired(pairs).checked(one_part=True)
    # So does a distance that is too long.
    pairs = frames((4, 2), (6, 3))
    pairs.distance[10] *= 3
    message = (
        r"^3 distances .* are contradicted.*rows 10 and 14 have 0\.589, the path over 12 has 0\.196; "
        r"rows 10 and 12 have 0\.295 \(half of that of a pair\), another pair has 0\.0982.*\. Either"
    )
    with pytest.raises(DataError, match=message):
        refuse_contradictions(pairs, pair_graph(pairs, ROWS), 0)


def test_measured_distances_may_be_off_a_little():
    pairs = frames((4, 2), (6, 3))
    noisy = Pairs(*pairs.rows, pairs.distance * np.random.default_rng(0).uniform(0.95, 1.05, len(pairs)))
    refuse_contradictions(noisy, pair_graph(noisy, ROWS), 0)


def test_midpoints_on_the_other_side_are_warned_of():
    opposite = paired(frames((4, 66), (6, 67)))
    with pytest.warns(DataWarning, match=r"midpoints of 256 of 256 pairs are less like either end.*row 66 for rows 0"):
        warn_of_midpoints(opposite.pairs, opposite.x)
    # One wrong midpoint only makes short cuts, which contradict nothing.
    pairs = frames((4, 2), (6, 3))
    pairs.midpoint[10] = 40
    refuse_contradictions(pairs, pair_graph(pairs, ROWS), 0)
    with pytest.warns(DataWarning, match=r"midpoints of 1 of 256 pairs are .* row 40 for rows 10 and 14\."):
        warn_of_midpoints(pairs, circle().astype(np.float32))
    # Pictures without anything in common are as far from one another as midpoints are from them.
    warn_of_midpoints(frames((4, 2), (6, 3)), np.eye(ROWS, dtype=np.float32))


@pytest.mark.parametrize(
    ("steps", "warned"),
    [
        ([(4, 2), (6, 3)], False),
        ([(22, 11), (36, 18)], True),
        # Nine tenths of half of the way around, of one length and of several.
        ([(58, 29)], True),
        ([(56, 28), (58, 29), (60, 30)], True),
    ],
)
def test_pairs_that_do_not_know_what_is_near_are_warned_of(steps, warned):
    expected = pytest.warns(DataWarning, match=r"joined by detours, or pairs are longer than half of the way around")
    near = paired(frames(*steps))
    with expected if warned else contextlib.nullcontext():
        warn_of_detours(near.pairs, pair_graph(near.pairs, ROWS), near.x, np.pi * near.length, 0)


def test_pairs_beyond_half_of_the_greatest_distance_are_warned_of():
    with pytest.warns(DataWarning, match=r"128 of 384 pairs are longer than half of the greatest distance, 3\.1"):
        paired(frames((4, 2), (6, 3), (60, 30))).checked(one_part=True)


def test_training_pairs_touch_no_held_out_sample():
    held_out = np.arange(0, ROWS, 10)
    training = np.setdiff1d(np.arange(ROWS), held_out)
    near = Paired(frames((4, 2), (6, 3)), circle().astype(np.float32), training, held_out, 0)
    known = near.training()
    for rows in (known.first, known.second, known.midpoint, known.far.from_rows, known.far.to_rows):
        assert not np.isin(rows, held_out).any()
    judged = np.stack([near._judged().first, near._judged().second, near._judged().midpoint])
    assert np.isin(judged, held_out).any(axis=0).all()
    assert pytest.approx(float(known.distance.min())) == STEP * 4
