"""What all variational autoencoders of signals share, be they sequences, images or profiles: verbs on whole samples."""

import abc
import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from sklearn.utils.validation import check_is_fitted

from latax._errors import ConfigError, DataError, DataWarning
from latax._wording import counted, row_name
from latax.data import Samples
from latax.estimators import inputs
from latax.estimators.base import AbstractSampler
from latax.estimators.params import require_count, require_positive, require_seed
from latax.estimators.rows import CHUNK, map_rows
from latax.estimators.scaling import Scaling, identity_scaling
from latax.estimators.sequence_assessment import SequenceAssessment, assess_sequences
from latax.estimators.splitting import evenly
from latax.estimators.trained import AbstractTrainedEstimator
from latax.models import physics_objective
from latax.models.physics_model import AbstractPhysicsVAE, Latents

#: Draws for the bound of the log likelihood, fewer after training, and training samples that are remembered.
DRAWS, FEW_DRAWS, REMEMBERED = 100, 10, 256
#: Numbers of data that are looked at in one call. Convolutions hold some fifty times as many, which should stay in a
#: cache: 64 images of 32 × 32 × 3 at a time take three times as long for each as 8 at a time.
AT_ONCE = 1 << 16


def _decode(module: AbstractPhysicsVAE, z: Array, context: None = None) -> Array:
    return module.decode(latents_of(module, z))


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractSignalEstimator(AbstractSampler, AbstractTrainedEstimator):
    """A variational autoencoder of samples with a shape. A fitted one has `remembered_`: a few training samples."""

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
    def _check_signals(self, samples: Samples) -> None:
        """Refuses samples of a shape that the model cannot have made, and keeps what is particular about them."""

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        require_count("width_size", self.width_size)
        if isinstance(self.noise, str) and self.noise not in ("learned", "optimal"):
            raise ConfigError(f"noise={self.noise!r} is not known; give 'learned', 'optimal', or a number.")
        if not isinstance(self.noise, str):
            require_positive("noise", self.noise)

    def _check_sizes(self, *names: str) -> None:
        """Refuses sizes of corrections that cannot be; None is no correction."""
        for name in names:
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name), least=0)

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
            raise DataError(f"A {self.name} takes no context; give samples only.")
        self._check_signals(samples)
        self.remembered_ = np.asarray(samples.X[self._remembered_rows(samples)], np.float32)

    def _remembered_rows(self, samples: Samples) -> Int[np.ndarray, " rows"]:
        return evenly(self.rows(samples)[0], REMEMBERED)

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        x = np.asarray(samples.X, np.float32)
        return {"reconstruction_error": self._mapped(_error, x), "bound": -self._bounds(x, 0, FEW_DRAWS)}

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Nothing further."""

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"remembered_": self.remembered_}

    @property
    def _latent_size(self) -> int:
        return len(self.latent_names_)

    # ---- verbs

    _decode: ClassVar[Any] = staticmethod(_decode)

    def _encode(self, X: Any, context: Any) -> np.ndarray:
        return self._mapped(_coordinates, self._new(X, context)[0])

    def inverse_transform(self, Z: Any, *, context: Any = None) -> np.ndarray:
        """The samples that latent coordinates Z (N, n) stand for, without noise, in data units."""
        return self._decoded(Z, None)

    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` samples with noise, from the prior; the first observation of sequences, or the centre of its
        prior where it is inferred, is from the training data."""
        check_is_fitted(self)
        require_count("n", n)
        require_seed(seed)
        rows = np.random.default_rng(seed).integers(len(self.remembered_), size=n)
        keys = np.asarray(jr.key_data(jr.split(jr.key(seed), n)))
        return self._in_shape(self._mapped(_sample, keys, self.remembered_[rows]))

    def project(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The model's reconstruction of each sample, without noise."""
        return self._decoded(self._encode(X, context), X)

    def reconstruction_error(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Euclidean norm of each sample less its reconstruction, in data units, shape (N,)."""
        return self._mapped(_error, self._new(X, context)[0])

    def score_samples(self, X: Any, *, seed: int = 0) -> np.ndarray:
        """A lower bound of the log likelihood of each sample, in nats, by importance weighting with 100 draws.

        A model with a state in time is given the first observation: its bounds are of log p of the others given that
        one, and not to be compared with those of a model without a state, which are of the whole sequence.
        """
        return self._bounds(self._new(X, None)[0], seed, DRAWS)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `score_samples`."""
        return float(np.mean(self.score_samples(X)))

    def assess(self, held_out: Samples, training: Samples | None = None) -> SequenceAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_sequences(self, held_out, training)

    def _bounds(self, x: np.ndarray, seed: int, draws: int) -> np.ndarray:
        seeds = np.full(len(x), seed, np.uint32)
        return map_rows(_Bound(draws), self._centred, x, seeds, chunk=rows_at_once(draws * x.shape[1]))

    def _mapped(self, function: Any, *columns: np.ndarray) -> Any:
        """`map_rows` with the model, as many rows at once as its samples' size allows."""
        numbers = math.prod(self._centred.shape)
        return map_rows(function, self._centred, *columns, chunk=rows_at_once(numbers))

    def _latents(self, Z: Any) -> np.ndarray:
        """Latent coordinates in float32, with parameters within their bounds."""
        check_is_fitted(self)
        Z = inputs.latent_array(Z, self._latent_size)
        space = self._centred.physics.parameters
        return np.concatenate([space.within(Z[:, : len(space)]), Z[:, len(space) :]], axis=1)

    def _decoded(self, Z: Any, of: Any) -> np.ndarray:
        """The samples that latent coordinates stand for; `of` which samples, for messages."""
        Z = self._latents(Z)
        return self._made(self._mapped(_decode, Z), Z, of)

    def _made(self, X: np.ndarray, Z: np.ndarray, of: Any) -> np.ndarray:
        """What was made of latent coordinates, in the shape of samples; warns where it is not finite.

        `of`: the samples that the coordinates are of, if they are; their labels go into the warning.
        """
        X = self._in_shape(X)
        bad = np.flatnonzero(~np.isfinite(X.reshape(len(X), -1)).all(axis=1))
        if len(bad):
            named = zip(self._centred.physics.parameters.names, Z[bad[0]], strict=False)
            values = ", ".join(f"{name} = {value:g}" for name, value in named) or "no parameters"
            first = row_name(int(bad[0]), of.labels if isinstance(of, Samples) else (), "sample")
            warnings.warn(
                f"{counted(len(bad), 'sample')} of {len(X)} have no finite solution, the first is {first}, with "
                f"{values}. The solve explodes there, or needs more steps: give the physics a solver=Adaptive() or "
                "FixedStep with a shorter step, or stay away from these parameters.",
                DataWarning,
                stacklevel=4,
            )
        return X

    def _in_shape(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X, np.float64).reshape(len(X), -1, *self.sample_shape_[1:])


def rows_at_once(numbers: int) -> int:
    """How many rows to look at in one call where each of them takes so many numbers."""
    return max(1, min(CHUNK, AT_ONCE // numbers))


# ---- functions of one flat sample


def shaped(module: AbstractPhysicsVAE, x: Array) -> Array:
    """A flat sample in the module's type and shape."""
    return x.astype(module.scale.dtype).reshape(module.shape)


def row_key(x: Array, seed: Array) -> PRNGKeyArray:
    """A random key that depends on the sample and the seed alone, not on the samples beside it."""
    bits = jax.lax.bitcast_convert_type(x.astype(jnp.float32), jnp.uint32)
    return jr.fold_in(jr.key(seed), jnp.sum(bits * jr.bits(jr.key(0), bits.shape)))


def latents_of(module: AbstractPhysicsVAE, z: Array) -> Latents:
    """Latents from a row of `transform`."""
    space = module.physics.parameters
    sizes = np.cumsum([len(space), module.inside_size, module.outside_size])
    values, inside, outside, initial = jnp.split(z, sizes)
    v = space.to_normal(space.from_array(values))
    return Latents(v, inside, outside, initial.reshape(module.initial_shape))


def _coordinates(module: AbstractPhysicsVAE, x: Array) -> Array:
    latents, space = module.encode(shaped(module, x)), module.physics.parameters
    values = space.as_array(space.from_normal(latents.physics))
    return jnp.concatenate([values, latents.inside, latents.outside, latents.initial.ravel()])


def _error(module: AbstractPhysicsVAE, x: Array) -> Array:
    x = shaped(module, x)
    return jnp.sqrt(jnp.sum((x - module.decode(module.encode(x))) ** 2))


class _Bound(NamedTuple):
    draws: int

    def __call__(self, module: AbstractPhysicsVAE, x: Array, seed: Array) -> Array:
        return physics_objective.bound(module, shaped(module, x), row_key(x, seed), self.draws)


def _sample(module: AbstractPhysicsVAE, key: Array, x: Array) -> Array:
    x, key, nothing = shaped(module, x), jr.wrap_key_data(key), jnp.zeros(0, module.scale.dtype)
    size = 0 if module.encoder.initial is None else math.prod(module.initial_shape)
    drawn = jr.normal(jr.fold_in(key, 1), (size,), x.dtype)
    return module.sample(key, module.latents(x, nothing, nothing, drawn).initial)
