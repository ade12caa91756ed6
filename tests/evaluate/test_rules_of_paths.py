import numpy as np
import pytest

from latax.evaluate import rules as rules

MOVES = np.full((3, 4), 0.5)
STILL = np.array([[0.5], [0.01], [0.4]]) * np.ones((3, 4))


@pytest.mark.parametrize(
    ("finding", "verdict", "said"),
    [
        (rules.paths_mistaken(0.05, 0.25), "good", r"5 % of pairs are given to a wrong path, and 75 % by guessing"),
        (rules.paths_mistaken(0.2, 0.25), "warning", "Train longer"),
        (rules.paths_mistaken(0.5, 0.25), "bad", "raise the speed"),
        (rules.paths_that_stand_still(MOVES), "good", "The shortest path leads 50 %"),
        (rules.paths_that_stand_still(STILL), "bad", "The potential has become constant"),
        (rules.paths_without_change(MOVES, 1.0), "good", "by 50 % of how much draws differ"),
        (rules.paths_without_change(STILL, 1.0), "bad", "look whether the decoder uses all coordinates"),
        (rules.drift(0.04), "good", "the distance from the mean changes by 4 %"),
        (rules.drift(0.2), "warning", "Set hold_norm=True"),
        (rules.drift(float("nan")), "bad", "It is not a number"),
        (rules.reversibility(1e-5), "good", "The way back is the inverse"),
        (rules.reversibility(0.1), "bad", "too steep for the solver"),
    ],
)
def test_findings_about_paths(finding, verdict, said):
    assert finding.verdict == verdict
    assert said in finding.advice


def test_one_path_that_stands_still_is_counted_among_others_that_move():
    assert rules.paths_that_stand_still(STILL).value == 1
    assert rules.paths_without_change(STILL, 20.0).value == 3
