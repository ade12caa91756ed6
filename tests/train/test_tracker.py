import json

import pytest

from latax._errors import FileError
from latax.train import JSONLTracker, MemoryTracker, read_metrics


def record(position):
    return {"position": position, "phase": "a", "step": position, "terms": {"error": [0.5]}}


def test_lines_come_back(tmp_path):
    tracker = JSONLTracker(tmp_path / "new" / "metrics.jsonl")
    tracker.rewind(-1)
    for position in (1, 2, 3):
        tracker.log(record(position))
    tracker.close()
    assert read_metrics(tracker.path) == [record(1), record(2), record(3)]
    assert read_metrics(tmp_path / "none") == []


@pytest.mark.parametrize("make", [lambda path: JSONLTracker(path / "metrics.jsonl"), lambda path: MemoryTracker()])
def test_rewind_forgets_what_will_be_repeated(tmp_path, make):
    tracker = make(tmp_path)
    for position in (1, 2, 3):
        tracker.log(record(position))
    tracker.rewind(2)
    tracker.log(record(4))
    kept = tracker.records if isinstance(tracker, MemoryTracker) else read_metrics(tracker.path)
    assert [r["position"] for r in kept] == [1, 2, 4]


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path):
    tracker = JSONLTracker(tmp_path / "metrics.jsonl")
    tracker.log(record(1))
    whole = tracker.path.read_bytes()
    tracker.path.write_bytes(whole + b'{"position": 2, "ph')
    assert read_metrics(tracker.path) == [record(1)]
    tracker.rewind(5)
    assert tracker.path.read_bytes() == whole


def test_a_damaged_line_is_an_error(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(record(1)) + "\n{]\n" + json.dumps(record(3)) + "\n")
    with pytest.raises(FileError, match=r"metrics\.jsonl is damaged at line 2 .* Restore it, or take that line out\."):
        read_metrics(path)


def test_what_is_not_finite_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        JSONLTracker(tmp_path / "metrics.jsonl").log({"position": 1, "terms": {"error": float("nan")}})


def test_a_disk_that_takes_nothing(tmp_path):
    tracker = JSONLTracker(tmp_path / "metrics.jsonl")
    tracker.path.mkdir()
    with pytest.raises(FileError, match=r"The metrics cannot be written to .*Make room or mend the permissions"):
        tracker.log(record(1))
