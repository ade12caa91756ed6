"""Of paths through a latent space."""

import numpy as np
from jaxtyping import Float

from latax.evaluate.diagnose import Finding, judge


def paths_mistaken(wrong: float, chance: float) -> Finding:
    """The share of pairs whose path a classifier gets wrong, `chance` that of guessing rightly.

    Good up to 0.1; bad above half of what guessing gets wrong, where most paths are not told apart.
    """
    return judge(
        "pairs given to a wrong path",
        wrong,
        good=0.1,
        bad=max(0.1, (1 - chance) / 2),
        meaning=f"{100 * wrong:.3g} % of pairs are given to a wrong path, and {100 * (1 - chance):.3g} % by guessing.",
        cure="Train longer, ask for fewer potentials, or raise the speed: near points look alike.",
    )


def paths_that_stand_still(displacement: Float[np.ndarray, "K N"]) -> Finding:
    """How many paths lead less than 0.02 of the typical |z|: a constant potential obeys every equation."""
    still = np.flatnonzero(np.mean(displacement, axis=1) < 0.02)
    return judge(
        "paths that stand still",
        float(still.size),
        good=0.0,
        bad=0.5,
        meaning=f"The shortest path leads {100 * float(np.mean(displacement, axis=1).min()):.3g} % of the typical "
        "distance of latent points from their mean.",
        cure="The potential has become constant. Raise speed_weight, or lower equation_weight and initial_weight; "
        "initial='at-rest' asks the paths not to move at first.",
    )


def paths_without_change(change: Float[np.ndarray, "K N"], data_scale: float) -> Finding:
    """How many paths change the data by less than 5 % of how much draws of the decoder differ."""
    unseen = np.flatnonzero(np.mean(change, axis=1) < 0.05 * data_scale)
    least = float(np.mean(change, axis=1).min()) / data_scale if data_scale > 0 else float("nan")
    return judge(
        "paths that cannot be seen",
        float(unseen.size),
        good=0.0,
        bad=0.5,
        meaning=f"The path that is seen least changes the data by {100 * least:.3g} % of how much draws differ.",
        cure="Raise guidance_weight, ask for fewer potentials, or look whether the decoder uses all coordinates.",
    )


def drift(mean_drift: float) -> Finding:
    """The mean relative change of |z - mean| along paths: away from its shell the decoder was never trained.

    Good up to 0.05; bad above 0.3, where most high-dimensional spaces hold no data.
    """
    return judge(
        "drift off the shell of the prior",
        mean_drift,
        good=0.05,
        bad=0.3,
        meaning=f"Along a path, the distance from the mean changes by {100 * mean_drift:.3g} %.",
        cure="Set hold_norm=True, or lower the speed.",
    )


def reversibility(worst: float) -> Finding:
    """The greatest distance from the start after the way there and back, relative to |z|. Good up to 1e-4."""
    return judge(
        "round trip error",
        worst,
        good=1e-4,
        bad=1e-2,
        meaning="The way back is the inverse of the way there, up to this.",
        cure="The potentials are too steep for the solver: lower the speed, or raise equation_weight and weight_decay.",
    )
