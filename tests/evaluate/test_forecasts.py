"""Errors of forecasts, and the forecasts that need no network, on trajectories that obey a linear law."""

import numpy as np

from latax.evaluate.forecasts import FamilyForecast, NearestStart, PODRegression, relative_l1

LAW = np.array([[0.9, 0.3, 0], [-0.3, 0.9, 0], [0, 0, 0.5]])
LIFT = np.random.default_rng(99).normal(size=(3, 10))


def trajectories(n, seed):
    """Four times of a linear law in three dimensions, seen as ten numbers."""
    rng = np.random.default_rng(seed)
    states = [rng.normal(size=(n, 3))]
    for _ in range(3):
        states.append(states[-1] @ LAW.T)
    return np.stack(states, axis=1) @ LIFT + 2


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


def test_who_knows_family_and_law_forecasts_through_noise():
    """The noise of ten numbers becomes that of three coefficients; with another law the knowledge is worth nothing."""
    truth = trajectories(200, 1)
    project = lambda starts: np.linalg.lstsq(LIFT.T, (starts - 2).T, rcond=None)[0].T

    def forecast(starts, law=LAW):
        solve = lambda a: np.stack([a @ np.linalg.matrix_power(law.T, k) for k in range(4)], axis=1) @ LIFT + 2
        return FamilyForecast(project, solve).predict(starts)

    np.testing.assert_allclose(forecast(truth[:, 0]), truth, atol=1e-9)
    noisy = truth[:, 0] + np.random.default_rng(2).normal(size=(200, 10))
    error = lambda made: abs(made[:, 0] - truth[:, 0]).mean()
    np.testing.assert_allclose(((forecast(noisy)[:, 0] - truth[:, 0]) ** 2).mean(), 0.3, rtol=0.2)  # 3 of 10 directions
    assert error(forecast(noisy)) < error(noisy[:, None])
    assert abs(forecast(truth[:, 0], 0.9 * LAW) - truth).max() > 0.1
