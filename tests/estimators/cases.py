"""The dictionary of estimators that the contract tests run over: a new estimator costs one entry here.

Nets are as small as they can be and the data few: the tests are about the protocol, and compiling dominates.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from latax import AmbientFlow, ManifoldDensity, MFlow, ProbabilisticPCA

ROWS = 64
TINY: dict[str, Any] = {"width_size": 6, "blocks": 1, "bins": 3, "steps": 6, "batch_size": 16, "progress": False}


@dataclass(frozen=True)
class Case:
    """How to make an estimator, data for it, and what is particular about it."""

    make: Callable[..., Any]
    data: Callable[[], np.ndarray]
    latent_size: int
    keys: tuple[str, ...]
    standardises: bool = True
    uses_context: bool = True  # whether the tests of context fit it once more

    @property
    def is_manifold(self) -> bool:
        return self.keys[0] == "reconstruction_error"


def bent_plane() -> np.ndarray:
    """Points near a bent plane in R³, with columns of different units."""
    rng = np.random.default_rng(1)
    u = rng.normal(size=(ROWS, 2))
    bent = 0.3 * (u**2).sum(axis=1) + 0.02 * rng.normal(size=ROWS)
    return np.stack([2 * u[:, 0], 0.5 * u[:, 1], bent], axis=1)


def circle() -> np.ndarray:
    """Points near the unit circle."""
    rng = np.random.default_rng(2)
    angle, radius = 1 + 0.7 * rng.normal(size=ROWS), 1 + 0.01 * rng.normal(size=ROWS)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def contexts() -> np.ndarray:
    return np.random.default_rng(3).uniform(-1, 1, size=(ROWS, 1))


CASES = {
    "mflow": Case(
        lambda **k: MFlow(**{**TINY, "latent_size": 2, "layers": 2, "latent_layers": 1, **k}),
        bent_plane,
        latent_size=2,
        keys=("reconstruction_error", "nll"),
    ),
    "ambient-flow": Case(
        lambda **k: AmbientFlow(**{**TINY, "layers": 2, **k}), bent_plane, latent_size=3, keys=("nll",)
    ),
    "manifold-density": Case(
        lambda **k: ManifoldDensity(**{**TINY, "chart": "circle", "latent_layers": 1, **k}),
        circle,
        latent_size=1,
        keys=("reconstruction_error", "nll"),
        standardises=False,
        uses_context=False,
    ),
    "probabilistic-pca": Case(
        lambda **k: ProbabilisticPCA(**{"latent_size": 2, **k}),
        bent_plane,
        latent_size=2,
        keys=("nll",),
        uses_context=False,
    ),
}


@functools.cache
def fitted(name: str, conditional: bool = False) -> Any:
    """The fitted estimator of a case, once for all tests: do not fit it again."""
    case = CASES[name]
    return case.make().fit(case.data(), context=contexts() if conditional else None)
