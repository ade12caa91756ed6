"""The physics-integrated VAE estimator: the user's parameters as latent coordinates, and what the physics misses."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.estimators.params import (
    require_count,
    require_flag,
    require_fraction,
    require_not_negative,
    require_positive,
    require_seed,
)
from latax.estimators.physics_assessment import PhysicsAssessment, assess_physics
from latax.estimators.physics_settings import InTime, WithoutTime, setting
from latax.estimators.physics_spread import spreads
from latax.estimators.rows import map_rows
from latax.estimators.signal_estimator import AbstractSignalEstimator, row_key, rows_at_once, shaped
from latax.models.physics_model import AbstractPhysicsVAE, Ladder
from latax.models.physics_objective import Regularisers
from latax.models.recipes import Budget
from latax.physics import load as load_physics
from latax.physics.physics import AbstractPhysics
from latax.train import Recipe

#: Draws of the posterior for intervals.
DRAWS = 400
#: Deviations from the mean below this part of the largest value are roundings.
ROUNDING = 1e-6


class Estimate(NamedTuple):
    """One parameter of each sample, in its unit, with an interval that holds it with the probability asked for."""

    value: Float[np.ndarray, " N"]
    low: Float[np.ndarray, " N"]
    high: Float[np.ndarray, " N"]


class Explanation(NamedTuple):
    """How much of each sample the physics explains.

    - `physics`: 1 - Σ (full - physics alone)² / Σ (full - mean)², with the mean over time, or that of each channel of
        an image: one if the corrections do nothing, and below zero if they work against the physics.
    - `data`: the share of the sample's variance that the full model rebuilds; what is missing is noise or misfit.

    Where there is no variance to explain, as in a sequence at rest, a share is NaN, unless nothing at all is missing.
    """

    physics: Float[np.ndarray, " N"]
    data: Float[np.ndarray, " N"]


@dataclass(kw_only=True, eq=False, repr=False)
class PhysicsVAE(AbstractSignalEstimator):
    """Physics-integrated VAE: infers the parameters of a physics you know, and learns what it does not.

    For an ODE, samples are sequences (N, T) or (N, T, observed) at common times, for a PDE (N, T, *grid), and for a
    `PDESystem` (N, T, *grid, observed); for a `ClosedForm` they have the shape of its result: images, profiles,
    spectra. The corrections start at zero and are kept small, so that the physics explains what it can (Takeishi and
    Kalousis, "Physics-integrated variational autoencoders for robust and interpretable generative modeling", NeurIPS
    2021, arXiv 2102.13156).
    """

    physics: str | AbstractPhysics = "pendulum"
    """What is known: pendulum, advection-diffusion, exponential-disc, or file.py:name (module:name) for your own."""
    dt: float | None = None
    """Time from one entry of a sequence to the next, where the data have no times."""
    inside_size: int | None = 2
    """Latent coordinates of the correction to the rates of change; None for no such correction, as without time."""
    outside_size: int | None = 2
    """Latent coordinates of the correction to the observations; None for no such correction."""
    infers_initial: bool = False
    """Infer the whole initial state around the first observation, instead of trusting that."""
    ppc: float = 0.0
    """Weight of the discrepancy between the full model and the physics alone: more keeps the corrections smaller."""
    effort: float = 20.0
    """Weight of the size of the corrections themselves."""
    final_effort: float | None = None
    """What that weight falls to by the end of training, where corrections of the right size should cost nothing."""
    cleansing: float = 0.001
    """Weight of the cleansing's target, the physics alone."""
    augmentation: float = 0.1
    """Weight of the squared error, in prior standard deviations, of parameters inferred from what the physics alone
    makes."""
    simulation: float = 0.1
    """Weight of parameters inferred from what the whole model makes: it gives the posterior its width."""
    matching: float = 0.0
    """Weight of the parameters' prior for all sequences together: it fixes a scale that corrections could shift."""
    inside_width: int = 32
    """Hidden units of the correction to the rates of change."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "physics-vae"

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        super()._check_model_params()
        require_count("inside_width", self.inside_width)
        require_flag("infers_initial", self.infers_initial)
        self._check_sizes("inside_size", "outside_size")
        for name in Regularisers._fields:
            require_not_negative(name, getattr(self, name))
        if self.final_effort is not None:
            require_positive("final_effort", self.final_effort)
            require_positive("effort", self.effort)
        self._setting.check(self)

    def _physics(self) -> AbstractPhysics:
        return self._setting.physics

    @property
    def _setting(self) -> InTime | WithoutTime:
        return setting(load_physics(self.physics) if isinstance(self.physics, str) else self.physics)

    def _check_signals(self, samples: Samples) -> None:
        self.times_ = self._setting.times(self, samples)

    def _check_columns(self, samples: Samples) -> None:
        super()._check_columns(samples)
        self._setting.try_prior(self, samples)

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"times_": self.times_, **super()._fitted_numbers()}

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> AbstractPhysicsVAE:
        return self._setting.module(self, key)

    def _recipe(self, budget: Budget) -> Recipe:
        regularisers = Regularisers(**{name: getattr(self, name) for name in Regularisers._fields})
        return self._setting.recipe(self, budget, regularisers)

    # ---- verbs

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are: the parameters in their units, the coordinates of the corrections, and
        the initial state where there is time."""
        module = self._centred
        inside = [f"inside{i}" for i in range(module.inside_size)]
        outside = [f"outside{i}" for i in range(module.outside_size)]
        return (*module.physics.parameters.names, *inside, *outside, *self._setting.initial_names)

    @property
    def units_(self) -> dict[str, str]:
        """The unit of each parameter, by name; empty where the physics says none."""
        return {parameter.name: parameter.unit for parameter in self._physics().parameters.parameters}

    def intervene(self, X: Any, *, times: Any = None, **parameters: Any) -> np.ndarray:
        """What the samples would be with other parameters, all else equal: `intervene(X, omega=2.0)`.

        A parameter is one number, or one for each sample. Raises `ConfigError` for a name that the physics does not
        have, and `DataError` for values out of bounds.
        """
        Z, space = self._encode(X, None).astype(np.float64), self._centred.physics.parameters
        unknown = ", ".join(sorted(set(parameters) - set(space.names)))
        if unknown or not parameters:
            raise ConfigError(
                f"{f'The physics has no parameter {unknown}' if unknown else 'No parameter was given'}; it has "
                f"{', '.join(space.names) or 'none'}. Name at least one, with its new value."
            )
        for name, value in parameters.items():
            try:
                Z[:, space.names.index(name)] = value
            except (TypeError, ValueError) as error:
                raise DataError(f"{name} must be one number, or one for each of {len(Z)} samples: {error}.") from error
        space.check(Z[:, : len(space)])
        return self._decoded(Z, X) if times is None else self._setting.ahead(self, Z, times, X)

    def predict(self, X: Any, times: Any = None) -> np.ndarray:
        """Sequences, as the model sees them, at other times: beyond the last one it extrapolates.

        `times`: (T,), increasing; the first is that of the data, and without any they are all those of the data. The
        result has shape (N, T, ...). However far they are apart, steps are not longer than between the data. Raises
        `ConfigError` for times of a physics without time.
        """
        Z = self._encode(X, None)
        return self._decoded(Z, X) if times is None else self._setting.ahead(self, Z, times, X)

    def parameters(self, X: Any, *, level: float = 0.9, discrepancy: bool = True, seed: int = 0) -> dict[str, Estimate]:
        """The parameters of each sequence with posterior intervals of this probability, by name, in their units.

        The intervals admit that the physics may miss something else that acts like a change of the parameter, as large
        as the corrections to other samples are: see `latax.models.physics_discrepancy`. Without `discrepancy` they
        are those of the fitted model, which trusts its corrections: much too narrow where the physics lacks much.
        """
        require_fraction("level", level)
        require_seed(seed)
        x, _ = self._new(X, None)
        space = self._centred.physics.parameters
        missing = np.zeros((len(x), len(space)))
        if discrepancy:
            found = spreads(self._centred, x, self.remembered_)
            missing = np.sqrt(np.maximum(found.marginal**2 - found.model**2, 0))
        seeds = np.full(len(x), seed, np.uint32)
        chunk = rows_at_once(DRAWS * x.shape[1])
        values = map_rows(_Intervals(float(level)), self._centred, x, missing.astype(np.float32), seeds, chunk=chunk)
        return {name: Estimate(*values[name]) for name in space.names}

    def explain(self, X: Any) -> Explanation:
        """How much of each sample the physics explains, and how much the model."""
        return Explanation(*self._mapped(_explained, self._new(X, None)[0]))

    def ladder(self, X: Any) -> Ladder:
        """The reconstructions of each sample by the physics alone, with either correction, and with both."""
        return self._mapped(_ladder, self._new(X, None)[0])

    def assess(self, held_out: Samples, training: Samples | None = None) -> PhysicsAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_physics(self, held_out, training)


# ---- functions of one flat sample


class _Intervals(NamedTuple):
    """Value, lower and upper end of each parameter, by name; equal levels share a compiled program.

    Intervals are those of q(v | x), a mixture over draws of what the physics does not know, plus independent errors of
    the parameters with standard deviations `missing`, in those of their priors.
    """

    level: float

    def __call__(
        self, module: AbstractPhysicsVAE, x: Array, missing: Array, seed: Array
    ) -> dict[str, tuple[Array, Array, Array]]:
        posterior_key, missing_key = jr.split(row_key(x, seed))
        x, space = shaped(module, x), module.physics.parameters
        v = module.draw_parameters(x, posterior_key, DRAWS)
        errors = missing[None] * jr.normal(missing_key, (DRAWS, len(space)), v.dtype)
        drawn = jax.vmap(lambda v, error: space.from_normal(space.moved(v, error)))(v, errors)
        middle = space.from_normal(module.posterior(x).physics.mean)
        tail = 0.5 - self.level / 2
        found = {}
        for parameter, value, draws in zip(space.parameters, middle, drawn, strict=True):
            if parameter.circular:
                width = jnp.quantile(parameter.distance(draws, value), self.level)
                low, high = value - width, value + width
            else:
                low, high = jnp.quantile(draws, jnp.array([tail, 1 - tail]))
            found[parameter.name] = (value, low, high)
        return found


def _ladder(module: AbstractPhysicsVAE, x: Array) -> Ladder:
    return module.ladder(module.encode(shaped(module, x)))


def _explained(module: AbstractPhysicsVAE, x: Array) -> tuple[Array, Array]:
    x = shaped(module, x)
    ladder = module.ladder(module.encode(x))
    of = lambda whole, part: share(whole, part, module.mean(whole))
    return of(ladder.full, ladder.physics), of(x, ladder.full)


def share(
    whole: Float[Array, "T *sample"], part: Float[Array, "T *sample"], mean: Float[Array, "..."]
) -> Float[Array, ""]:
    """1 - Σ (whole - part)² / Σ (whole - mean)², with a mean for each number or for each channel.

    Where that is 0 / 0, or a constant is missed, 1 and NaN.
    """
    missed, variance = jnp.sum((whole - part) ** 2), jnp.sum((whole - mean[None]) ** 2)
    constant = variance <= whole.size * (ROUNDING * jnp.max(jnp.abs(whole))) ** 2
    of_constant = jnp.where(missed == 0, 1.0, jnp.nan)
    return jnp.where(constant, of_constant, 1 - missed / jnp.where(constant, 1.0, variance))
