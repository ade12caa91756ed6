"""Errors of forecasts, and the forecasts that need no network, on trajectories that obey a linear law."""

import numpy as np

from latax.evaluate.forecasts import NearestStart, PODRegression, relative_l1

LAW = np.array([[0.9, 0.3, 0], [-0.3, 0.9, 0], [0, 0, 0.5]])


def trajectories(n, seed):
    """Four times of a linear law in three dimensions, seen as ten numbers."""
    rng = np.random.default_rng(seed)
    states = [rng.normal(size=(n, 3))]
    for _ in range(3):
        states.append(states[-1] @ LAW.T)
    lift = np.random.default_rng(99).normal(size=(3, 10))
    return np.stack(states, axis=1) @ lift + 2


def test_relative_errors_by_hand():
    truth = np.array([[[1.0, -1], [0, 0]]])
    np.testing.assert_allclose(relative_l1(np.array([[[1.5, -1], [0, 0]]]), truth), [[0.25, 0]])
    assert relative_l1(np.array([[[1.0, -1], [1, 0]]]), truth)[0, 1] == np.inf


def test_regression_of_modes_is_exact_for_a_linear_law():
    training, fresh = trajectories(200, 0), trajectories(20, 1)
    found = PODRegression(training, 3, ridge=0.0).predict(fresh[:, 0])
    np.testing.assert_allclose(found, fresh, atol=1e-9)
    too_few = PODRegression(training, 2, ridge=0.0).predict(fresh[:, 0])
    assert abs(too_few - fresh).max() > 0.1


def test_a_look_up_finds_what_it_has_and_the_nearest_else():
    training = trajectories(50, 0)
    lookup = NearestStart(training)
    np.testing.assert_array_equal(lookup.predict(training[7:9, 0]), training[7:9])
    np.testing.assert_array_equal(lookup.predict(training[7:9, 0] + 1e-6), training[7:9])
    fresh = trajectories(20, 1)
    distance = np.linalg.norm(training[None, :, 0] - fresh[:, None, 0], axis=-1)
    np.testing.assert_array_equal(lookup.predict(fresh[:, 0]), training[distance.argmin(axis=1)])
