"""The VAE of sequences whose decoder solves an unknown differential equation."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float, Key

from latax.data import Samples
from latax.estimators.params import require_count, require_flag
from latax.estimators.sequence_estimator import AbstractSequenceEstimator
from latax.models.baselines import neural_ode_vae
from latax.models.physics_vae import PhysicsVAE as Module
from latax.models.recipes import Budget, without_physics
from latax.physics import FixedStep
from latax.train import Recipe


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralODEVAE(AbstractSequenceEstimator):
    """VAE of sequences whose decoder solves a learned differential equation: a solver, but no physics.

    The state is the observation and its derivatives below `order`; the rate of change of the last one is a network of
    the state, the time and the latent coordinates. The baseline "NN + solver" of Takeishi and Kalousis (2021, arXiv
    2102.13156); see also Chen et al., "Neural ordinary differential equations" (2018, arXiv 1806.07366).
    """

    order: int = 1
    """Order of the differential equation: 2 for things that move by a force."""
    inside_size: int = 2
    """Latent coordinates of the equation."""
    outside_size: int | None = 2
    """Latent coordinates of a function of time that is added to the solution; None for no such function."""
    infers_initial: bool = False
    """Infer the whole initial state around the first observation, instead of trusting that, at rest."""
    inside_width: int = 64
    """Hidden units of the network in the equation."""
    every: int = 1
    """Steps of the solver end at every time (1), every other (2), ...; between them the solution is interpolated."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "neural-ode-vae"

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are: the coordinates of both parts, and the initial state."""
        module = self._centred
        inside = [f"inside{i}" for i in range(module.inside_size)]
        return (*inside, *(f"outside{i}" for i in range(module.outside_size)), *module.physics.initial_names)

    def _check_model_params(self) -> None:
        super()._check_model_params()
        for name in ("order", "inside_width", "every"):
            require_count(name, getattr(self, name))
        require_count("inside_size", self.inside_size, least=0)
        require_flag("infers_initial", self.infers_initial)
        self._check_sizes("outside_size")

    def _observed(self, samples: Samples) -> tuple[int, ...]:
        return samples.sample_shape[1:] or (1,)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Module:
        return neural_ode_vae(
            np.asarray(self.times_),
            self.sample_shape_[1:] or (1,),
            order=self.order,
            inside_size=self.inside_size,
            outside_size=self.outside_size,
            infers_initial=self.infers_initial,
            noise=self._first_noise,
            width_size=self.width_size,
            inside_width=self.inside_width,
            solver=FixedStep(every=self.every),
            key=key,
        )

    def _recipe(self, budget: Budget) -> Recipe:
        return without_physics(budget, self._noise, self.n_features_in_)
