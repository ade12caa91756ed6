"""Where a physics is at home: in time, where samples are sequences, or without, where they are images and profiles."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Key

from latax._errors import ConfigError, DataError
from latax._wording import row_name
from latax.data import Samples
from latax.estimators.prior_check import check_formula, check_sequences
from latax.estimators.sequence_estimator import check_dt, decode_at
from latax.estimators.sequences import check_grid, check_order, check_shape, times_of
from latax.models import recipes
from latax.models.closed_form_vae import ClosedFormVAE, closed_form_vae
from latax.models.physics_objective import Regularisers
from latax.models.physics_vae import PhysicsVAE, physics_vae
from latax.physics import ODE, PDE, ClosedForm, PDESystem
from latax.physics.physics import AbstractDynamics
from latax.train import Recipe


class InTime(NamedTuple):
    """What is particular about an ODE or PDE. `estimator`: a `latax.PhysicsVAE`."""

    physics: AbstractDynamics

    @property
    def initial_names(self) -> tuple[str, ...]:
        """What the columns with the initial state are called."""
        return self.physics.initial_names

    def check(self, estimator: Any) -> None:
        """Refuses parameters that cannot work, and a physics whose function does not."""
        check_dt(estimator.dt)
        self.physics.check()

    def times(self, estimator: Any, samples: Samples) -> list[float]:
        """The times of samples of the right shape."""
        check_shape(samples, self.physics.sample_shape)
        if isinstance(self.physics, ODE):
            check_order(samples, self.physics.parts.observed)
        if isinstance(self.physics, PDE | PDESystem):
            check_grid(samples, self.physics.grid)
        return times_of(samples, estimator.dt).tolist()

    def try_prior(self, estimator: Any, samples: Samples) -> None:
        """Refuses a physics that explodes for what its prior allows."""
        X = estimator.remembered_.reshape(-1, len(estimator.times_), *self.physics.sample_shape)
        names = [row_name(row, samples.labels, "sequence") for row in estimator._remembered_rows(samples).tolist()]
        check_sequences(self.physics, X, estimator.times_, names)

    def module(self, estimator: Any, key: Key[Array, ""]) -> PhysicsVAE:
        """A new module."""
        return physics_vae(
            self.physics,
            np.asarray(estimator.times_),
            inside_size=estimator.inside_size,
            outside_size=estimator.outside_size,
            infers_initial=estimator.infers_initial,
            noise=estimator._first_noise,
            width_size=estimator.width_size,
            inside_width=estimator.inside_width,
            key=key,
        )

    def recipe(self, estimator: Any, budget: recipes.Budget, regularisers: Regularisers) -> Recipe:
        """How the module is trained."""
        size, final = estimator.n_features_in_, estimator.final_effort
        return recipes.physics_integrated(budget, regularisers, estimator._noise, size, final)

    def ahead(self, estimator: Any, Z: Any, times: Any, of: Any) -> np.ndarray:
        """What latent coordinates stand for at other times; `of` which samples, for messages."""
        return decode_at(estimator, Z, times, of)


class WithoutTime(NamedTuple):
    """What is particular about a closed form. `estimator`: a `latax.PhysicsVAE`."""

    physics: ClosedForm

    @property
    def initial_names(self) -> tuple[str, ...]:
        """None."""
        return ()

    def check(self, estimator: Any) -> None:
        """Refuses parameters that mean nothing without time; `inside_size` has a default, and is ignored."""
        for name in ("dt", "infers_initial"):
            if getattr(estimator, name):
                raise ConfigError(
                    f"{name}={getattr(estimator, name)} belongs to a physics in time, and this one is a closed form. "
                    f"Leave {name} out."
                )

    def times(self, estimator: Any, samples: Samples) -> list[float]:
        """None, for samples of the right shape."""
        wanted = self.physics.sample_shape
        if samples.sample_shape != wanted:
            raise DataError(
                f"Each sample has shape {samples.sample_shape}; the physics makes {wanted}. "
                "Reshape the data, or make the physics with coordinates of this shape."
            )
        return []

    def try_prior(self, estimator: Any, samples: Samples) -> None:
        """Refuses a physics without finite values for what its prior allows."""
        check_formula(self.physics)

    def module(self, estimator: Any, key: Key[Array, ""]) -> ClosedFormVAE:
        """A new module."""
        return closed_form_vae(
            self.physics,
            outside_size=estimator.outside_size,
            noise=estimator._first_noise,
            width_size=estimator.width_size,
            key=key,
        )

    def recipe(self, estimator: Any, budget: recipes.Budget, regularisers: Regularisers) -> Recipe:
        """How the module is trained."""
        size, final = estimator.n_features_in_, estimator.final_effort
        return recipes.closed_form(budget, regularisers, estimator._noise, size, final)

    def ahead(self, estimator: Any, Z: Any, times: Any, of: Any) -> np.ndarray:
        """Refuses."""
        raise ConfigError("There are no other times to go to: the physics is a closed form, without time.")


def setting(physics: object) -> InTime | WithoutTime:
    """What is particular about this physics. Raises `ConfigError` if it is none."""
    if isinstance(physics, AbstractDynamics):
        return InTime(physics)
    if isinstance(physics, ClosedForm):
        return WithoutTime(physics)
    raise ConfigError(f"physics={physics!r} is of type {type(physics).__name__}; expected an ODE, PDE or ClosedForm.")
