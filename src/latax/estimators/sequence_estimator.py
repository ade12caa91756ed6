"""What all estimators of sequences share: their times, verbs on whole sequences, and going on beyond the data."""

import abc
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float
from sklearn.utils.validation import check_is_fitted

from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.estimators import inputs
from latax.estimators.params import require_count, require_not_negative, require_positive, require_seed
from latax.estimators.rows import map_rows
from latax.estimators.scaling import Scaling, identity_scaling
from latax.estimators.sequence_assessment import SequenceAssessment, assess_sequences
from latax.estimators.sequences import check_shape, increasing, times_of
from latax.estimators.trained import AbstractTrainedEstimator
from latax.models import physics_objective
from latax.models.physics_model import Latents
from latax.models.physics_vae import PhysicsVAE as Module

#: Draws for the bound of the log likelihood, and training sequences that are remembered.
DRAWS, REMEMBERED = 100, 256


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractSequenceEstimator(AbstractTrainedEstimator):
    """A variational autoencoder of sequences (N, T) or (N, T, observed) at common times.

    A fitted one has `times_`, and `remembered_`: a few training sequences, whose first observations samples begin with.
    """

    dt: float | None = None
    """Time from one entry of a sequence to the next, where the data have no times."""
    noise: Literal["learned", "optimal"] | float = "learned"
    """Standard deviation of the noise: learned, the best for each batch, or a number in standard deviations of the
    data."""
    width_size: int = 128
    """Hidden units of the encoder."""

    @property
    @abc.abstractmethod
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""

    @abc.abstractmethod
    def _observed(self, samples: Samples) -> tuple[int, ...]:
        """The shape of one observation that the model expects, for data like these."""

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        require_count("width_size", self.width_size)
        if self.dt is not None:
            require_positive("dt", self.dt)
        if isinstance(self.noise, str) and self.noise not in ("learned", "optimal"):
            raise ConfigError(f"noise={self.noise!r} is not known; give 'learned', 'optimal', or a number.")
        if not isinstance(self.noise, str):
            require_positive("noise", self.noise)

    def _check_sizes(self, *names: str) -> None:
        """Refuses sizes of corrections that cannot be; None is no correction."""
        for name in names:
            if getattr(self, name) is not None:
                require_not_negative(name, getattr(self, name))

    @property
    def _first_noise(self) -> float:
        """Where the noise starts, in standard deviations of the data."""
        return 0.1 if isinstance(self.noise, str) else self.noise

    @property
    def _noise(self) -> physics_objective.Noise:
        return self.noise if isinstance(self.noise, str) else "fixed"

    def _scaling(self, samples: Samples) -> Scaling:
        return identity_scaling(samples.X.shape[1])

    def _check_columns(self, samples: Samples) -> None:
        if samples.context is not None:
            raise DataError(f"A {self.name} takes no context; give sequences only.")
        check_shape(samples, self._observed(samples), self.name)
        self.times_ = times_of(samples, self.dt).tolist()
        self.remembered_ = np.asarray(samples.X[:REMEMBERED], np.float32)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        x = np.asarray(samples.X, np.float32)
        return {
            "reconstruction_error": map_rows(_error, self._centred, x),
            "bound": -map_rows(_bound, self._centred, x, row_keys(len(x), 0), chunk=256),
        }

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Nothing further."""

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"times_": self.times_, "remembered_": self.remembered_}

    @property
    def _latent_size(self) -> int:
        return len(self.latent_names_)

    # ---- verbs

    def _encode(self, X: Any, context: Any) -> np.ndarray:
        return map_rows(_latents, self._centred, self._new(X, context)[0])

    def inverse_transform(self, Z: Any, *, context: Any = None) -> np.ndarray:
        """The sequences that latent coordinates Z (N, n) stand for, without noise, in data units."""
        return self._decode(Z, None)

    def predict(self, X: Any, times: Any) -> np.ndarray:
        """The sequences, as the model sees them, at other times: beyond the last one it extrapolates.

        `times`: (T,), increasing; the first is that of the data. The result has shape (N, T, ...).
        """
        return self._decode(self._encode(X, None), times)

    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` sequences with noise: all from its prior, but the first observation from the training data."""
        check_is_fitted(self)
        require_count("n", n)
        require_seed(seed)
        rows = np.random.default_rng(seed).integers(len(self.remembered_), size=n)
        return self._in_shape(map_rows(_sample, self._centred, row_keys(n, seed), self.remembered_[rows]))

    def project(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The model's reconstruction of each sequence, without noise."""
        return self._decode(self._encode(X, None), None)

    def reconstruction_error(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Euclidean norm of each sequence less its reconstruction, in data units, shape (N,)."""
        return map_rows(_error, self._centred, self._new(X, context)[0])

    def score_samples(self, X: Any, *, seed: int = 0) -> np.ndarray:
        """A lower bound of the log likelihood of each sequence, in nats, by importance weighting with 100 draws."""
        x, _ = self._new(X, None)
        return map_rows(_bound, self._centred, x, row_keys(len(x), seed), chunk=256)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `score_samples`."""
        return float(np.mean(self.score_samples(X)))

    def assess(self, held_out: Samples, training: Samples | None = None) -> SequenceAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_sequences(self, held_out, training)

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


def shaped(module: Module, x: Array) -> Array:
    """A flat sample in the module's type and shape, (T, *sample)."""
    return x.astype(module.scale.dtype).reshape(len(module.times), *module.scale.shape)


def row_keys(count: int, seed: int) -> np.ndarray:
    """The data of a random key for each row."""
    return np.asarray(jr.key_data(jr.split(jr.key(seed), count)))


def _latents(module: Module, x: Array) -> Array:
    latents, space = module.encode(shaped(module, x)), module.physics.parameters
    values = space.as_array(space.from_normal(latents.physics))
    return jnp.concatenate([values, latents.inside, latents.outside, latents.initial.ravel()])


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


def _error(module: Module, x: Array) -> Array:
    x = shaped(module, x)
    return jnp.sqrt(jnp.sum((x - module.decode(module.encode(x))) ** 2))


def _bound(module: Module, x: Array, key: Array) -> Array:
    return physics_objective.bound(module, shaped(module, x), jr.wrap_key_data(key), DRAWS)


def _sample(module: Module, key: Array, x: Array) -> Array:
    return module.sample(jr.wrap_key_data(key), module.physics.initial_state(shaped(module, x)[0]))
