"""Families of periodic fields on [0, 1), to start partial differential equations from.

All have mean zero and an amplitude of the order of one. The members of one are drawn from `numpy.random` generators and
are trigonometric polynomials, or nearly so: on a grid of a few hundred nodes they are exact.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError
from latax._wording import look_up

Coefficients = Float[np.ndarray, "N c"]
Fields = Float[np.ndarray, "N n"]
Nodes = Float[np.ndarray, " n"]


def cosine_powers(a: Coefficients, x: Nodes, frequency: int = 1) -> Fields:
    """a_1 c + a_2 c³ + a_3 c⁵ with c = cos(2π frequency x)."""
    c = np.cos(2 * np.pi * frequency * x)
    return a @ np.stack([c, c**3, c**5])


def cosine_coefficients(fields: Fields, x: Nodes, *, robust: bool = False) -> Coefficients:
    """The coefficients of the members of "cosine-powers" that are nearest to these fields: in the sum of squares, or
    with `robust` in the sum of absolute differences, which a disturbance of a few nodes hardly moves.

    With a solver, the forecast of who knows the family that initial fields are from.
    """
    design = cosine_powers(np.eye(3), x).T
    found = np.linalg.lstsq(design, fields.T, rcond=None)[0].T
    for _ in range(_REWEIGHTED if robust else 0):
        weights = 1 / np.maximum(np.abs(fields - found @ design.T), _FLOOR)
        normal = np.einsum("xi,nx,xj->nij", design, weights, design)
        found = np.linalg.solve(normal, np.einsum("xi,nx->ni", design, weights * fields)[..., None])[..., 0]
    return found


#: Rounds of reweighted least squares for the sum of absolute differences, and the least difference that counts.
_REWEIGHTED, _FLOOR = 100, 1e-9


def _draw_cosine_powers(rng: np.random.Generator, n: int, x: Nodes) -> tuple[Coefficients, Fields]:
    # Sample by sample, three numbers each: the first n of a seed are the same for every n.
    a = rng.uniform(-1, 1, (n, 3))
    return a, cosine_powers(a, x)


def _draw_frequency(rng: np.random.Generator, n: int, x: Nodes) -> tuple[Coefficients, Fields]:
    a = rng.uniform(-1, 1, (n, 3))
    return a, cosine_powers(a, x, frequency=2)


def _draw_moved(rng: np.random.Generator, n: int, x: Nodes) -> tuple[Coefficients, Fields]:
    a, by = rng.uniform(-1, 1, (n, 3)), rng.uniform(-0.1, 0.1, (n, 1))
    c = np.cos(2 * np.pi * (x[None] - by))
    return np.concatenate([a, by], axis=1), np.einsum("nc,cnx->nx", a, np.stack([c, c**3, c**5]))


def _draw_waves(rng: np.random.Generator, n: int, x: Nodes) -> tuple[Coefficients, Fields]:
    a = rng.normal(size=(n, 8)) * np.repeat(1 / np.arange(1, 5), 2)[None]
    angles = 2 * np.pi * np.arange(1, 5)[:, None] * x[None]
    basis = np.stack([np.cos(angles), np.sin(angles)], axis=1).reshape(8, -1)
    return a, 0.7 * a @ basis


def _draw_bumps(rng: np.random.Generator, n: int, x: Nodes) -> tuple[Coefficients, Fields]:
    heights, places = rng.uniform(-1.5, 1.5, (n, 3)), rng.uniform(0, 1, (n, 3))
    # exp(κ (cos - 1)) is a Gaussian bump on the circle, of standard deviation 1 / (2π √κ).
    shapes = np.exp(12 * (np.cos(2 * np.pi * (x[None, None] - places[..., None])) - 1))
    fields = np.einsum("nb,nbx->nx", heights, shapes)
    mean = np.sum(heights, axis=1, keepdims=True) * _BUMP_MEAN
    return np.concatenate([heights, places], axis=1), fields - mean


_BUMP_MEAN = np.mean(np.exp(12 * (np.cos(2 * np.pi * np.arange(256) / 256) - 1)))

#: Name, and how to draw n members: their coefficients (n, c), and their values (n, nodes).
FAMILIES: dict[str, Callable[[np.random.Generator, int, Nodes], tuple[Coefficients, Fields]]] = {
    "cosine-powers": _draw_cosine_powers,
    "frequency": _draw_frequency,
    "moved": _draw_moved,
    "waves": _draw_waves,
    "bumps": _draw_bumps,
}


def draw(family: str, n: int, x: Nodes, *, seed: int, amplitude: float = 1.0) -> tuple[Coefficients, Fields]:
    """Coefficients (n, c) of n members of a family, and `amplitude` times their values at the nodes x in [0, 1].

    * "cosine-powers": a_1 c + a_2 c³ + a_3 c⁵, c = cos 2πx, a ~ U(-1, 1)³, that of VAE-DLM (Gracyk, arXiv 2410.10137);
    * "frequency": the same with c = cos 4πx;
    * "moved": the first, moved by U(-0.1, 0.1);
    * "waves": four harmonics with random phases, whose coefficients fall as 1/k;
    * "bumps": three bumps of width 0.05 at random places.

    Raises `ConfigError` for an unknown family and an amplitude that is not finite.
    """
    members = look_up(FAMILIES, family, "family of initial fields")
    if not np.isfinite(amplitude):
        raise ConfigError(f"amplitude = {amplitude:g} has to be a finite number; 1 is that of the family.")
    coefficients, fields = members(np.random.default_rng(seed), n, x)
    return coefficients, amplitude * fields
