import pytest

from latax._errors import ConfigError
from latax.train import Alternate
from latax.train.course import Course
from tests.train.problem import phase


def spans(course):
    return [(s.phase.name, s.start, s.stop) for s in course.segments]


def test_a_phase_is_one_segment():
    course = Course([phase("a", 10), phase("b", 5)], reports=2)
    assert spans(course) == [("a", 0, 10), ("b", 0, 5)]
    assert course.total == 15
    assert [s.position for s in course.segments] == [0, 10]
    assert course.position(1, 3) == 13
    assert course.position(2, 0) == 15


def test_alternate_interleaves_all_steps_of_its_phases():
    course = Course([Alternate(phases=[phase("a", 10), phase("b", 5)], rounds=3)], reports=50)
    assert spans(course) == [("a", 0, 3), ("b", 0, 1), ("a", 3, 6), ("b", 1, 3), ("a", 6, 10), ("b", 3, 5)]
    assert [course.ends_stage(i) for i in range(6)] == [False] * 5 + [True]
    assert [s.chooses for s in course.segments] == [False, True] * 3
    assert [s.number for s in course.segments] == [1, 2] * 3


def test_reports_are_spread_over_a_phase():
    (segment,) = Course([phase(steps=10)], reports=3).segments
    stops, step = [], 0
    while step < 10:
        step = segment.next_stop(step)
        stops.append(step)
    assert stops == [4, 8, 10]


def test_of_many_rounds_only_some_report_and_always_the_last():
    course = Course([Alternate(phases=[phase("a", 70), phase("b", 70)], rounds=70)], reports=10)
    reporting = [i for i, s in enumerate(course.segments) if s.reports and s.phase.name == "b"]
    assert len(reporting) == 10
    assert course.segments[-1].reports
    assert course.segments[-1].chooses
    assert not course.segments[0].reports


def test_two_courses_are_told_apart():
    describe = lambda **options: Course([phase(**options)], reports=5).describe()
    assert describe() == describe()
    assert len({describe(), describe(steps=13), describe(batch_size=8), describe(name="b")}) == 4


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ([], r"The recipe is empty; it needs at least one Phase\."),
        ([phase(), phase("b"), Alternate(phases=[phase()], rounds=2)], r"unique within a recipe; \['all'\] come more"),
    ],
)
def test_errors(recipe, message):
    with pytest.raises(ConfigError, match=message):
        Course(recipe, reports=5)
