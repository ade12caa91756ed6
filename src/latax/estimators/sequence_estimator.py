"""What is particular about sequences: their times, and going on beyond the data."""

import abc
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array

from latax._errors import DataError
from latax.data import Samples
from latax.estimators.params import require_positive
from latax.estimators.sequences import check_shape, increasing, times_of
from latax.estimators.signal_estimator import AbstractSignalEstimator, latents_of
from latax.models.physics_vae import PhysicsVAE as Module


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractSequenceEstimator(AbstractSignalEstimator):
    """A variational autoencoder of sequences (N, T) or (N, T, observed) at common times, which a fitted one has as
    `times_`."""

    dt: float | None = None
    """Time from one entry of a sequence to the next, where the data have no times."""

    @abc.abstractmethod
    def _observed(self, samples: Samples) -> tuple[int, ...]:
        """The shape of one observation that the model expects, for data like these."""

    def _check_model_params(self) -> None:
        super()._check_model_params()
        check_dt(self.dt)

    def _check_signals(self, samples: Samples) -> None:
        check_shape(samples, self._observed(samples))
        self.times_ = times_of(samples, self.dt).tolist()

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"times_": self.times_, **super()._fitted_numbers()}

    def predict(self, X: Any, times: Any = None) -> np.ndarray:
        """The sequences, as the model sees them, at other times: beyond the last one it extrapolates.

        `times`: (T,), increasing; the first is that of the data, and without any they are all those of the data. The
        result has shape (N, T, ...). However far they are apart, steps are not longer than between the data.
        """
        Z = self._encode(X, None)
        return self._decoded(Z, X) if times is None else decode_at(self, Z, times, X)


def check_dt(dt: float | None) -> None:
    """Refuses a step in time that does not go forward."""
    if dt is not None:
        require_positive("dt", dt)


def decode_at(estimator: Any, Z: Any, times: Any, of: Any) -> np.ndarray:
    """The sequences that latent coordinates stand for, at other times than those of the data; `of` which samples, for
    messages."""
    Z, ts, observed = estimator._latents(Z), increasing(times), np.asarray(estimator.times_)
    first, last = observed[0], observed[-1]
    if abs(ts[0] - first) > 1e-6 * abs(last - first):
        raise DataError(f"The times begin at {ts[0]:g}, but the initial state is that of {first:g}. Begin there.")
    return estimator._made(estimator._mapped(_Decode(tuple(ts.tolist())), Z), Z, of)


class _Decode(NamedTuple):
    """Latent coordinates to a sequence at these times; equal times share a compiled program."""

    times: tuple[float, ...]

    def __call__(self, module: Module, z: Array) -> Array:
        return module.decode(latents_of(module, z), np.asarray(self.times))
