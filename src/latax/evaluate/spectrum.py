"""How a decoder stretches latent space: summaries of the singular values of its Jacobian at many points.

The singular values s_1 >= ... >= s_n of J = dx/du are the square roots of the eigenvalues of the pullback metric JᵀJ:
a step of length one along the i-th principal direction moves the data by s_i. Take them from J itself (an SVD),
since forming JᵀJ squares the condition number.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from latax._errors import DataError


class MetricSpectrum(NamedTuple):
    """The metric's spectrum at N points, with the latent directions ranked by their stretch at each point.

    `singular_values` are in decreasing order (data units per latent unit). `condition` is s_1/s_n, infinite where a
    direction is lost. `log_volume` is the sum of log s_i. `effective_dimension` is the participation ratio (Σ s²)² / Σ
    s⁴ of the metric's eigenvalues: n if all directions are stretched alike, one if a single one carries everything.
    `share` is the mean fraction of the squared stretch in each rank, and `typical` the root mean square of s by rank.
    `collapsed` is the fraction of points where s_n < 1e-4 s_1: the decoder has lost a dimension there in all but name.
    """

    singular_values: Float[np.ndarray, "N n"]
    condition: Float[np.ndarray, " N"]
    log_volume: Float[np.ndarray, " N"]
    effective_dimension: Float[np.ndarray, " N"]
    share: Float[np.ndarray, " n"]
    typical: Float[np.ndarray, " n"]
    collapsed: float
    excluded: int

    def unused_directions(self, *, threshold: float = 0.01) -> int:
        """How many latent directions move the data less than `threshold` times what the strongest does."""
        return int(np.count_nonzero(self.typical <= threshold * self.typical[0]))


class PrincipalDirections(NamedTuple):
    """The directions in latent space along which the data change most, over all points.

    `directions[:, i]` is the i-th eigenvector of the mean metric and `share[i]` its fraction of the mean squared
    stretch. `alignment` is the mean |cosine| between the strongest direction at a point and `directions[:, 0]`: one if
    the latent axes have the same meaning everywhere. `correlation` is the mean |cosine| between the images of two
    latent axes: zero for orthogonal coordinates, and for a single one.
    """

    directions: Float[np.ndarray, "n n"]
    share: Float[np.ndarray, " n"]
    alignment: float
    correlation: float


_COLLAPSE = 1e-4


def metric_spectrum(singular_values: Float[np.ndarray, "N n"]) -> MetricSpectrum:
    """Summarises singular values of the decoder's Jacobian at N points, in any order along the last axis.

    Points with values that are not finite are left out and counted. Raises `DataError` if none is left, or if a value
    is negative.
    """
    s = _finite(singular_values, axes=(1,))
    if (s < 0).any():
        raise DataError(
            f"{np.count_nonzero(s < 0)} singular values are negative. "
            "Give the singular values of J, not the eigenvalues of another matrix."
        )
    s = -np.sort(-s, axis=1)
    top, bottom, squares = s[:, 0], s[:, -1], s**2
    total = squares.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        condition = np.where(bottom > 0, top / bottom, np.inf)
        effective = np.where(total > 0, total**2 / np.sum(squares**2, axis=1), 0.0)
        share = np.where(total[:, None] > 0, squares / total[:, None], 0.0)
        log_volume = np.sum(np.log(s), axis=1)
    return MetricSpectrum(
        singular_values=s,
        condition=condition,
        log_volume=log_volume,
        effective_dimension=effective,
        share=share.mean(axis=0),
        typical=np.sqrt(squares.mean(axis=0)),
        collapsed=float(np.mean(condition > 1 / _COLLAPSE)),
        excluded=singular_values.shape[0] - s.shape[0],
    )


def principal_directions(metrics: Float[np.ndarray, "N n n"]) -> PrincipalDirections:
    """The principal directions of the pullback metric JᵀJ given at N points, in latent coordinates.

    Points with values that are not finite are left out. Raises `DataError` if none is left.
    """
    g = _finite(metrics, axes=(1, 2))
    values, vectors = np.linalg.eigh(g.mean(axis=0))
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    local = np.linalg.eigh(g)[1][:, :, -1]
    lengths = np.sqrt(np.maximum(np.diagonal(g, axis1=1, axis2=2), 0.0))
    products = lengths[:, :, None] * lengths[:, None, :]
    cosines = np.abs(np.divide(g, products, out=np.zeros_like(g), where=products > 0))
    pairs = ~np.eye(g.shape[1], dtype=bool)
    return PrincipalDirections(
        directions=vectors,
        share=values / (values.sum() or 1.0),
        alignment=float(np.mean(np.abs(local @ vectors[:, 0]))),
        correlation=float(np.mean(cosines[:, pairs])) if g.shape[1] > 1 else 0.0,
    )


def _finite(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    kept = values[np.isfinite(values).all(axis=axes)].astype(np.float64)
    if kept.size == 0:
        raise DataError(
            f"No metric is finite at any of the {values.shape[0]} points. "
            "Look at the decoder: its derivative overflows, or training has diverged."
        )
    return kept
