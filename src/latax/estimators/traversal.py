"""Paths through a latent space: what they are, and what every estimator that has some can do."""

import abc
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError
from latax.estimators.inputs import latent_array
from latax.estimators.params import require_count
from latax.estimators.rows import map_rows
from latax.integrate import FixedStep
from latax.potential import HORIZON, check_number

#: Steps of the classical Runge-Kutta method for a whole path, at the least.
SOLVER_STEPS = 24
#: Paths that are followed at once.
_AT_ONCE = 64


class Traversal(NamedTuple):
    """Paths from N points at T times: `data` (N, T, ...) decoded, `latent` (N, T, n) in the decoder's coordinates."""

    data: Float[np.ndarray, "N T *data"]
    latent: Float[np.ndarray, "N T n"]
    times: Float[np.ndarray, " T"]


class AbstractTraverser(abc.ABC):
    """An estimator with K flows through a latent space, there and back."""

    potentials: int

    @abc.abstractmethod
    def draw(self, n: int = 1, *, seed: int = 0) -> Float[np.ndarray, "N n"]:
        """`n` latent points from which paths may start, drawn from the prior."""

    @abc.abstractmethod
    def start(self, X: Any, k: int, *, backwards: bool = False) -> Float[np.ndarray, "N n"]:
        """The latent points from which the k-th path leads through data X (N, ...); with `backwards`, its ends."""

    @property
    @abc.abstractmethod
    def _moving(self) -> tuple[Any, int]:
        """The fitted module, and the size n of a latent point. Raises `ConfigError` where nothing moves."""

    @abc.abstractmethod
    def _follower(self, shares: tuple[float, ...]) -> Any:
        """`(module, z (n,), weights (K,)) -> (data (T, ...), latent (T, n))` at these times from 0 to 1."""

    @abc.abstractmethod
    def _times(self, shares: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """The times that are meant by those from 0 to 1."""

    def traverse(self, Z: Any, k: int, *, steps: int = 12, backwards: bool = False) -> Traversal:
        """The paths of the k-th potential from latent points Z (N, n), at `steps` times from the first to the last.

        With `backwards`, Z are the ends of the paths and the times go back: the inverse of the same flow. The negative
        direction has no other definition. Raises `ConfigError` for a k that is not there and fewer than two steps,
        `DataError` for points of another size or that are not finite.
        """
        check_number(k, self.potentials)
        weights = np.zeros(self.potentials, np.float32)
        weights[k] = 1
        return self._follow(Z, weights, steps, backwards)

    def compose(self, Z: Any, weights: Any, *, steps: int = 12, backwards: bool = False) -> Traversal:
        """The paths along Σ a_k ∇u^k from latent points Z (N, n), for one weight a_k of each potential."""
        found = np.asarray(weights, np.float32)
        if found.shape != (self.potentials,) or not np.isfinite(found).all():
            raise DataError(
                f"The weights have shape {found.shape}; expected {self.potentials} finite numbers, one for each "
                "potential."
            )
        return self._follow(Z, found, steps, backwards)

    def _follow(self, Z: Any, weights: np.ndarray, steps: int, backwards: bool) -> Traversal:
        module, size = self._moving
        require_count("steps", steps, least=2)
        points = latent_array(Z, size)
        shares = np.linspace(0, HORIZON, steps)
        shares = shares[::-1] if backwards else shares
        weights = np.broadcast_to(weights, (len(points), self.potentials))
        data, latent = map_rows(self._follower(tuple(shares.tolist())), module, points, weights, chunk=_AT_ONCE)
        return Traversal(data, latent, self._times(shares))


def path_solver(shares: tuple[float, ...]) -> FixedStep:
    """Enough steps for a whole path, however many of its times are asked for."""
    return FixedStep(substeps=-(-SOLVER_STEPS // (len(shares) - 1)))
