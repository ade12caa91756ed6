import numpy as np
import pytest

from latax._errors import DataError
from latax.evaluate import equivariance_error, norm_drift, path_energy, round_trip_error

TS = np.linspace(0, 1, 5)
RNG = np.random.default_rng(0)


def test_a_linear_pair_built_to_match_has_no_error():
    # Data W z, transformed by W exp(tA) W⁺: the flow of A in latent space is right, another one is not.
    w = RNG.normal(size=(6, 2))
    rates, z = np.array([0.3, -0.7]), RNG.normal(size=(4, 2))
    flowed = lambda rates: np.exp(rates * TS[None, :, None]) * z[:, None] @ w.T
    wanted = flowed(rates)
    right = equivariance_error(wanted, flowed(rates), wanted)
    np.testing.assert_allclose(right.error, 0, atol=1e-12)
    np.testing.assert_allclose(right.floor, 0, atol=1e-12)
    # The frame that was encoded is no success of the flow.
    spoiled = np.array(flowed(rates))
    spoiled[:, 1] += 1
    assert equivariance_error(wanted, spoiled, wanted, at=1).error.max() < 1e-9
    assert equivariance_error(wanted, spoiled, wanted).error.min() > 1
    wrong = equivariance_error(wanted, flowed(2 * rates), wanted)
    assert (wrong.error > 0.1).all()
    # A flow that does not move has the error of staying.
    np.testing.assert_allclose(equivariance_error(wanted, flowed(0 * rates), wanted).error, right.still)
    by_hand = np.abs(wanted[:, 1:] - wanted[:, :1]).sum(axis=(1, 2))
    np.testing.assert_allclose(right.still, by_hand)


def test_the_floor_is_the_error_of_the_encoder():
    wanted = RNG.normal(size=(3, 4, 2, 2, 1))
    off = wanted + 0.5
    found = equivariance_error(wanted, off, off)
    # Three times of four numbers each; the first time, that of the untransformed data, does not count.
    np.testing.assert_allclose(found.error, 3 * 4 * 0.5)
    np.testing.assert_allclose(found.floor, found.error)


def test_energy_is_least_on_the_straight_line():
    ends = RNG.normal(size=(3, 2, 4))
    straight = ends[:, :1] + TS[:, None] * (ends[:, 1:] - ends[:, :1])
    least = np.sum((ends[:, 1] - ends[:, 0]) ** 2, axis=1)
    np.testing.assert_allclose(path_energy(straight, TS), least)
    # Twice as fast in the first half and then at rest: twice the energy. A detour: more.
    uneven = ends[:, :1] + np.minimum(2 * TS, 1)[:, None] * (ends[:, 1:] - ends[:, :1])
    np.testing.assert_allclose(path_energy(uneven, TS), 2 * least)
    assert (path_energy(straight + np.sin(np.pi * TS)[:, None], TS) > least + 0.1).all()
    np.testing.assert_allclose(path_energy(straight[:, ::-1], TS[::-1]), least)


def test_drift_and_round_trip():
    angles = np.pi * TS
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)[None]
    np.testing.assert_allclose(norm_drift(circle), 0, atol=1e-15)
    np.testing.assert_allclose(norm_drift(circle * (1 - 0.2 * TS[:, None])), 0.2)
    z = np.array([[3.0, 4.0], [1.0, 0.0]])
    np.testing.assert_allclose(round_trip_error(z, z + np.array([0.0, 1.0])), [0.2, 1.0])
    assert not round_trip_error(z, z).any()


def test_what_cannot_be_measured():
    x = np.zeros((2, 3, 4))
    with pytest.raises(DataError, match=r"The shapes \(2, 3, 4\), \(2, 3, 3\) and"):
        equivariance_error(x, x[..., :3], x)
    with pytest.raises(DataError, match="There is one time only"):
        equivariance_error(x[:, :1], x[:, :1], x[:, :1])
    with pytest.raises(DataError, match="expected at least two, each different"):
        path_energy(x, np.zeros(3))
