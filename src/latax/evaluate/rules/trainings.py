"""Of the course of a training."""

import math
from typing import Literal

import numpy as np
from jaxtyping import Float

from latax.evaluate.diagnose import Finding, judge
from latax.evaluate.rules.wording import percent, quotient


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
    gain = before - after if unit == "nats" else quotient(before - after, abs(before))
    amount = f"{gain:.2g} nats" if unit == "nats" else percent(gain)
    moved = f"fell by {amount}" if gain > 0 else "did not fall any more"
    return judge(
        name,
        max(gain, 0.0),
        good=good,
        bad=math.inf,
        meaning=f"The validation metric {moved} in the last fifth of the phase.",
        cure="Train longer: raise steps or epochs.",
    )
