"""Of densities: numbers are in nats."""

import math

from latax.evaluate.diagnose import Finding, judge
from latax.evaluate.rules.wording import percent


def density_calibration(worst_error: float, noise: float) -> Finding:
    """The mean difference of nominal and observed coverage, from `calibration`: its `worst_error` and `worst_noise`.

    Good up to 0.02, or what a perfect model shows with so few points; bad above 0.1: a 90 % region then holds
    about 80 % of the data, or all of them.
    """
    good = max(0.02, noise)
    return judge(
        "calibration error of the density",
        worst_error,
        good=good,
        bad=max(0.1, 2 * noise),
        meaning=f"Regions of the density hold on average {percent(worst_error)} too much or too little of the data.",
        cure="Train the density longer, or give it more latent_layers; do not rely on its probabilities as they are.",
    )


def log_prob_gap(train: float, validation: float, size: int, *, standard_error: float = 0.0) -> Finding:
    """How far the mean held-out log density (nats) is below that of training data, per dimension of the density.

    Good up to 0.05 nats per dimension (a density wrong by 5 %), bad above 0.3 (wrong by a third); two standard errors
    of the difference are given to chance and added to both.
    """
    gap, chance = (train - validation) / size, 2 * standard_error / size
    return judge(
        "log-density gap, training over held-out",
        gap if math.isfinite(gap) else math.nan,
        good=0.05 + chance,
        bad=0.3 + chance,
        meaning=f"Held-out data have {abs(gap):.2g} nats {'less' if gap > 0 else 'more'} per dimension than training "
        f"data; {chance:.2g} can be chance.",
        cure="The density is overfitted: more data, fewer steps or smaller networks.",
    )


def thin_density(log_prob_drop: float, size: int) -> Finding:
    """Whether an ambient density has collapsed onto the data (manifold overfitting).

    `log_prob_drop` is the mean of log p(x) - log p(x + e) in nats, with Gaussian noise e of 1 % of the data's scale in
    each of `size` coordinates. A density of width s in a direction loses (0.01 scale / s)² / 2 there: per coordinate,
    0.5 means that its widths are 1 % of the scale. Good up to 0.05 (widths above 3 %), bad above 0.5, where the
    likelihood says how thin the density has become and no longer how good it is.
    Source: Loaiza-Ganem et al., "Diagnosing and Fixing Manifold Overfitting in Deep Generative Models", TMLR 2022.
    """
    drop = log_prob_drop / size
    return judge(
        "thinness of the ambient density",
        drop,
        good=0.05,
        bad=0.5,
        meaning=f"Noise of 1 % of the data's scale costs {drop:.2g} nats per coordinate.",
        cure="The data lie near a lower-dimensional manifold, where ambient likelihoods diverge: use a manifold model.",
    )


def not_finite(count: int, n: int, what: str) -> Finding:
    """How many of n held-out points got no finite number (`what`, such as "a log density"). Above 1 % it is bad."""
    return judge(
        f"points without {what}",
        count / n if n else math.nan,
        good=0.0,
        bad=0.01,
        meaning=f"{count} of {n} held-out points have no finite value.",
        cure="Look at these points first: outliers, another unit, or far outside the training data.",
    )
