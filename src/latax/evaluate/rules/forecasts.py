"""Of forecasts, and of the evolving manifold behind them."""

from latax.evaluate.diagnose import Finding, judge
from latax.evaluate.rules.wording import percent, quotient


def forecast_against_nearest(error: float, nearest: float) -> Finding:
    """The median error of forecasts against that of a look-up: the training trajectory with the nearest first state.

    Good below half of it, bad above: a table of the training set would then do better.
    """
    ratio = quotient(error, nearest)
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
        meaning=f"{percent(share)} of the flow's terms do not cancel.",
        cure="Raise flow_weight or train longer; without it, this is a VAE of the same networks.",
    )


def order_violation(share: float) -> Finding:
    """The share of directions in which the metric is shorter than it may be. Good up to 5 %, bad above 50 %."""
    return judge(
        "directions that are too short",
        share,
        good=0.05,
        bad=0.5,
        meaning=f"In {percent(share)} of the directions the manifold is below its bound.",
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
        meaning=f"The network is off by {percent(share)} of the metric that the manifold has.",
        cure="Raise metric_weight, train longer, or let the induced metric follow the flow: metric='induced'.",
    )
