"""What forecasters of states have in common: from an initial state to the state at any time, in one step."""

import abc
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float
from sklearn.utils.validation import check_is_fitted

from latax._errors import DataError, DataWarning
from latax.data import Samples
from latax.estimators import initial_states, inputs
from latax.estimators.base import AbstractSampler
from latax.estimators.forecast_assessment import ForecastAssessment, assess_forecasts
from latax.estimators.params import require_count, require_not_negative, require_positive, require_seed
from latax.estimators.rows import map_rows
from latax.estimators.scaling import Scaling, identity_scaling, measure, refuse_equal_rows
from latax.estimators.sequence_estimator import check_dt
from latax.estimators.sequences import times_of
from latax.estimators.trained import AbstractTrainedEstimator
from latax.models.dynamic_manifold import DynamicManifoldVAE as Module
from latax.models.nearest_state import Fit, KnownStates, first_state, known_states, near_states, nearest_fit

#: Held-out trajectories, and times of each, that the error of a forecast is measured on.
REMEMBERED, REMEMBERED_TIMES = 64, 21
#: Initial states of the training that robust fits begin at.
KNOWN = 256
#: Draws of the latent coordinates for the spread of a forecast.
DRAWS = 64


class Encoded(NamedTuple):
    """What the model infers from initial states."""

    mean: Float[np.ndarray, "N n"]
    """The latent coordinates, as `transform` gives them."""
    std: Float[np.ndarray, "N n"]
    """Their standard deviations."""
    position: Float[np.ndarray, "N n"]
    """The mean on the chart of the manifold, e.g. angles."""


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractForecaster(AbstractSampler, AbstractTrainedEstimator):
    """A model of trajectories (N, T, ...) at common times that sees the first state of each only.

    A fitted one has `times_`; `remembered_`: some held-out trajectories at some times; and `states_`: initial states of
    some training trajectories; both less the mean of the data.
    """

    latent_size: int = 6
    """Latent coordinates."""
    times_per_sample: int = 10
    """Times of each trajectory that one step looks at."""
    draws: int = 1
    """Draws of the latent coordinates of each trajectory in one step."""
    reconstruction_weight: float = 100.0
    """Weight of the mean squared error of the states, in units of the data's variance."""
    kl_weight: float = 2e-4
    """Weight of the KL divergence from the prior, in nats."""
    width_size: int = 200
    """Hidden units of all networks."""
    dt: float | None = None
    """Time from one state of a trajectory to the next, where the data have no times."""

    @abc.abstractmethod
    def _check_forecaster_params(self) -> None:
        """Refuses values of the model's own parameters that cannot work."""

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        for name in ("latent_size", "times_per_sample", "draws", "width_size"):
            require_count(name, getattr(self, name))
        require_positive("reconstruction_weight", self.reconstruction_weight)
        require_not_negative("kl_weight", self.kl_weight)
        check_dt(self.dt)
        self._check_forecaster_params()

    @property
    @abc.abstractmethod
    def _standardised(self) -> bool:
        """Whether the networks work in the units of the data; or else with its numbers as they are."""

    def _scaling(self, samples: Samples) -> Scaling:
        """One mean and one standard deviation, those of all numbers: states keep their shape."""
        size, columns = samples.X.shape[1], measure(samples.X)
        refuse_equal_rows(columns)
        if not self._standardised:
            return identity_scaling(size)
        mean = np.mean(columns.loc)
        within = np.where(columns.constant, 0, columns.scale**2)
        deviation = np.sqrt(np.mean(within + (columns.loc - mean) ** 2))
        return Scaling(np.full(size, mean), np.full(size, deviation), np.zeros(size, bool))

    def _check_columns(self, samples: Samples) -> None:
        if samples.context is not None:
            raise DataError(f"A {self.name} takes no context; give samples only.")
        initial_states.refuse_single_states(samples)
        self.times_ = times_of(samples, self.dt).tolist()
        training, validation = self.rows(samples)
        held_out = samples.take(validation[:REMEMBERED])
        self.remembered_ = _thinned(self.scaling_.centre(np.asarray(held_out.X)), self._places)
        # A few trajectories at a time: each is as long as a file makes it, and its first state is all that is kept.
        few = [training[i : min(i + 16, KNOWN)] for i in range(0, min(KNOWN, len(training)), 16)]
        states = np.concatenate([initial_states.first_columns(samples.take(rows).X, self._state_size) for rows in few])
        self.states_ = (states - self._mean).astype(np.float32)

    @property
    def _mean(self) -> float:
        return float(self.scaling_.loc[0])

    @property
    def _state_shape(self) -> tuple[int, ...]:
        return self.sample_shape_[1:] or (1,)

    @property
    def _state_size(self) -> int:
        return int(np.prod(self._state_shape))

    @property
    def _places(self) -> tuple[int, int, np.ndarray]:
        """The number of times, of numbers in a state, and which times are remembered."""
        count = len(self.times_)
        return count, self._state_size, np.unique(np.linspace(0, count - 1, REMEMBERED_TIMES).astype(int))

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        return {"forecast_error": self.reconstruction_error(samples) / self.n_features_in_**0.5}

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Nothing further."""

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"times_": self.times_, "remembered_": self.remembered_, "states_": self.states_}

    @property
    def _latent_size(self) -> int:
        return self.latent_size

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""
        return tuple(f"v{i}" for i in range(self.latent_size))

    # ---- verbs

    _decode: ClassVar[Any] = None

    def _encode(self, X: Any, context: Any) -> np.ndarray:
        starts = initial_states.FirstStates(self._new(X, context)[0], self._state_size)
        return map_rows(_encoded, self._centred, starts, chunk=self._chunk(len(self.times_)))[0]

    def encode(self, x0: Any) -> Encoded:
        """Latent coordinates of initial states (N, ...), with their uncertainty."""
        return Encoded(*map_rows(_encoded, self._centred, self._starts(x0)))

    def first_states(self, samples: Samples) -> Float[np.ndarray, "N *state"]:
        """The initial states (N, ...) of samples, which are whole trajectories or initial states alone.

        Raises `DataError` where they have neither size, or are on another grid or at other times than the model's.
        """
        check_is_fitted(self)
        size, whole = self._state_size, self.n_features_in_
        if samples.X.shape[1] == whole:
            inputs.check_columns(self, samples)
            initial_states.check_places(samples.feature_names[:size], self.feature_names_[:size], self._state_shape)
        elif samples.X.shape[1] == size:
            initial_states.check_places(samples.feature_names, self.feature_names_[:size], self._state_shape)
        else:
            raise DataError(
                f"{samples.origin} has {samples.X.shape[1]} numbers in each sample; expected {size}, an initial state "
                f"of shape {self._state_shape}, or {whole}, a trajectory of shape {self.sample_shape_}."
            )
        return initial_states.first_columns(samples.X, size).reshape(-1, *self._state_shape)

    def denoise(self, x0: Any) -> Float[np.ndarray, "N *state"]:
        """Of all initial states that the model knows how to make, those nearest to x0 (N, ...): a robust fit.

        Nodes that are far off hardly count, and NaN is what was not observed: see `latax.models.nearest_state`.
        """
        return self._first_states_of(self._fits(x0))

    def predict(self, x0: Any, t: Any = None, *, return_std: bool = False, robust: bool = False, seed: int = 0) -> Any:
        """The states at time t, or at several, from initial states at the first of `times_`.

        **Arguments:**

        - `x0`: (N, ...) states in the shape of one state of the data.
        - `t`: one time, for (N, ...); or (T',) in any order, for (N, T', ...); all times of the data by default. Beyond
          those it warns by how much: the model was never shown such times.
        - `return_std`: give (states, standard deviations): of draws of the latent coordinates, from `seed`, together
          with the error of forecasts of held-out trajectories at that time (those of validation, by which the best
          weights were chosen, too). Outside of the times of the data, where none was measured, that is infinite.
        - `robust`: start from `denoise(x0)`: for states with noise, with outliers, or in part not observed (NaN).
          Standard deviations then are of draws of the states that it might be as well.

        The states are those of the mean latent coordinates.
        """
        ts, single = self._forecast_times(t)
        fits = self._fits(x0) if robust else None
        starts = self._starts(x0 if fits is None else self._first_states_of(fits))
        shares = self._shares(ts)
        Z = map_rows(_encoded, self._centred, starts)[0]
        columns = (Z, np.broadcast_to(shares, (len(Z), len(ts))))
        made = map_rows(_forecast, self._centred, *columns, chunk=self._chunk(len(ts)))
        states = self._as_states(made, single) + self._mean
        if not return_std:
            return states
        require_seed(seed)
        seeds = np.full(len(Z), seed, np.uint32)
        if fits is None:
            starts = np.broadcast_to(starts[:, None], (len(Z), 1, self._state_size))
        else:
            starts = map_rows(_near_states, self._centred, *fits, seeds, chunk=self._fitted_at_once)
        chunk = max(1, self._chunk(len(ts)) // DRAWS)
        spread = map_rows(_spread, self._centred, starts, columns[1], seeds, chunk=chunk)
        return states, self._as_states(np.hypot(spread, self._noise(ts)[None, :, None]), single)

    def inverse_transform(self, Z: Any, *, context: Any = None) -> np.ndarray:
        """The whole trajectories, at the times of the data, that latent coordinates Z (N, n) stand for."""
        check_is_fitted(self)
        inputs.check_context(self, inputs.context_array(context), len(Z))
        Z = inputs.latent_array(Z, self._latent_size)
        return self._trajectories(Z)

    def project(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The model's forecasts of trajectories X (N, T, ...) from their first states."""
        return self._trajectories(self._encode(X, context))

    def reconstruction_error(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Euclidean norm of each trajectory less its forecast, in data units, shape (N,)."""
        x = self._new(X, context)[0]
        chunk = self._chunk(len(self.times_))
        return map_rows(_error, self._centred, x, chunk=chunk)

    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` trajectories from prior draws of the latent coordinates, without noise."""
        check_is_fitted(self)
        require_count("n", n)
        require_seed(seed)
        inputs.check_context(self, inputs.context_array(context), n)
        return self._trajectories(np.random.default_rng(seed).normal(size=(n, self.latent_size)).astype(np.float32))

    def assess(self, held_out: Samples, training: Samples | None = None) -> ForecastAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_forecasts(self, held_out, training)

    # ---- parts

    def _fits(self, x0: Any) -> Fit:
        """The robust fit to each initial state."""
        starts = self._starts(x0, observed=self.latent_size)
        deviation = max(self._noise(np.array(self.times_[:1]))[0], 1e-6 * self.scaling_.scale[0])
        known = known_states(jnp.asarray(map_rows(_encoded, self._centred, self.states_)[0]))
        columns = (starts, np.full(len(starts), deviation, np.float32))
        return map_rows(_fit, (self._centred, known), *columns, chunk=self._fitted_at_once)

    def _first_states_of(self, fits: Fit) -> Float[np.ndarray, "N *state"]:
        found = map_rows(first_state, self._centred, fits.value, chunk=self._fitted_at_once)
        return np.asarray(found, np.float64).reshape(-1, *self._state_shape) + self._mean

    @property
    def _fitted_at_once(self) -> int:
        return max(1, (1 << 24) // (KNOWN * max(self._state_size, self.width_size)))

    def _trajectories(self, Z: np.ndarray) -> np.ndarray:
        shares = np.broadcast_to(self._shares(np.asarray(self.times_)), (len(Z), len(self.times_)))
        flat = map_rows(_forecast, self._centred, Z, shares, chunk=self._chunk(len(self.times_)))
        return np.asarray(flat, np.float64).reshape(len(Z), *self.sample_shape_) + self._mean

    def _starts(self, x0: Any, observed: int | None = None) -> np.ndarray:
        """Initial states as flat rows, less the mean; `observed`: how many numbers of each suffice, all by default."""
        check_is_fitted(self)
        return initial_states.centred_rows(x0, self._state_shape, self._mean, observed=observed)

    def _forecast_times(self, t: Any) -> tuple[Float[np.ndarray, " T"], bool]:
        try:
            ts = np.asarray(self.times_ if t is None else t, float)
        except (TypeError, ValueError) as error:
            raise DataError(f"t is no time, nor several: {error}. Give numbers.") from error
        single, ts = ts.ndim == 0, np.atleast_1d(ts)
        if ts.ndim != 1 or not len(ts) or not np.isfinite(ts).all():
            raise DataError(f"t has shape {ts.shape}; expected one finite time, or several in one row.")
        first, last = self.times_[0], self.times_[-1]
        beyond = max(first - ts.min(), ts.max() - last)
        if beyond > 1e-6 * (last - first):
            warnings.warn(
                f"Times up to {beyond:g} outside of the trained window from {first:g} to {last:g} were asked for "
                f"({beyond / (last - first):.0%} of its length). The model has seen nothing there.",
                DataWarning,
                stacklevel=3,
            )
        return ts, single

    def _shares(self, ts: Float[np.ndarray, " T"]) -> np.ndarray:
        first, last = self.times_[0], self.times_[-1]
        return ((ts - first) / (last - first)).astype(np.float32)

    def _noise(self, ts: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """Root mean square error of forecasts of the remembered trajectories, interpolated between their times."""
        at = np.asarray(self.times_)[self._places[2]]
        shares = np.broadcast_to(self._shares(at), (len(self.remembered_), len(at)))
        x = self.remembered_.reshape(len(shares), len(at), self._state_size)
        Z = map_rows(_encoded, self._centred, x[:, 0])[0]
        made = map_rows(_forecast, self._centred, Z, shares, chunk=self._chunk(len(at)))
        errors = np.sqrt(np.mean((made - x) ** 2, axis=(0, 2)))
        slack = 1e-6 * (at[-1] - at[0])
        return np.where((ts < at[0] - slack) | (ts > at[-1] + slack), np.inf, np.interp(ts, at, errors))

    def _as_states(self, flat: np.ndarray, single: bool) -> np.ndarray:
        states = np.asarray(flat, np.float64).reshape(*flat.shape[:2], *self._state_shape)
        return states[:, 0] if single else states

    def _chunk(self, times: int) -> int:
        return max(1, min(4096, (1 << 22) // (times * max(self._state_size, self.width_size))))


def _thinned(x: Float[np.ndarray, "N d"], places: tuple[int, int, np.ndarray]) -> Float[np.ndarray, "N k"]:
    count, size, kept = places
    return x.reshape(len(x), count, size)[:, kept].reshape(len(x), -1)


# ---- functions of one sample


def _encoded(module: Module, x0: Array) -> tuple[Array, Array, Array]:
    found = module.encode(x0)
    return found.mean, found.std, module.chart(found.mean)


def _forecast(module: Module, v: Array, shares: Array) -> Array:
    return jax.vmap(lambda t: module.decode(v, t))(shares)


def _spread(module: Module, starts: Array, shares: Array, seed: Array) -> Array:
    """Over draws of the latent coordinates, from one initial state or one for each."""
    found = jax.vmap(module.encode)(starts)
    keys = jr.split(jr.key(seed), (DRAWS // len(starts), len(starts)))
    draws = jax.vmap(jax.vmap(lambda q, key: q.sample(key)), (None, 0))(found, keys)
    return jnp.std(jax.vmap(lambda v: _forecast(module, v, shares))(draws.reshape(DRAWS, -1)), axis=0)


def _fit(module_and_known: tuple[Module, KnownStates], start: Array, deviation: Array) -> Fit:
    module, known = module_and_known
    return nearest_fit(module, start, deviation, known)


def _near_states(module: Module, value: Array, spread: Array, seed: Array) -> Array:
    return near_states(module, Fit(value, spread), jr.fold_in(jr.key(seed), 1), DRAWS)


def _error(module: Module, x: Array) -> Array:
    states = x.astype(jnp.float32).reshape(len(module.times), -1)
    shares = jnp.asarray(module.shares, states.dtype)
    return jnp.sqrt(jnp.sum((states - _forecast(module, module.encode(states[0]).mean, shares)) ** 2))
