"""What all estimators made of spline flows have in common."""

from dataclasses import dataclass
from typing import Any, Literal

from latax._errors import ConfigError
from latax.estimators.params import require_count, require_positive
from latax.estimators.trained import AbstractTrainedEstimator


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractFlowEstimator(AbstractTrainedEstimator):
    """An estimator whose density is made by rational-quadratic coupling flows."""

    width_size: int = 100
    """Hidden units of the networks that make the splines."""
    blocks: int = 2
    """Residual blocks of those networks."""
    bins: int = 10
    """Bins of each spline."""
    interval: float = 6.0
    """The splines bend [-interval, interval], in standard deviations; outside they are the identity."""
    mixing: Literal["permutation", "lu"] = "permutation"
    """What stands between the coupling layers: a fixed permutation, or a learned matrix (for many coordinates)."""

    def _flow_options(self) -> dict[str, Any]:
        """The options of `latax.density.spline_coupling_flow`."""
        return {
            "width_size": self.width_size,
            "blocks": self.blocks,
            "bins": self.bins,
            "interval": self.interval,
            "mixing": self.mixing,
        }

    def _check_counts(self, *names: str) -> None:
        for name in (*names, "width_size", "blocks", "bins"):
            require_count(name, getattr(self, name))
        require_positive("interval", self.interval)
        if self.mixing not in ("permutation", "lu"):
            raise ConfigError(f"mixing={self.mixing!r} is not known; give 'permutation' or 'lu'.")
