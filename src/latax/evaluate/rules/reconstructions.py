"""Of reconstructions, and of the latent space behind them."""

import math

import numpy as np
from jaxtyping import Float

from latax.evaluate.diagnose import Finding, judge
from latax.evaluate.rules.wording import percent, quotient


def reconstruction_against_scale(error: float, data_scale: float) -> Finding:
    """Root-mean-square reconstruction error against the root-mean-square distance of the data from their mean.

    The ratio's square is the fraction of the variance that is lost. Good up to 0.1 (1 %), bad above 0.32 (10 %).
    """
    ratio = quotient(error, data_scale)
    return judge(
        "reconstruction error / data scale",
        ratio,
        good=0.1,
        bad=0.32,
        meaning=f"The reconstruction leaves out {percent(ratio**2)} of the data's variance.",
        cure="Train longer, or give more latent coordinates; noise in the data sets a floor.",
    )


def reconstruction_against_pca(error: float, pca_error: float, data_scale: float) -> Finding:
    """Root-mean-square reconstruction error against that of PCA with the same latent size, fitted on the same data.

    A flow can represent what PCA does, so it should not be worse; 2 % are left for sampling noise, and above 10 %
    training has failed. Errors of PCA below 1 % of the data's scale count as that 1 %: nobody needs to beat zero.
    """
    ratio = quotient(error, max(pca_error, 0.01 * data_scale))
    return judge(
        "reconstruction error / that of PCA",
        ratio,
        good=1.02,
        bad=1.1,
        meaning=f"PCA of the same latent size {'does not do noticeably better' if ratio <= 1 else 'does better'}.",
        cure="Train longer, lower learning_rate or enlarge the networks; if it stays, PCA is the better model.",
    )


def error_gap(train: float, validation: float) -> Finding:
    """How much larger the held-out reconstruction error is than that on training data, relative to the latter.

    Good up to 0.1, less than most changes of a setting make; bad above 0.5: most of what was learnt last is noise.
    """
    gap = quotient(validation, train) - 1
    return judge(
        "reconstruction gap, held-out over training",
        gap,
        good=0.1,
        bad=0.5,
        meaning=f"The error is {percent(abs(gap))} {'larger' if gap > 0 else 'smaller'} on held-out data.",
        cure="The manifold is overfitted: more data, fewer steps or smaller networks.",
    )


def off_manifold(fraction: float, n: int, *, expected: float = 0.01) -> Finding:
    """The fraction of n held-out points farther from the manifold than the quantile `1 - expected` of training points.

    Good up to three standard errors above `expected` and never below three times it; bad above ten times: then one
    point in ten (for 1 %) is of a kind that training has not seen.
    """
    noise = expected + 3 * math.sqrt(expected * (1 - expected) / max(n, 1))
    good = max(noise, 3 * expected)
    return judge(
        "fraction off the manifold",
        fraction,
        good=good,
        bad=max(10 * expected, good),
        meaning=f"{percent(fraction)} of held-out points are farther off than the farthest {percent(expected)} "
        "of the training points.",
        cure="Either the model is overfitted (more data, fewer steps) or the held-out data are of another kind.",
    )


def off_manifold_fraction(
    errors: Float[np.ndarray, " N"], training_errors: Float[np.ndarray, " M"], *, expected: float = 0.01
) -> float:
    """The fraction of `errors` above the quantile `1 - expected` of those of training data; NaN counts as above."""
    limit = np.nanquantile(training_errors, 1 - expected)
    return float(np.mean(~(errors <= limit)))


def metric_condition(median_condition: float) -> Finding:
    """The median ratio of the largest to the smallest singular value of the decoder's Jacobian.

    Good up to 100. Bad above 10⁴: single precision then keeps only three digits of the smallest stretch, and with it
    of the volume, and a latent direction is close to being lost.
    """
    return judge(
        "condition of the decoder's Jacobian",
        median_condition,
        good=100.0,
        bad=1e4,
        meaning="It is the ratio of the strongest to the weakest stretch of latent space.",
        cure="Lower latent_size if a direction is not needed; for the density, compute volumes in float64.",
    )


def unused_latents(unused: int, size: int) -> Finding:
    """The number of latent directions that move the data by less than 1 % of what the strongest does.

    One is a warning: the manifold has fewer dimensions than it was given. Bad if more than half are unused.
    """
    return judge(
        "unused latent directions",
        float(unused),
        good=0.0,
        bad=size / 2,
        meaning=f"{size - unused} of {size} latent directions change the data.",
        cure=f"Try latent_size={max(size - unused, 1)}.",
    )
