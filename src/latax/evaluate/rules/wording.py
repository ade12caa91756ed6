"""Ratios and shares, also where there are none."""

import math


def quotient(a: float, b: float) -> float:
    """a / b, which is 0 for 0 / 0."""
    if b == 0:
        return 0.0 if a == 0 else math.copysign(math.inf, a)
    return a / b


def percent(fraction: float) -> str:
    """A share in words."""
    return f"{100 * fraction:.3g} %" if math.isfinite(fraction) else "an unknown part"
