"""Of models with physics: parameters, and what corrections add."""

import math

from latax.evaluate.diagnose import Finding, judge
from latax.evaluate.rules.wording import percent


def physics_share(share: float) -> Finding:
    """The share of the reconstruction that the physics alone does not explain: the median of 1 - share.

    Good up to 0.2; above 0.5 the corrections make more of the sequences than the physics does.
    """
    return judge(
        "share that corrections explain",
        1 - share,
        good=0.2,
        bad=0.5,
        meaning=f"The physics alone explains {percent(share)} of the variance of the reconstruction.",
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
        meaning=f"{percent(share)} of the sequences have {name} within a hundredth of {lower:g} or {upper:g}.",
        cure=f"Widen the bounds of {name}, unless nature has them there: the data ask for values beyond.",
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
        meaning=f"Of the true values that came with the data, {percent(covered)} are in their 90 % intervals.",
        cure="Too many: the data say more than the model makes of them; train longer. Too few: the physics errs in a "
        "way that its corrections to other samples do not show; give it what it lacks, or larger corrections.",
    )
