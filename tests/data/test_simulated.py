"""The published sequences, number for number, and what would have been."""

import numpy as np
import pytest
from scipy.linalg import expm

from latax._errors import ConfigError, DataError
from latax.data import advection_diffusion, pendulum


@pytest.fixture(scope="module")
def pendulums():
    return pendulum.make(1000, 1234)


@pytest.fixture(scope="module")
def fields():
    return advection_diffusion.make(1000, 1234, reference=True)


class TestPendulum:
    def test_the_published_numbers(self, pendulums):
        assert pendulums.X.shape == (1000, 50)
        assert pendulums.X.std() == pytest.approx(0.5745379, abs=5e-8)
        assert abs(pendulums.X).max() == pytest.approx(2.378825, abs=5e-7)
        # The blocks of parameters are drawn for all samples at once, so a part of a set is another set.
        test = pendulum.make(1000, 1236)
        np.testing.assert_allclose(test.X[0, :3], [0.3945125283, 0.5394291537, 0.8170876734], atol=1e-9)
        assert abs(pendulum.make(10, 1236).X[0, :3] - test.X[0, :3]).max() > 1e-3

    def test_what_is_known_of_it(self, pendulums):
        np.testing.assert_allclose(pendulums.times, 0.05 * np.arange(50))
        assert set(pendulums.truth) == {*pendulum.RANGES, "signal"}
        for name, (lower, upper) in pendulum.RANGES.items():
            assert lower <= pendulums.truth[name].min() < pendulums.truth[name].max() <= upper
        residual = pendulums.X - pendulums.truth["signal"]
        assert residual.std() == pytest.approx(0.01, rel=0.02)
        assert pendulums.feature_names[:2] == ("t=0", "t=0.05")

    def test_a_solution_is_the_signal_and_goes_on(self, pendulums):
        few = pendulums.take(np.arange(8))
        error = abs(pendulum.solve(few.truth, pendulum.TIMES) - few.truth["signal"]).max()
        assert 1e-6 < error < 3e-3  # The published signal is less accurate.
        long = pendulum.solve(few.truth, 0.05 * np.arange(120))
        np.testing.assert_allclose(long[:, :50], pendulum.solve(few.truth), atol=1e-8)

    def test_known_angles_and_what_would_have_been(self):
        truth = {"initial_angle": 0.5, "omega": 2.0, "gamma": 0.4, "amplitude": 20.0, "frequency": 4.0}
        found = pendulum.solve(truth, [0.0, 0.5, 1.0, 2.45])
        np.testing.assert_allclose(found[0, 1:], [0.224409604, -0.284397352, -0.036814226], atol=1e-8)
        free = pendulum.solve({**truth, "initial_angle": 1.0, "gamma": 0.0, "amplitude": 0.0}, [0.0, 2.45])
        assert free[0, 1] == pytest.approx(-0.119527361, abs=1e-8)

    def test_refusals(self, pendulums):
        with pytest.raises(ConfigError, match=r"the truth lacks gamma; a solution needs initial_angle, omega, gamma"):
            pendulum.solve({name: np.ones(2) for name in pendulum.RANGES if name != "gamma"})
        with pytest.raises(ConfigError, match=r"not one number per sample for each name: initial_angle: 2, omega: 1"):
            pendulum.solve({name: np.ones(1 if name == "omega" else 2) for name in pendulum.RANGES})
        with pytest.raises(DataError, match=r"have to be finite numbers, each above the one before"):
            pendulum.solve(pendulums.truth, [0.0, 0.1, 0.1])


class TestAdvectionDiffusion:
    def test_the_published_numbers(self, fields):
        assert fields.X.shape == (1000, 1000)
        assert fields.sample_shape == (50, 20)
        assert fields.X.mean() == pytest.approx(0.5778534, abs=5e-8)
        assert fields.X.std() == pytest.approx(0.3426769, abs=5e-8)
        assert "wrong sign as in the released code" in fields.origin

    def test_the_sign_is_right_unless_the_reference_is_asked_for(self):
        truth = {"initial_height": 1.0, "diffusion": 0.05, "advection": 0.08}
        right = [0.07768872, 0.57968151, 0.87437151, 0.63029051, 0.15276134]
        wrong = [0.15276134, 0.71888427, 0.85617068, 0.47650424, 0.07768872]
        nodes = [0, 5, 10, 15, 19]
        np.testing.assert_allclose(advection_diffusion.solve(truth, [0.0, 0.98])[0, -1, nodes], right, atol=2e-8)
        reference = advection_diffusion.solve(truth, [0.0, 0.98], reference=True)
        np.testing.assert_allclose(reference[0, -1, nodes], wrong, atol=2e-8)
        for reference, sign in ((False, 1), (True, -1)):
            signal = advection_diffusion.make(20, 0, reference=reference).truth["signal"]
            centre = signal @ advection_diffusion.NODES / signal.sum(axis=2)
            assert (sign * (centre[:, -1] - centre[:, 0]) > 0).all()

    def test_what_is_known_of_it(self, fields):
        test = advection_diffusion.make(1000, 1236)
        known = [test.truth[name][78] for name in advection_diffusion.RANGES]
        np.testing.assert_allclose(known, [0.7120, 0.06801, 0.08717], atol=5e-5)
        residual = fields.X.reshape(1000, 50, 20) - fields.truth["signal"]
        assert residual.std() == pytest.approx(1e-3, rel=0.01)
        assert fields.feature_names[20] == "t=0.02 s=0"

    def test_long_solutions_are_those_of_the_matrix(self, fields):
        few = fields.take(slice(0, 3))
        long = advection_diffusion.solve(few.truth, 0.02 * np.arange(600))
        a, b = few.truth["diffusion"][0], few.truth["advection"][0]
        below, above = a / 0.01 + b / 0.2, a / 0.01 - b / 0.2
        matrix = np.diag(np.full(20, -200 * a)) + np.diag(np.full(19, below), -1) + np.diag(np.full(19, above), 1)
        np.testing.assert_allclose(long[0, -1], expm(matrix * 0.02 * 599) @ long[0, 0], atol=1e-8)


@pytest.mark.parametrize("module", [pendulum, advection_diffusion])
def test_the_seed_decides(module):
    first, second, other = (module.make(4, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.X, second.X)
    assert abs(first.X - other.X).max() > 1e-2
