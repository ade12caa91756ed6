"""Metric flows by name, for estimators and the command line: built-in ones, and a user's own."""

from collections.abc import Callable

from latax._by_name import by_name, is_own
from latax._wording import look_up
from latax.geometry import AbstractMetricFlow, LiteralFlow, RicciFlow, StaticFlow, SymmetricFlow

#: Name, and how to make one from a rate.
BUILT_IN: dict[str, Callable[[float], AbstractMetricFlow]] = {
    "symmetric": SymmetricFlow,
    "literal": LiteralFlow,
    "static": lambda rate: StaticFlow(),
    "ricci": RicciFlow,
}


def find_flow(flow: str | AbstractMetricFlow, rate: float) -> AbstractMetricFlow:
    """The metric flow that this names, or is; `rate` is for built-in ones. Raises `ConfigError` for a name of none."""
    if isinstance(flow, AbstractMetricFlow):
        return flow
    if is_own(flow):
        return by_name(flow, AbstractMetricFlow, "metric flow", "a latax.geometry.AbstractMetricFlow", "flow")
    return look_up(BUILT_IN, flow, "metric flow", "For your own give file.py:name or module:name.")(rate)
