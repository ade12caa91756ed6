"""Potentials that are trained along with a variational autoencoder of sequences."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key
from sklearn.utils.validation import check_is_fitted

from latax import train
from latax._errors import ConfigError, DataError
from latax.data import Samples
from latax.estimators import inputs
from latax.estimators.base import AbstractSampler
from latax.estimators.params import require_count, require_not_negative, require_positive, require_seed
from latax.estimators.reconstruction import ReconstructionAssessment, assess_reconstruction
from latax.estimators.rows import map_rows
from latax.estimators.scaling import Scaling, identity_scaling, measure, refuse_equal_rows
from latax.estimators.sequence_estimator import check_dt
from latax.estimators.sequences import times_of
from latax.estimators.signal_estimator import row_key
from latax.estimators.trained import AbstractTrainedEstimator
from latax.estimators.traversal_settings import find_pde
from latax.evaluate import LikelihoodBounds, likelihood_bounds
from latax.models.flow_sequence_vae import flow_sequence_vae, frame_vae
from latax.models.recipes import Budget, flow_sequences
from latax.models.sequence_bound import AbstractSequenceVAE
from latax.potential import AbstractPotentialPDE, NoPDE
from latax.train import Recipe

#: Draws of the latent point of each sequence for bounds of its density, and sequences that are looked at in one call.
DRAWS, AT_ONCE = 16, 64


@dataclass(kw_only=True, eq=False, repr=False)
class FlowSequenceVAE(AbstractSampler, AbstractTrainedEstimator):
    """VAE of sequences on potential flows: one frame is encoded, and the flow of a potential leads to all others.

    Each of K transformations is the gradient flow of a potential that obeys an equation; encoder, decoder and
    potentials are trained together, by a lower bound of the likelihood with the exact change of density (after Song,
    Keller, Sebe and Welling 2023, arXiv 2304.12944 and 2309.13167). Where it is known which transformation a sequence
    shows, say so as context: one column of whole numbers from 0 to K - 1. Else all are summed over.

    A row of `transform` has the latent coordinates of the encoded frame and, last, the number of the transformation:
    the one given, or the likeliest.
    """

    default_epochs: ClassVar[int] = 100

    latent_size: int = 8
    """Latent coordinates of a frame."""
    potentials: int = 3
    """How many transformations there are."""
    flow: Literal["potential", "linear", "none"] = "potential"
    """potential: gradients of learned potentials; linear: straight lines along learned directions; none: each frame by
    itself. The last two are what the first has to beat."""
    pde: str | AbstractPotentialPDE = "wave"
    """The potentials' equation: wave, heat, fokker-planck, probability-flow, hamilton-jacobi, none, or file.py:name."""
    at: int = 0
    """The number of the frame that is encoded, the first by default."""
    speed: float = 0.5
    """How far a new flow leads from the first to the last frame, as a share of the typical |z|."""
    equation_weight: float = 0.1
    """Weight of the squared residual of the equation, beside the bound in nats for each number of the data."""
    beta: float = 1.0
    """Weight of the divergence from the prior; other values than 1 do not train the likelihood's bound."""
    noise: float = 0.3
    """Standard deviation of the noise of the data at the start, as a share of the data's; it is trained."""
    width_size: int = 64
    """Hidden units of the potentials, and of encoder and decoder where frames are no images."""
    dt: float | None = None
    """Time from one frame to the next, where the data have no times."""

    @property
    def name(self) -> str:
        """The model's name on the command line and in files."""
        return "flow-sequence-vae"

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        for name in ("latent_size", "potentials", "width_size"):
            require_count(name, getattr(self, name))
        require_count("at", self.at, least=0)
        for name in ("speed", "noise"):
            require_positive(name, getattr(self, name))
        require_not_negative("equation_weight", self.equation_weight)
        require_not_negative("beta", self.beta)
        check_dt(self.dt)
        if self.flow not in ("potential", "linear", "none"):
            raise ConfigError(f"flow={self.flow!r} is not known; give 'potential', 'linear' or 'none'.")
        if self.flow == "linear" and self.potentials > self.latent_size:
            raise ConfigError(
                f"potentials={self.potentials} with latent_size={self.latent_size}: there are no more different "
                "directions than latent coordinates. Give a larger latent_size."
            )
        find_pde(self.pde)

    def _scaling(self, samples: Samples) -> Scaling:
        # Not column by column: a frame has to look the same whatever its time.
        return identity_scaling(samples.X.shape[1])

    def _check_columns(self, samples: Samples) -> None:
        self.times_ = times_of(samples, self.dt).tolist()
        if self.at >= len(self.times_):
            raise ConfigError(
                f"at={self.at}: there is no such frame; the sequences have {len(self.times_)}, numbered from 0 on."
            )
        if self.context_names_:
            self._numbers(samples.context)
        found = measure(samples.X)
        refuse_equal_rows(found)
        loc = float(np.mean(found.loc))
        spread = np.mean(np.where(found.constant, 0.0, found.scale) ** 2 + (found.loc - loc) ** 2)
        self.units_ = [loc, float(np.sqrt(spread))]

    def _numbers(self, context: np.ndarray | None) -> Int[np.ndarray, " N"] | None:
        """The transformations that a context, or a column of latent coordinates, says. None without one."""
        if context is None:
            return None
        found = np.round(context[:, 0]).astype(np.int32)
        if context.shape[1] != 1 or (found != context[:, 0]).any() or found.min() < 0 or found.max() >= self.potentials:
            raise DataError(
                f"The transformations are given by {context.shape[1]} columns with values from {context.min():g} to "
                f"{context.max():g}; expected one column of whole numbers from 0 to {self.potentials - 1}: the "
                f"context, which of the potentials={self.potentials} transformations each sequence shows, or the last "
                "latent coordinate. Without context, all are summed over."
            )
        return found

    @property
    def _known(self) -> bool:
        return bool(self.context_names_)

    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> AbstractSequenceVAE:
        times = np.asarray(self.times_)
        shares = tuple(((times - times[0]) / (times[-1] - times[0])).tolist())
        shape, (loc, spread) = self.sample_shape_[1:] or (1,), self.units_
        options: dict[str, Any] = {
            "noise": self.noise * spread,
            "loc": loc,
            "scale": spread,
            "width_size": self.width_size,
            "key": key,
        }
        if self.flow == "none":
            return frame_vae(shape, self.latent_size, shares, **options)
        linear = self.flow == "linear"
        pde = NoPDE() if linear else find_pde(self.pde)
        return flow_sequence_vae(
            shape,
            self.latent_size,
            self.potentials,
            shares,
            pde=pde,
            at=self.at,
            speed=self.speed,
            linear=linear,
            **options,
        )

    def _recipe(self, budget: Budget) -> Recipe:
        return flow_sequences(budget, known=self._known, equation_weight=self.equation_weight, beta=self.beta)

    def _batch(self, samples: Samples) -> dict[str, np.ndarray]:
        """Sequences and, where they are known, the numbers of their transformations."""
        batch = {"x": np.asarray(samples.X, np.float32)}
        numbers = self._numbers(samples.context)
        return batch if numbers is None else batch | {"k": numbers}

    def _source(self, samples: Samples, rows: Int[np.ndarray, " train"]) -> train.AbstractSource:
        return train.ArraySource({k: jnp.asarray(v) for k, v in self._batch(samples.take(rows)).items()})

    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        return {"bound": -self.score_samples(samples), "reconstruction_error": self.reconstruction_error(samples)}

    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Nothing further."""

    def _fitted_numbers(self) -> dict[str, Any]:
        return {"times_": self.times_, "units_": self.units_}

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""
        if self.flow == "none":
            return tuple(f"z{i}[t={t:g}]" for t in self.times_ for i in range(self.latent_size))
        return (*(f"z{i}" for i in range(self.latent_size)), "transformation")

    # ---- verbs

    def _given(self, X: Any, context: Any) -> tuple[np.ndarray, np.ndarray | None]:
        check_is_fitted(self)
        samples = inputs.new_samples(self, X, context)
        return np.asarray(samples.X, np.float32), self._numbers(samples.context)

    _decode: ClassVar[Any] = None

    def _encode(self, X: Any, context: Any) -> np.ndarray:
        return map_rows(_encode, self._centred, *self._given(X, context), chunk=AT_ONCE)

    def inverse_transform(self, Z: Any, *, context: Any = None) -> np.ndarray:
        """The sequences (N, T, ...) that rows of `transform` stand for; `context` says nothing that these do not."""
        check_is_fitted(self)
        Z = inputs.latent_array(Z, self._latent_size)
        if self.flow != "none":
            self._numbers(Z[:, -1:].astype(np.float64))
        return self._as_sequences(map_rows(_rebuild, self._centred, Z, chunk=AT_ONCE))

    def project(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The sequences as the model sees them: from the one frame that it encodes along the flow."""
        return self.inverse_transform(self._encode(X, context))

    def reconstruction_error(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Euclidean norm of each sequence less its reconstruction, in data units, shape (N,)."""
        return map_rows(_error, self._centred, *self._given(X, context), chunk=AT_ONCE)

    def predict(self, frames: Any, k: int) -> np.ndarray:
        """The whole sequences (N, T, ...) that the transformation k makes of frames (N, ...), each that number `at`.

        Raises `ConfigError` for a k that is not there and where there is no flow, `DataError` for other shapes.
        """
        check_is_fitted(self)
        if self.flow == "none":
            raise ConfigError("With flow='none' every frame is by itself, and none follows from another.")
        if not isinstance(k, int | np.integer) or not 0 <= k < self.potentials:
            raise ConfigError(f"k={k}: there is no such transformation; there are {self.potentials}, from 0 on.")
        x = np.asarray(frames, np.float32)
        shape = self.sample_shape_[1:] or (1,)
        if x.shape[1:] != shape or not len(x) or not np.isfinite(x).all():
            raise DataError(
                f"The frames have shape {x.shape}; expected finite numbers of shape (N, {', '.join(map(str, shape))})."
            )
        x = np.repeat(x.reshape(len(x), 1, -1), len(self.times_), axis=1).reshape(len(x), -1)
        return self.inverse_transform(map_rows(_encode, self._centred, x, np.full(len(x), k, np.int32), chunk=AT_ONCE))

    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` sequences with noise, from the prior. A context of n rows or 1 says their transformations; without one,
        where these were not known in fit, they are drawn."""
        check_is_fitted(self)
        require_count("n", n)
        require_seed(seed)
        theta = inputs.context_array(context)
        if theta is not None and len(theta) == 1:
            theta = np.repeat(theta, n, axis=0)
        inputs.check_context(self, theta, n)
        numbers = self._numbers(theta)
        if numbers is None:
            numbers = np.random.default_rng(seed).integers(self.potentials, size=n).astype(np.int32)
        keys = np.asarray(jr.key_data(jr.split(jr.key(seed), n)))
        return self._as_sequences(map_rows(_Draw(self._prior_size), self._centred, keys, numbers, chunk=AT_ONCE))

    @property
    def _prior_size(self) -> int:
        return self.latent_size * (len(self.times_) if self.flow == "none" else 1)

    def bounds(self, X: Any, *, context: Any = None, draws: int = DRAWS, seed: int = 0) -> LikelihoodBounds:
        """Lower bounds of the log density of each sequence in nats, ELBO and IWAE, from this many draws of its latent
        point. The densities are given the transformation where the model was fitted with it."""
        require_count("draws", draws)
        require_seed(seed)
        x, numbers = self._given(X, context)
        seeds = np.full(len(x), seed, np.uint32)
        parts = map_rows(_Parts(draws), self._centred, x, numbers, seeds, chunk=max(1, 4 * AT_ONCE // draws))
        noise = float(np.exp(self._centred.log_noise))
        return likelihood_bounds(*(np.asarray(part, np.float64) for part in parts), size=x.shape[1], noise=noise)

    def score_samples(self, X: Any, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """The importance-weighted lower bound of each sequence's log density, in nats, from 16 draws."""
        return self.bounds(X, context=context, seed=seed).iwae

    def score(self, X: Any, y: Any = None, *, context: Any = None) -> float:
        """The mean of `score_samples`."""
        return float(np.mean(self.score_samples(X, context=context)))

    def assess(self, held_out: Samples, training: Samples | None = None) -> ReconstructionAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_reconstruction(self, held_out, training, latent_size=self._latent_size)

    def _as_sequences(self, flat: np.ndarray) -> np.ndarray:
        return np.asarray(flat, np.float64).reshape(len(flat), *self.sample_shape_)


# ---- functions of one flat sequence


def _frames(module: AbstractSequenceVAE, x: Float[Array, " d"]) -> Float[Array, "T size"]:
    return x.reshape(len(module.times), -1)


def _encode(module: Any, x: Float[Array, " d"], k: Int[Array, ""] | None) -> Float[Array, " m"]:
    return module.encode(_frames(module, x), k)


def _rebuild(module: Any, row: Float[Array, " m"]) -> Float[Array, " d"]:
    return module.rebuild(row).ravel()


def _error(module: Any, x: Float[Array, " d"], k: Int[Array, ""] | None) -> Float[Array, ""]:
    return jnp.linalg.norm(x - _rebuild(module, _encode(module, x, k)))


class _Draw(NamedTuple):
    """One sequence from the prior of so many coordinates, with noise."""

    size: int

    def __call__(self, module: Any, key: Array, k: Int[Array, ""]) -> Float[Array, " d"]:
        for_z, for_noise = jr.split(jr.wrap_key_data(key))
        mean = module.from_prior(jr.normal(for_z, (self.size,)), k).ravel()
        return mean + jnp.exp(module.log_noise) * jr.normal(for_noise, mean.shape)


class _Parts(NamedTuple):
    """log p(x | z), log p(z) and log q(z | x) at draws of q."""

    draws: int

    def __call__(
        self, module: AbstractSequenceVAE, x: Float[Array, " d"], k: Int[Array, ""] | None, seed: Array
    ) -> tuple[Float[Array, " S"], Float[Array, " S"], Float[Array, " S"]]:
        frames = _frames(module, x)
        q = module.posterior(frames)

        def one(key: Array) -> tuple[Array, Array, Array]:
            drawn, probes = jr.split(key)
            z = q.sample(drawn)
            return (*module.log_parts(frames, z, k, key=probes), q.log_prob(z))

        return jax.vmap(one)(jr.split(row_key(x, seed), self.draws))
