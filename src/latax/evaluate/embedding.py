"""Is a map an embedding, and into how many dimensions? Numbers from latent coordinates and known distances."""

import math

import numpy as np
from jaxtyping import Float

#: Distances below this share of the reach, or of the greatest distance, are not far.
_FAR = 0.5


def far_pair_ratio(
    latent: Float[np.ndarray, " N"], distance: Float[np.ndarray, " N"], reach: float = math.inf
) -> float:
    """The least latent distance of a far pair, divided by its distance on the manifold.

    Near zero where two different points have one place: the map winds around several times, or crosses itself. No loss
    on near pairs can see this. On a round circle, sphere or SO(3) of the right size it is 2 / π. Far is half of the
    manifold's `reach`, so that the narrowest way around counts, too; where that is not known, half of the greatest
    distance.
    """
    far = distance >= _FAR * min(reach, distance.max())
    return float(np.min(latent[far] / distance[far]))


def principal_dimension(latent: Float[np.ndarray, "N l"], share: float = 0.99) -> int:
    """How many principal directions hold this share of the variance: the dimension of the space around the embedding,
    not that of the manifold."""
    values = np.linalg.svd(latent - latent.mean(axis=0), compute_uv=False) ** 2
    return int(np.searchsorted(np.cumsum(values) / values.sum(), share) + 1)
