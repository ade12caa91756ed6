"""The known position of each sample on a manifold, as it comes with the samples."""

import math

import numpy as np
from jaxtyping import Float

from latax._errors import DataError
from latax._wording import counted, listed
from latax.data import Samples
from latax.geometry import SO3, AbstractManifold, FlatTorus, Product, SphericalCap
from latax.geometry.sphere import AbstractSphericalManifold

#: Numbers of a point may be off by this much, relative to its size: files round.
_ROUNDING = 1e-3
#: Positions over more turns than this are probably in another unit.
_TURNS = 2.0


def positions_of(samples: Samples, manifold: AbstractManifold) -> Float[np.ndarray, "N *point"]:
    """`truth["position"]` as points of the manifold, in float64.

    Each may also be given flat, as columns of a table are, and a single number without an axis of its own. Raises
    `DataError` where there are none, or where they are no such points, as angles in degrees are on a circle of 2π.
    """
    shape = manifold.point_shape
    found = samples.truth.get("position")
    if found is None:
        raise DataError(
            f"The samples have no positions. Give those on {manifold!r} as Samples(X, truth={{'position': ...}}), an "
            f"array of shape ({len(samples)}, {', '.join(map(str, shape))}), or on the command line the columns that "
            "hold them, --position COLUMN for each."
        )
    if found.dtype.kind not in "fiu" or math.prod(found.shape[1:]) != math.prod(shape):
        raise DataError(
            f"The positions have {found.dtype} {found.shape}; a point of {manifold!r} is an array of {shape}, so "
            f"numbers of shape ({len(samples)}, {', '.join(map(str, shape))}) were expected."
        )
    positions = found.astype(np.float64).reshape(len(samples), *shape)
    flat = positions.reshape(len(samples), -1)
    _refuse(np.any(~np.isfinite(flat), axis=1), "not finite", "Leave these samples out.")
    return _points(positions, manifold)


def _points(positions: Float[np.ndarray, "N *point"], manifold: AbstractManifold) -> Float[np.ndarray, "N *point"]:
    """The points that numbers stand for, without the rounding of files; refuses what cannot be one."""
    if isinstance(manifold, Product):
        sizes = np.cumsum([math.prod(factor.point_shape) for factor in manifold.factors])[:-1]
        parts = zip(np.split(positions, sizes, axis=1), manifold.factors, strict=True)
        made = [_points(part.reshape(len(part), *factor.point_shape), factor) for part, factor in parts]
        return np.concatenate([part.reshape(len(part), -1) for part in made], axis=1)
    flat = positions.reshape(len(positions), -1)
    if isinstance(manifold, AbstractSphericalManifold):
        lengths = np.linalg.norm(flat, axis=1) / manifold.radius
        _refuse(np.abs(lengths - 1) > _ROUNDING, f"not of length {manifold.radius:g}", "Give points of the sphere.")
        if isinstance(manifold, SphericalCap):
            angles = np.arctan2(np.linalg.norm(flat[:, :-1], axis=1), flat[:, -1])
            cure = "Leave these samples out, or give a larger opening; the cap is around the last axis."
            _refuse(angles > manifold.opening + _ROUNDING, f"outside of {manifold!r}", cure)
        return positions / lengths[:, None]
    if isinstance(manifold, SO3):
        gram = np.einsum("nji,njk->nik", positions, positions)
        off = np.abs(gram - np.eye(3)[None]).max(axis=(1, 2)) > _ROUNDING
        cure = "Give rotation matrices, orthogonal and with determinant 1."
        _refuse(off | (np.linalg.det(positions) < 0), "no rotation matrices", cure)
    if isinstance(manifold, FlatTorus):
        named = (f"{period:.4g}" for period in manifold.periods)
        periods = float(np.max(np.ptp(flat, axis=0) / np.array(manifold.periods)))
        if periods > _TURNS:
            raise DataError(
                f"The positions go round {periods:.0f} times: {manifold!r} has periods of {listed(named)}. Are they "
                "degrees? Convert them, numpy.deg2rad(position), or give a manifold whose period is 360: "
                "manifold='circle-degrees', or latax.geometry.FlatTorus(360). Angles of several turns are to be given "
                "within one, position % period."
            )
    return positions


def _refuse(bad: np.ndarray, what: str, cure: str) -> None:
    if bad.any():
        verb = "is" if bad.sum() == 1 else "are"
        raise DataError(
            f"{counted(int(bad.sum()), 'position')} of {len(bad)} {verb} {what}, the first is that of sample "
            f"{int(np.argmax(bad))} (the first sample is 0). {cure}"
        )
