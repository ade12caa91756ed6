"""The rules of a diagnosis: plain numbers in, a `Finding` out. Each threshold is given with its reason.

Numbers are of held-out data unless a name says otherwise; lengths are in one unit, that of the data or the
standardised one.
"""

import math
from typing import Literal

import numpy as np
from jaxtyping import Float

from latax.evaluate.diagnose import Finding, judge


def reconstruction_against_scale(error: float, data_scale: float) -> Finding:
    """Root-mean-square reconstruction error against the root-mean-square distance of the data from their mean.

    The ratio's square is the fraction of the variance that is lost. Good up to 0.1 (1 %), bad above 0.32 (10 %).
    """
    ratio = _ratio(error, data_scale)
    return judge(
        "reconstruction error / data scale",
        ratio,
        good=0.1,
        bad=0.32,
        meaning=f"The reconstruction leaves out {_percent(ratio**2)} of the data's variance.",
        cure="Train longer, or give more latent coordinates; noise in the data sets a floor.",
    )


def reconstruction_against_pca(error: float, pca_error: float, data_scale: float) -> Finding:
    """Root-mean-square reconstruction error against that of PCA with the same latent size, fitted on the same data.

    A flow can represent what PCA does, so it should not be worse; 2 % are left for sampling noise, and above 10 %
    training has failed. Errors of PCA below 1 % of the data's scale count as that 1 %: nobody needs to beat zero.
    """
    ratio = _ratio(error, max(pca_error, 0.01 * data_scale))
    return judge(
        "reconstruction error / that of PCA",
        ratio,
        good=1.02,
        bad=1.1,
        meaning=f"PCA of the same latent size {'does not do noticeably better' if ratio <= 1 else 'does better'}.",
        cure="Train longer, lower learning_rate or enlarge the networks; if it stays, PCA is the better model.",
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
        meaning=f"{_percent(fraction)} of held-out points are farther off than the farthest {_percent(expected)} "
        "of the training points.",
        cure="Either the model is overfitted (more data, fewer steps) or the held-out data are of another kind.",
    )


def energy_against_lowest(energy: float, lowest: float, *, standard_error: float = 0.0) -> Finding:
    """The energy of an embedding, with the standard error of a mean over pairs, against the lowest that any map of this
    manifold can have, which is that of the best multiple of the classical embedding.

    Good up to 5 % above it, bad above 50 %: a circle that winds twice around has 3.8 times the lowest energy for λ =
    0.1.
    """
    ratio = _ratio(energy, lowest)
    return judge(
        "energy / lowest possible energy",
        ratio,
        good=1.05,
        bad=1.5,
        meaning=f"The embedding is {_percent(max(ratio - 1, 0))} above the best multiple of the classical one, which "
        "no map can beat for near pairs; two standard errors of the pairs are "
        f"{_percent(_ratio(2 * standard_error, lowest))}.",
        cure="Train longer, or give more latent coordinates; start='stress' avoids embeddings that wind around twice.",
    )


def covered_twice(ratio: float) -> Finding:
    """One over the least latent distance of a far pair for its distance on the manifold, in latent lengths of near
    pairs: large where far points share a place.

    1.6 on round circles and spheres. Good up to 4, bad above 10: points a manifold apart are then nearly one.
    """
    squeezed = 1 / max(ratio, 1e-6)
    return judge(
        "far points drawn together",
        squeezed,
        good=4.0,
        bad=10.0,
        meaning=f"Of far pairs, the closest is {squeezed:.1f} times nearer in latent space than on the manifold.",
        cure="The embedding winds around several times or crosses itself. Use start='stress', train longer, or give "
        "more latent coordinates; images that look alike for different points cannot be told apart.",
    )


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
        meaning=f"Regions of the density hold on average {_percent(worst_error)} too much or too little of the data.",
        cure="Train the density longer, or give it more latent_layers; do not rely on its probabilities as they are.",
    )


def interval_coverage(name: str, covered: float, count: int) -> Finding:
    """How far the share of the true values of a parameter that their 90 % intervals hold is from 90 %.

    Good up to 0.05, or two standard errors of so few samples; bad above 0.2: three times as many miss as should.
    """
    noise = 2 * math.sqrt(0.09 / count)
    return judge(
        f"{name}: coverage of its intervals",
        abs(covered - 0.9),
        good=max(0.05, noise),
        bad=max(0.2, 2 * noise),
        meaning=f"Of the true values that came with the data, {_percent(covered)} are in their 90 % intervals.",
        cure="Too many: the data say more than the model makes of them; train longer. Too few: the physics errs in a "
        "way that its corrections to other samples do not show; give it what it lacks, or larger corrections.",
    )


def error_gap(train: float, validation: float) -> Finding:
    """How much larger the held-out reconstruction error is than that on training data, relative to the latter.

    Good up to 0.1, less than most changes of a setting make; bad above 0.5: most of what was learnt last is noise.
    """
    gap = _ratio(validation, train) - 1
    return judge(
        "reconstruction gap, held-out over training",
        gap,
        good=0.1,
        bad=0.5,
        meaning=f"The error is {_percent(abs(gap))} {'larger' if gap > 0 else 'smaller'} on held-out data.",
        cure="The manifold is overfitted: more data, fewer steps or smaller networks.",
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


def forecast_against_nearest(error: float, nearest: float) -> Finding:
    """The median error of forecasts against that of a look-up: the training trajectory with the nearest first state.

    Good below half of it, bad above: a table of the training set would then do better.
    """
    ratio = _ratio(error, nearest)
    return judge(
        "forecast error / that of a look-up",
        ratio,
        good=0.5,
        bad=1.0,
        meaning=f"A look-up of the nearest training trajectory is {'worse' if ratio < 1 else 'as good or better'}.",
        cure="Train longer, or enlarge the networks; with few trajectories, collect more.",
    )


def latent_size_against_prior(greatest: float) -> Finding:
    """The greatest root mean square of a latent coordinate of held-out samples, whose prior is N(0, 1).

    Good up to 2, bad above 4: most samples then lie where the prior has next to nothing, and its draws look like none
    of them.
    """
    return judge(
        "size of the latent coordinates, in standard deviations of the prior",
        greatest,
        good=2.0,
        bad=4.0,
        meaning="Draws of the prior, as by `sample`, are like the data only where the two are alike.",
        cure="For samples, raise kl_weight; forecasts do not need it.",
    )


def manifold_condition(median_condition: float) -> Finding:
    """The median ratio of the strongest to the weakest stretch of the latent manifold.

    Good up to 30; the reference sphere itself, within its chart, has some tens at the edge. Bad above 1000: the
    manifold is then a thinner one.
    """
    return judge(
        "condition of the latent manifold",
        median_condition,
        good=30.0,
        bad=1e3,
        meaning="It is the ratio of the strongest to the weakest stretch of the chart.",
        cure="Raise penalty_weight, keep chart='bounded', or lower latent_size.",
    )


def flow_residual(share: float) -> Finding:
    """The median residual of the metric flow, relative to the terms that should cancel.

    Good up to 0.2, bad above 0.7: the metric then does not follow the flow.
    """
    return judge(
        "residual of the metric flow",
        share,
        good=0.2,
        bad=0.7,
        meaning=f"{_percent(share)} of the flow's terms do not cancel.",
        cure="Raise flow_weight or train longer; without it, this is a VAE of the same networks.",
    )


def order_violation(share: float) -> Finding:
    """The share of directions in which the metric is shorter than it may be. Good up to 5 %, bad above 50 %."""
    return judge(
        "directions that are too short",
        share,
        good=0.05,
        bad=0.5,
        meaning=f"In {_percent(share)} of the directions the manifold is below its bound.",
        cure="Raise penalty_weight, or lower least.",
    )


def metric_mismatch(share: float) -> Finding:
    """The median distance of a metric network from the metric of the manifold, relative to that.

    Good up to 0.1, bad above 0.5: what the network says of the flow is then no statement about the manifold.
    """
    return judge(
        "distance of the metric network from the manifold's metric",
        share,
        good=0.1,
        bad=0.5,
        meaning=f"The network is off by {_percent(share)} of the metric that the manifold has.",
        cure="Raise metric_weight, train longer, or let the induced metric follow the flow: metric='induced'.",
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


def still_improving(
    phase: str, validation: Float[np.ndarray, " V"], *, unit: Literal["relative", "nats"] = "relative"
) -> Finding:
    """How much a phase's validation metric (smaller is better) still fell over its last fifth.

    The medians of the last two fifths are compared: relative to the earlier one for an error, as a difference for a
    metric in nats. Good up to 0.1 (10 %), or 0.02 nats; more is a warning and never bad, since the falling learning
    rate alone makes the end of a phase the time of some gain. With fewer than ten validations it cannot be told.
    """
    name = f"still improving at the end of phase {phase!r}"
    good = 0.1 if unit == "relative" else 0.02
    values = validation[np.isfinite(validation)]
    if values.size < 10:
        few = f"Only {values.size} finite validations were made, too few to tell."
        return Finding(name, math.nan, good, "warning", f"{few} Train longer or validate more often.")
    fifth = values.size // 5
    before, after = float(np.median(values[-2 * fifth : -fifth])), float(np.median(values[-fifth:]))
    gain = before - after if unit == "nats" else _ratio(before - after, abs(before))
    amount = f"{gain:.2g} nats" if unit == "nats" else _percent(gain)
    moved = f"fell by {amount}" if gain > 0 else "did not fall any more"
    return judge(
        name,
        max(gain, 0.0),
        good=good,
        bad=math.inf,
        meaning=f"The validation metric {moved} in the last fifth of the phase.",
        cure="Train longer: raise steps or epochs.",
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


def physics_share(share: float) -> Finding:
    """The share of the reconstruction that the physics alone does not explain: the median of 1 - share.

    Good up to 0.2; above 0.5 the corrections make more of the sequences than the physics does.
    """
    return judge(
        "share that corrections explain",
        1 - share,
        good=0.2,
        bad=0.5,
        meaning=f"The physics alone explains {_percent(share)} of the variance of the reconstruction.",
        cure="Raise effort (or ppc) to keep the corrections smaller, or add what is missing to the physics.",
    )


def identifiable(name: str, prior_left: float, confusion: float) -> Finding:
    """How well the data determine a parameter, given that corrections are free: its standard deviation by Fisher
    information, in units of the prior's.

    Good up to 0.3. Above 0.7 the data hardly say more than the prior; `confusion`, the ratio to what it would be with
    the corrections known, says whether these are to blame.
    """
    blame = f"corrections widen it {confusion:.2g} times" if confusion > 1.5 else "corrections are not to blame"
    return judge(
        f"{name}: sd given the data / prior sd",
        prior_left,
        good=0.3,
        bad=0.7,
        meaning=f"Local information about {name} under the fitted model; {blame}.",
        cure=f"Do not read {name} as measured: shrink the corrections (raise effort or ppc, fewer coordinates), "
        "narrow its prior, or observe for longer.",
    )


def within_bounds(name: str, share: float, lower: float, upper: float) -> Finding:
    """The share of held-out sequences whose parameter is within a hundredth of a bound, of the range and of its prior.

    Good up to 5 %, where a uniform law would put 2 %. Above 25 % the bounds probably exclude the truth.
    """
    return judge(
        f"{name}: share at its bounds",
        share,
        good=0.05,
        bad=0.25,
        meaning=f"{_percent(share)} of the sequences have {name} within a hundredth of {lower:g} or {upper:g}.",
        cure=f"Widen the bounds of {name}, unless nature has them there: the data ask for values beyond.",
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


def off_manifold_fraction(
    errors: Float[np.ndarray, " N"], training_errors: Float[np.ndarray, " M"], *, expected: float = 0.01
) -> float:
    """The fraction of `errors` above the quantile `1 - expected` of those of training data; NaN counts as above."""
    limit = np.nanquantile(training_errors, 1 - expected)
    return float(np.mean(~(errors <= limit)))


def _ratio(a: float, b: float) -> float:
    if b == 0:
        return 0.0 if a == 0 else math.copysign(math.inf, a)
    return a / b


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %" if math.isfinite(fraction) else "an unknown part"
