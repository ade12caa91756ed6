"""Numbers of paths in latent space and of what they decode to."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError


class EquivarianceError(NamedTuple):
    """How far decoded flows are from the transformed data, sample by sample.

    `error` (N,): Σ |wanted - flow| over all numbers and all times but that of the encoded data; `floor` (N,): the same
    for the encoder's own codes of the transformed data, which no flow in this latent space can be expected to beat, if
    the encoder was trained on such; `still` (N,): the same for a flow that does not move.
    """

    error: Float[np.ndarray, " N"]
    floor: Float[np.ndarray, " N"]
    still: Float[np.ndarray, " N"]


def equivariance_error(
    wanted: Float[np.ndarray, "..."],
    flowed: Float[np.ndarray, "..."],
    reconstructed: Float[np.ndarray, "..."],
    *,
    at: int = 0,
) -> EquivarianceError:
    """The error for one transformation; call it anew for each, so that none is averaged into another.

    **Arguments:** `wanted`: (N, T, ...) data at T times of the transformation; `flowed`: the decoded flow through the
    codes at time number `at`; `reconstructed`: decode(encode(wanted)). Raises `DataError` for shapes that differ, or
    that hold no other time.
    """
    if wanted.shape != flowed.shape or wanted.shape != reconstructed.shape:
        raise DataError(
            f"The shapes {wanted.shape}, {flowed.shape} and {reconstructed.shape} of wanted, flowed and reconstructed "
            "data differ; expected (samples, times, ...) for all three."
        )
    if wanted.shape[1] < 2:
        raise DataError("There is one time only, that of the untransformed data. Give at least one more.")
    others = np.delete(np.arange(wanted.shape[1]), at)
    distance = lambda found: np.sum(np.abs(wanted - found)[:, others].reshape(len(wanted), -1), axis=1)
    return EquivarianceError(distance(flowed), distance(reconstructed), distance(reconstructed[:, at : at + 1]))


def path_energy(path: Float[np.ndarray, "N T n"], ts: Float[np.ndarray, " T"]) -> Float[np.ndarray, " N"]:
    """Σ |Δz|² / |Δt| of each path: ∫ |dz/dt|² dt of the polygon through its points.

    Among paths with the same ends it is least, |z_1 - z_0|² / |t_1 - t_0|, for the straight line at constant speed.
    """
    steps = np.abs(np.diff(ts))
    if len(ts) < 2 or not (steps > 0).all():
        raise DataError(f"The times are {ts}; expected at least two, each different from the one before.")
    return np.sum(np.sum(np.diff(path, axis=1) ** 2, axis=2) / steps, axis=1)


def norm_drift(path: Float[np.ndarray, "N T n"]) -> Float[np.ndarray, " N"]:
    """The greatest | |z_t| / |z_0| - 1 | of each path: how far it leaves the shell where draws of the prior lie."""
    norms = np.linalg.norm(path, axis=2)
    return np.max(np.abs(norms / norms[:, :1] - 1), axis=1)


def round_trip_error(z: Float[np.ndarray, "N n"], back: Float[np.ndarray, "N n"]) -> Float[np.ndarray, " N"]:
    """|z - back(there(z))| / |z| of each point."""
    return np.linalg.norm(back - z, axis=1) / np.linalg.norm(z, axis=1)
