"""The physics-integrated VAE estimator: the user's parameters as latent coordinates, and what the physics misses."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key
from scipy.stats import norm
from sklearn.utils.validation import check_is_fitted

from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.estimators import inputs
from latax.estimators.params import (
    require_count,
    require_fraction,
    require_not_negative,
    require_positive,
    require_seed,
)
from latax.estimators.physics_assessment import PhysicsAssessment, assess_physics
from latax.estimators.rows import map_rows
from latax.estimators.scaling import Scaling, identity_scaling
from latax.estimators.sequences import check_shape, increasing, times_of
from latax.estimators.trained import AbstractTrainedEstimator
from latax.models import physics_objective
from latax.models.physics_objective import Regularisers
from latax.models.physics_vae import Ladder, Latents, physics_vae
from latax.models.physics_vae import PhysicsVAE as Module
from latax.models.recipes import Budget, physics_integrated
from latax.physics import load as load_physics
from latax.physics.physics import AbstractDynamics
from latax.train import Recipe

#: Draws for the bound of the log likelihood, and initial states that are remembered for sampling.
DRAWS, REMEMBERED = 100, 500


class Estimate(NamedTuple):
    """One parameter of each sample, in its unit, with an interval that holds it with the probability asked for."""

    value: Float[np.ndarray, " N"]
    low: Float[np.ndarray, " N"]
    high: Float[np.ndarray, " N"]


class Explanation(NamedTuple):
    """How much of each sequence the physics explains.

    - `physics`: 1 - Σ (full - physics alone)² / Σ (full - mean of the sequence)²: one if the corrections do nothing,
        and below zero if they work against the physics.
    - `data`: the share of the sequence's variance that the full model rebuilds; what is missing is noise or misfit.
    """

    physics: Float[np.ndarray, " N"]
    data: Float[np.ndarray, " N"]


@dataclass(kw_only=True, eq=False, repr=False)
class PhysicsVAE(AbstractTrainedEstimator):
    """Physics-integrated VAE: infers the parameters of a physics you know, and learns what it does not.

    Samples are sequences (N, T) or (N, T, observed) at common times. The corrections start at zero and are kept small,
    so that the physics explains what it can (Takeishi and Kalousis, "Physics-integrated variational autoencoders for
    robust and interpretable generative modeling", NeurIPS 2021, arXiv 2102.13156).
    """

    physics: str | AbstractDynamics = "pendulum"
    """What is known: pendulum, advection-diffusion, or file.py:name (module:name) for your own."""
    inside_size: int | None = 1
    """Latent coordinates of the correction to the rates of change; None for no such correction."""
    outside_size: int | None = 2
    """Latent coordinates of the correction to the observations; None for no such correction."""
    dt: float | None = None
    """Time from one entry of a sequence to the next, where the data have no times."""
    infers_initial: bool = False
    """Infer the whole initial state around the first observation, instead of trusting that."""
    noise: Literal["learned", "optimal"] | float = "learned"
    """Standard deviation of the noise: learned, the best for each batch, or a number in standard deviations of the
    data."""
    ppc: float = 0.01
    """Weight of the discrepancy between the full model and the physics alone: more keeps the corrections smaller."""
    effort: float = 0.0
    """Weight of the size of the corrections themselves, along the trajectory."""
    cleansing: float = 0.001
    """Weight of the cleansing's target, the physics alone."""
    augmentation: float = 0.1
    """Weight of parameters inferred from what the physics alone makes."""
    simulation: float = 0.1
    """Weight of parameters inferred from what the whole model makes: it gives intervals their width."""
    matching: float = 0.0
    """Weight of the parameters' prior for all sequences together: it fixes a scale that corrections could shift."""
    width_size: int = 128
    """Hidden units of the encoder."""
    inside_width: int = 32
    """Hidden units of the correction to the rates of change."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "physics-vae"

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        for name in ("width_size", "inside_width"):
            require_count(name, getattr(self, name))
        for name in ("inside_size", "outside_size"):
            if getattr(self, name) is not None:
                require_not_negative(name, getattr(self, name))
        for name in Regularisers._fields:
            require_not_negative(name, getattr(self, name))
        if self.dt is not None:
            require_positive("dt", self.dt)
        if isinstance(self.noise, str) and self.noise not in ("learned", "optimal"):
            raise ConfigError(f"noise={self.noise!r} is not known; give 'learned', 'optimal', or a number.")
        if not isinstance(self.noise, str):
            require_positive("noise", self.noise)
        self._physics()

    def _physics(self) -> AbstractDynamics:
        found = load_physics(self.physics) if isinstance(self.physics, str) else self.physics
        if not isinstance(found, AbstractDynamics):
            raise ConfigError(
                f"physics={self.physics!r} is a {type(found).__name__}; sequences need one in time: an ODE or PDE."
            )
        return found

    def _scaling(self, samples: Samples) -> Scaling:
        return identity_scaling(samples.X.shape[1])

    def _check_columns(self, samples: Samples) -> None:
        if samples.context is not None:
            raise DataError("A physics-vae takes no context; put what is known of each sequence into the physics.")
        check_shape(samples, self._physics().sample_shape, repr(self.physics))
        self.times_ = times_of(samples, self.dt).tolist()
        X = samples.X[:REMEMBERED].reshape(-1, len(self.times_), *self._physics().sample_shape)
        self.initial_ = np.asarray(X[:, 0], np.float64).tolist()

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Module:
        return physics_vae(
            self._physics(),
            np.asarray(self.times_),
            inside_size=self.inside_size,
            outside_size=self.outside_size,
            infers_initial=self.infers_initial,
            noise=0.1 if isinstance(self.noise, str) else self.noise,
            width_size=self.width_size,
            inside_width=self.inside_width,
            key=key,
        )

    def _recipe(self, budget: Budget) -> Recipe:
        regularisers = Regularisers(**{name: getattr(self, name) for name in Regularisers._fields})
        how = self.noise if isinstance(self.noise, str) else "fixed"
        return physics_integrated(budget, regularisers, how, self.n_features_in_)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        x = np.asarray(samples.X, np.float32)
        keys = _keys(len(x), 0)
        return {
            "reconstruction_error": map_rows(_error, self._centred, x),
            "bound": -map_rows(_bound, self._centred, x, keys, chunk=256),
        }

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Nothing further."""

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"times_": self.times_, "initial_": self.initial_}

    @property
    def _latent_size(self) -> int:
        return len(self.latent_names_)

    # ---- verbs

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""
        module = self._centred
        states = [f"initial{'_'.join(map(str, i))}" for i in np.ndindex(*module.physics.state_shape)]
        inside = [f"inside{i}" for i in range(module.inside_size)]
        outside = [f"outside{i}" for i in range(module.outside_size)]
        return (*module.physics.parameters.names, *inside, *outside, *states)

    def transform(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Latent coordinates (N, n): the parameters in their units, the corrections', and the initial state."""
        return map_rows(_encode, self._centred, self._new(X, context)[0])

    def inverse_transform(self, Z: Any, *, context: Any = None) -> np.ndarray:
        """The sequences that latent coordinates Z (N, n) stand for, without noise, in data units."""
        return self._decode(Z, None)

    def predict(self, X: Any, times: Any) -> np.ndarray:
        """The sequences, as the model sees them, at other times: beyond the last one it extrapolates.

        `times`: (T,), increasing; the first is that of the data. The result has shape (N, T, ...).
        """
        return self._decode(self.transform(X), times)

    def intervene(self, X: Any, *, times: Any = None, **parameters: Any) -> np.ndarray:
        """What the sequences would be with other parameters, all else equal: `intervene(X, omega=2.0)`.

        A parameter is one number, or one for each sample. Raises `ConfigError` for a name that the physics does not
        have, and `DataError` for values out of bounds.
        """
        Z, space = self.transform(X).astype(np.float64), self._centred.physics.parameters
        unknown = sorted(set(parameters) - set(space.names))
        if unknown or not parameters:
            raise ConfigError(
                f"The physics has no parameter {unknown}; it has {', '.join(space.names)}. Name at least one."
            )
        for name, value in parameters.items():
            Z[:, space.names.index(name)] = value
        space.check(Z[:, : len(space)])
        return self._decode(Z, times)

    def parameters(self, X: Any, *, level: float = 0.9, seed: int = 0) -> dict[str, Estimate]:
        """The parameters of each sequence with posterior intervals of this probability, by name, in their units."""
        require_fraction("level", level)
        require_seed(seed)
        mean, std = map_rows(_parameters, self._centred, self._new(X, None)[0])
        return _estimates(self._centred.physics.parameters, mean, std, level, seed)

    def explain(self, X: Any) -> Explanation:
        """How much of each sequence the physics explains, and how much the model."""
        x, _ = self._new(X, None)
        return Explanation(*map_rows(_explained, self._centred, x))

    def ladder(self, X: Any) -> Ladder:
        """The reconstructions of each sequence by the physics alone, with either correction, and with both."""
        return map_rows(_ladder, self._centred, self._new(X, None)[0])

    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` sequences with noise: all from its prior, but the first observation from the training data."""
        check_is_fitted(self)
        require_count("n", n)
        require_seed(seed)
        rows = np.random.default_rng(seed).integers(len(self.initial_), size=n)
        initial = np.asarray(self.initial_, np.float32)[rows]
        return self._in_shape(map_rows(_sample, self._centred, _keys(n, seed), initial))

    def project(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The model's reconstruction of each sequence, without noise."""
        return self._decode(self.transform(X), None)

    def reconstruction_error(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Euclidean norm of each sequence less its reconstruction, in data units, shape (N,)."""
        return map_rows(_error, self._centred, self._new(X, context)[0])

    def score_samples(self, X: Any, *, seed: int = 0) -> np.ndarray:
        """A lower bound of the log likelihood of each sequence, in nats, by importance weighting with 100 draws."""
        x, _ = self._new(X, None)
        return map_rows(_bound, self._centred, x, _keys(len(x), seed), chunk=256)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `score_samples`."""
        return float(np.mean(self.score_samples(X)))

    def assess(self, held_out: Samples, training: Samples | None = None) -> PhysicsAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_physics(self, held_out, training)

    def _decode(self, Z: Any, times: Any) -> np.ndarray:
        check_is_fitted(self)
        Z = inputs.latent_array(Z, self._latent_size)
        space = self._centred.physics.parameters
        space.check(Z[:, : len(space)])
        ts = np.asarray(self.times_) if times is None else increasing(times)
        if abs(ts[0] - self.times_[0]) > 1e-6 * abs(self.times_[-1] - self.times_[0]):
            raise DataError(
                f"The times begin at {ts[0]:g}, but the initial state is that of {self.times_[0]:g}. Begin there."
            )
        return self._in_shape(map_rows(_Decode(tuple(ts.tolist())), self._centred, Z))

    def _in_shape(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X, np.float64).reshape(len(X), -1, *self.sample_shape_[1:])


# ---- functions of one flat sample


def _shaped(module: Module, x: Array) -> Array:
    return x.astype(module.scale.dtype).reshape(len(module.times), *module.scale.shape)


def _flat(module: Module, latents: Latents) -> Array:
    space = module.physics.parameters
    values = space.as_array(space.from_normal(latents.physics))
    return jnp.concatenate([values, latents.inside, latents.outside, latents.initial.ravel()])


def _encode(module: Module, x: Array) -> Array:
    return _flat(module, module.encode(_shaped(module, x)))


class _Decode(NamedTuple):
    """Latent coordinates to a sequence at these times; equal times share a compiled program."""

    times: tuple[float, ...]

    def __call__(self, module: Module, z: Array) -> Array:
        space = module.physics.parameters
        sizes = np.cumsum([len(space), module.inside_size, module.outside_size])
        values, inside, outside, initial = jnp.split(z, sizes)
        v = space.to_normal(space.from_array(values))
        latents = Latents(v, inside, outside, initial.reshape(module.physics.state_shape))
        return module.decode(latents, np.asarray(self.times))


def _parameters(module: Module, x: Array) -> tuple[Array, Array]:
    found = module.posterior(_shaped(module, x)).physics
    return found.mean, found.std


def _ladder(module: Module, x: Array) -> Ladder:
    return module.ladder(module.encode(_shaped(module, x)))


def _error(module: Module, x: Array) -> Array:
    x = _shaped(module, x)
    return jnp.sqrt(jnp.sum((x - module.decode(module.encode(x))) ** 2))


def _explained(module: Module, x: Array) -> tuple[Array, Array]:
    x = _shaped(module, x)
    ladder = module.ladder(module.encode(x))
    share = lambda a, b: 1 - jnp.sum((a - b) ** 2) / jnp.sum((a - jnp.mean(a, axis=0, keepdims=True)) ** 2)
    return share(ladder.full, ladder.physics), share(x, ladder.full)


def _bound(module: Module, x: Array, key: Array) -> Array:
    return physics_objective.bound(module, _shaped(module, x), jr.wrap_key_data(key), DRAWS)


def _sample(module: Module, key: Array, initial: Array) -> Array:
    state = module.physics.initial_state(initial.astype(module.scale.dtype))
    return module.sample(jr.wrap_key_data(key), state)


def _keys(count: int, seed: int) -> np.ndarray:
    return np.asarray(jr.key_data(jr.split(jr.key(seed), count)))


def _estimates(space: Any, mean: np.ndarray, std: np.ndarray, level: float, seed: int) -> dict[str, Estimate]:
    """Intervals from Gaussians of the unconstrained coordinates: the map to values is monotone but for angles."""
    reach, start, found = norm.ppf(0.5 + level / 2), 0, {}
    rng = np.random.default_rng(seed)
    for parameter in space.parameters:
        columns = slice(start, start + parameter.size)
        start += parameter.size
        value = jax.vmap(parameter.from_normal)
        middle = np.asarray(value(jnp.asarray(mean[:, columns])))
        if parameter.size == 1:
            low, high = (
                np.asarray(value(jnp.asarray(mean[:, columns] + s * reach * std[:, columns]))) for s in (-1, 1)
            )
        else:
            draws = mean[:, None, columns] + std[:, None, columns] * rng.normal(size=(len(mean), 400, 2))
            angles = np.asarray(jax.vmap(value)(jnp.asarray(draws, jnp.float32)))
            width = np.quantile(np.asarray(parameter.distance(angles, middle[:, None])), level, axis=1)
            low, high = middle - width, middle + width
        found[parameter.name] = Estimate(middle, low, high)
    return found
