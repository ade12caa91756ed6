"""Errors of forecasts, and forecasts that need no network: what a learned one has to beat.

Trajectories are arrays (N, T, S) at common times, initial states (N, S).
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

Trajectories = Float[np.ndarray, "N T S"]
States = Float[np.ndarray, "N S"]
Coefficients = Float[np.ndarray, "N c"]


def relative_l1(forecast: Trajectories, truth: Trajectories) -> Float[np.ndarray, "N T"]:
    """Σ|forecast - truth| / Σ|truth| of each state; infinite where the truth is zero everywhere and the other is not.

    The measure of VAE-DLM. It is large for states near zero, whatever the forecast: look at medians, too.
    """
    error, size = np.abs(forecast - truth).sum(axis=-1), np.abs(truth).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / size)


def nearest_rows(known: Float[np.ndarray, "K S"], starts: States) -> Int[np.ndarray, " N"]:
    """The number of the known state that is nearest to each."""
    return ((known**2).sum(axis=1)[None] - 2 * starts @ known.T).argmin(axis=1)


class NearestStart:
    """The trajectory of the training set whose first state is nearest: what a look-up gives."""

    def __init__(self, training: Trajectories):
        self._training = training

    def predict(self, starts: States) -> Trajectories:
        """The whole trajectories."""
        return self._training[nearest_rows(self._training[:, 0], starts)]


class FamilyForecast:
    """The nearest members of a known family of initial states, solved: what who knows family and equation forecasts.

    **Arguments:**

    - `project`: initial states (N, S) -> coefficients (N, c) of the nearest members of the family.
    - `solve`: coefficients (N, c) -> trajectories (N, T, S) from these members.
    """

    def __init__(self, project: Callable[[States], Coefficients], solve: Callable[[Coefficients], Trajectories]):
        self._project, self._solve = project, solve

    def predict(self, starts: States) -> Trajectories:
        """The whole trajectories."""
        return self._solve(self._project(starts))


class PODRegression:
    """Proper orthogonal decomposition with a linear regression for each time: modes of all states together.

    The coefficients of the state at each time are a ridge regression of those of the first state, with as many modes as
    are asked for. Time is that of the training set.

    **Arguments:**

    - `training`: (N, T, S).
    - `modes`: how many; no more than there are.
    - `ridge`: added to the diagonal, relative to the mean variance of the coefficients.
    """

    def __init__(self, training: Trajectories, modes: int, *, ridge: float = 1e-6):
        n, times, size = training.shape
        states = np.asarray(training, np.float64).reshape(-1, size)
        self._mean = states.mean(axis=0)
        centred = states - self._mean
        _, vectors = np.linalg.eigh(centred.T @ centred)
        self._modes = vectors[:, ::-1][:, : min(modes, size)]
        coefficients = (centred @ self._modes).reshape(n, times, -1)
        design = _with_constant(coefficients[:, 0])
        penalty = ridge * n * np.mean(coefficients[:, 0] ** 2) * np.eye(design.shape[1])
        penalty[-1, -1] = 0
        right = design.T @ coefficients.reshape(n, -1)
        self._weights = np.linalg.solve(design.T @ design + penalty, right).reshape(design.shape[1], times, -1)

    def predict(self, starts: States) -> Trajectories:
        """The whole trajectories."""
        design = _with_constant((np.asarray(starts, np.float64) - self._mean) @ self._modes)
        return self._mean + np.einsum("nk,ktm->ntm", design, self._weights) @ self._modes.T


def _with_constant(x: Float[np.ndarray, "N k"]) -> Float[np.ndarray, "N c"]:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)
