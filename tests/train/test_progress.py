import pytest

from latax.train import LineMeter, RichMeter, SilentMeter, default_meter
from latax.train.progress import Pace


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_pace_counts_steady_work_only():
    clock = Clock()
    pace = Pace(clock=clock)
    assert pace.speed == 0
    clock.now = 30.0  # compilation
    pace.skip()
    clock.now = 31.0
    pace.add(100)
    assert pace.speed == pytest.approx(100)
    clock.now = 33.0
    pace.add(200)
    assert pace.speed == pytest.approx(100)


def test_pace_forgets():
    clock = Clock()
    pace = Pace(half_life=1.0, clock=clock)
    for second in range(1, 21):
        clock.now = second
        pace.add(10 if second <= 10 else 1000)
    assert pace.speed == pytest.approx(1000, rel=0.01)


def lines(path, reports, *, interval, total, position=0):
    with path.open("w") as file:
        meter = LineMeter(file, interval=interval)
        meter.start(total, position)
        for position, speed in reports:
            meter.advance(position, "density", speed)
            meter.report(position, "density", {"nll": 1.23456})
        meter.stop()
    return path.read_text().splitlines()


def test_a_line_for_each_report(tmp_path):
    shown = lines(tmp_path / "log", [(50, 0.0), (100, 0.025), (200, 50.0)], interval=0.0, total=200)
    assert shown == [
        "density 50/200 nll=1.235",
        "density 100/200 nll=1.235 0.025 steps/s, 1:06:40 left",
        "density 200/200 nll=1.235 50 steps/s, 0:00 left",
    ]


def test_not_more_lines_than_asked_for_but_always_the_last(tmp_path):
    reports = [(position, 0.0) for position in range(5, 11)]
    shown = lines(tmp_path / "log", reports, interval=1e9, total=10, position=4)
    assert shown[0] == "resuming at step 4 of 10"
    assert [line.split()[1] for line in shown[1:]] == ["5/10", "10/10"]


def test_the_bar_shows_phase_terms_speed_and_time_left(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    meter = RichMeter()
    meter.start(200, 0)
    assert "compiling" in rendered(meter)
    meter.advance(1, "density", 0.0)
    assert "steps/s" not in rendered(meter)
    meter.advance(100, "density", 50.0)
    meter.report(100, "density", {"nll": 1.25})
    shown = rendered(meter)
    meter.note("[not markup]")
    meter.stop()
    for part in ("density", "50%", "50 steps/s, 0:02 left", "nll=1.25"):
        assert part in shown
    assert "[not markup]" in capsys.readouterr().err


def rendered(meter):
    with meter._progress.console.capture() as capture:
        meter._progress.console.print(meter._progress.get_renderable())
    return capture.get()


def test_the_default_suits_where_it_goes(monkeypatch):
    assert isinstance(default_meter(show=False), SilentMeter)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    assert isinstance(default_meter(), LineMeter)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert isinstance(default_meter(), RichMeter)
