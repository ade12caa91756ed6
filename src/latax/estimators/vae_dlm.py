"""The VAE with a dynamical latent manifold."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from jaxtyping import Array, Float, Key

from latax._errors import ConfigError
from latax.estimators.forecaster import AbstractForecaster
from latax.estimators.metric_flows import find_flow
from latax.estimators.params import require_count, require_fraction, require_not_negative, require_positive
from latax.estimators.reference_metrics import find_reference
from latax.geometry import AbstractLinearFlow, AbstractMetricFlow, AbstractReferenceMetric
from latax.models.dynamic_manifold import DynamicManifoldVAE as Module
from latax.models.dynamic_manifold import OperatorKind, dynamic_manifold_vae
from latax.models.dynamic_objective import Collocation, DynamicObjective, VolumeWeight, Weights
from latax.models.recipes import Budget, dynamic_manifold
from latax.train import Recipe

#: What the released code does; the KL is twice the KL there.
_RELEASED: dict[str, Any] = {
    "surface": "sphere",
    "radius": 10**0.5,
    "chart": "open",
    "flow": "literal",
    "operator": "positive",
    "metric": "network",
    "volume_weight": "none",
    "collocation": "data",
    "flow_times": None,
    "detached": False,
    "least": 1.0,
    "warm_up": None,
}


@dataclass(kw_only=True, eq=False, repr=False)
class VAEDLM(AbstractForecaster):
    """VAE with a dynamical latent manifold: forecasts of fields over a surface whose metric follows a geometric flow.

    From the initial state to a point of a surface in latent space; the surface moves with time while its metric relaxes
    to a reference metric, and a decoder makes the state at time t of where the point then is (Gracyk 2024, arXiv
    2410.10137).
    """

    default_epochs: ClassVar[int] = 200

    ambient_size: int | None = None
    """Dimension of the space in which the surface moves; by default one more than the latent coordinates."""
    surface: str | AbstractReferenceMetric = "sphere"
    """Whose metric the flow leads to: sphere, ellipsoid, flat-torus, revolution, or your own as file.py:name."""
    radius: float = 10**0.5
    """Its size, where it is a built-in one: the radius, the greatest semi-axis, or the distance of a tube's centre."""
    chart: Literal["bounded", "open"] = "bounded"
    """Whether latent coordinates are kept away from the poles of the surface."""
    flow: str | AbstractMetricFlow = "symmetric"
    """The metric flow: symmetric keeps a metric a metric; literal is the published one; static leaves it as it is;
    ricci follows its own curvature and knows no surface; or your own as file.py:name."""
    rate: float = 2.0
    """How fast the flow relaxes, over the observed window; of ricci, its speed."""
    operator: OperatorKind = "symmetric"
    """The learned operator of the flow: symmetric (constant in time), none, free, or positive (the released one)."""
    metric: Literal["induced", "network"] = "induced"
    """The metric that follows the flow: that of the surface itself, or a network that is matched to it."""
    volume_weight: VolumeWeight = "none"
    """How the volume of the surface enters the bound: none, sqrt-det or log-det."""
    collocation: Collocation = "data"
    """The flow at the times of the data, or at uniform ones."""
    flow_times: int | None = 3
    """At how many of the times of each trajectory the flow is looked at in one step, at most times_per_sample;
    None for all of these, as released."""
    detached: bool = True
    """The geometric terms shape the surface where the data are. False: they also move the data on it, as released."""
    least: float = 0.5
    """No direction may be shorter than the root of this times the reference metric's."""
    flow_weight: float = 1.0
    """Weight of the flow's residual."""
    penalty_weight: float = 1.0
    """Weight of the penalty for directions that are too short."""
    metric_weight: float = 1.0
    """Weight of the distance of a metric network from the metric of the surface."""
    warm_up: float | None = 0.1
    """Share of the steps over which these three weights rise from zero; None for no rise."""
    reference: bool = False
    """As in the released code, faults included: sets surface, chart, flow, operator, metric and what else it fixes; the
    optimiser, the batches and the solver of the data stay ours."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "vae-dlm"

    @property
    def _standardised(self) -> bool:
        return not self.reference

    def _check_forecaster_params(self) -> None:
        if self.ambient_size is not None:
            require_count("ambient_size", self.ambient_size, least=self.latent_size + 1)
        if self.flow_times is not None:
            require_count("flow_times", self.flow_times)
        for name in ("radius", "rate"):
            require_positive(name, getattr(self, name))
        for name in ("least", "flow_weight", "penalty_weight", "metric_weight"):
            require_not_negative(name, getattr(self, name))
        if self.warm_up is not None:
            require_fraction("warm_up", self.warm_up)
        choices = {
            "chart": ("bounded", "open"),
            "operator": get_args(OperatorKind),
            "metric": ("induced", "network"),
            "volume_weight": get_args(VolumeWeight),
            "collocation": get_args(Collocation),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ConfigError(f"{name}={getattr(self, name)!r} is not known; give one of {', '.join(known)}.")
        self._surface  # noqa: B018 - refuses a surface of another dimension
        self._flow  # noqa: B018 - refuses a name of no flow

    def _setting(self, name: str) -> Any:
        return _RELEASED[name] if self.reference and name in _RELEASED else getattr(self, name)

    @property
    def _surface(self) -> AbstractReferenceMetric:
        surface, radius, chart = (self._setting(name) for name in ("surface", "radius", "chart"))
        return find_reference(surface, self.latent_size, radius, bounded=chart == "bounded")

    @property
    def _flow(self) -> AbstractMetricFlow:
        return find_flow(self._setting("flow"), self.rate)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Module:
        return dynamic_manifold_vae(
            np.asarray(self.times_),
            self._state_shape,
            reference=self._surface,
            flow=self._flow,
            ambient_size=self.ambient_size,
            metric=self._setting("metric"),
            operator=self._setting("operator") if isinstance(self._flow, AbstractLinearFlow) else "none",
            spread="signed" if self.reference else "log-variance",
            width_size=self.width_size,
            scale=scale[0],
            key=key,
        )

    def _recipe(self, budget: Budget) -> Recipe:
        objective = DynamicObjective(
            times_per_sample=self.times_per_sample,
            draws=self.draws,
            collocation=self._setting("collocation"),
            volume_weight=self._setting("volume_weight"),
            least=self._setting("least"),
            matching="absolute" if self.reference else "relative",
            shared=not self.reference,
            flow_times=self._setting("flow_times"),
            detached=self._setting("detached"),
        )
        weights = Weights(
            self.reconstruction_weight, self.kl_weight, self.flow_weight, self.penalty_weight, self.metric_weight
        )
        return dynamic_manifold(
            budget,
            objective,
            weights,
            metric_network=self._setting("metric") == "network",
            geometry=True,
            warm_up=self._setting("warm_up") or 0.0,
        )
