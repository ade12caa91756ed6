"""What variational autoencoders that are trained by the bound of a likelihood have in common, sequences or not."""

import abc
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int
from sklearn.utils.validation import check_is_fitted

from latax import train
from latax.data import Samples
from latax.estimators import inputs
from latax.estimators.base import AbstractSampler
from latax.estimators.params import require_count, require_not_negative, require_positive, require_seed
from latax.estimators.reconstruction import ReconstructionAssessment, assess_reconstruction
from latax.estimators.rows import map_rows
from latax.estimators.scaling import Scaling, identity_scaling, measure, refuse_equal_rows
from latax.estimators.signal_estimator import row_key
from latax.estimators.trained import AbstractTrainedEstimator
from latax.evaluate import LikelihoodBounds, likelihood_bounds
from latax.models.sequence_bound import AbstractSequenceVAE

#: Draws of the latent point of each sample for bounds of its density, and samples that are looked at in one call.
DRAWS, AT_ONCE = 16, 64


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractBoundVAE(AbstractSampler, AbstractTrainedEstimator):
    """A VAE of samples of one or more frames, all numbers of which share a unit, as pixels do."""

    latent_size: int = 8
    """Latent coordinates of a frame."""
    beta: float = 1.0
    """Weight of the divergence from the prior; other values than 1 do not train the likelihood's bound."""
    noise: float = 0.3
    """Standard deviation of the noise of the data at the start, as a share of the data's; it is trained."""
    width_size: int = 64
    """Hidden units of the networks that are not convolutional: frames that are images are seen by convolutions."""

    @property
    @abc.abstractmethod
    def _prior_size(self) -> int:
        """Of a draw of the prior."""

    @abc.abstractmethod
    def _numbers(self, context: np.ndarray | None) -> Int[np.ndarray, " N"] | None:
        """The transformations that a context, or a column of latent coordinates, says. None without one."""

    # ---- what `fit` needs

    def _check_model_params(self) -> None:
        for name in ("latent_size", "width_size"):
            require_count(name, getattr(self, name))
        require_positive("noise", self.noise)
        require_not_negative("beta", self.beta)

    def _scaling(self, samples: Samples) -> Scaling:
        # Not column by column: a frame has to look the same whatever its time, and a shape wherever it is.
        return identity_scaling(samples.X.shape[1])

    def _check_columns(self, samples: Samples) -> None:
        found = measure(samples.X)
        refuse_equal_rows(found)
        loc = float(np.mean(found.loc))
        spread = np.mean(np.where(found.constant, 0.0, found.scale) ** 2 + (found.loc - loc) ** 2)
        self.units_ = [loc, float(np.sqrt(spread))]

    @property
    def _network_options(self) -> dict[str, Any]:
        loc, spread = self.units_
        return {"noise": self.noise * spread, "loc": loc, "scale": spread, "width_size": self.width_size}

    def _batch(self, samples: Samples) -> dict[str, np.ndarray]:
        """Samples and, where they are known, the numbers of their transformations."""
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
        return {"units_": self.units_}

    # ---- verbs

    def _given(self, X: Any, context: Any) -> tuple[np.ndarray, np.ndarray | None]:
        check_is_fitted(self)
        samples = inputs.new_samples(self, X, context)
        return np.asarray(samples.X, np.float32), self._numbers(samples.context)

    _decode: ClassVar[Any] = None

    def _encode(self, X: Any, context: Any) -> np.ndarray:
        return map_rows(encode_row, self._centred, *self._given(X, context), chunk=AT_ONCE)

    def inverse_transform(self, Z: Any, *, context: Any = None) -> np.ndarray:
        """The samples (N, ...) that rows of `transform` stand for; `context` says nothing that these do not."""
        check_is_fitted(self)
        Z = inputs.latent_array(Z, self._latent_size)
        self._check_latents(Z)
        return self._as_samples(map_rows(_rebuild, self._centred, Z, chunk=AT_ONCE))

    def _check_latents(self, Z: Float[np.ndarray, "N m"]) -> None:
        """Refuses latent coordinates that stand for nothing."""

    def project(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The samples as the model sees them: decoded from what it encodes."""
        return self.inverse_transform(self._encode(X, context))

    def reconstruction_error(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Euclidean norm of each sample less its reconstruction, in data units, shape (N,)."""
        return map_rows(_error, self._centred, *self._given(X, context), chunk=AT_ONCE)

    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` samples with noise, from the prior.

        Of a model of transformations, a context of n rows or 1 says which; without one, where these were not known in
        fit, they are drawn.
        """
        keys, theta = inputs.drawing(self, n, context, seed)
        numbers = self._drawn_numbers(self._numbers(theta), n, seed)
        return self._as_samples(map_rows(_Draw(self._prior_size), self._centred, keys, numbers, chunk=AT_ONCE))

    def _drawn_numbers(self, numbers: Int[np.ndarray, " N"] | None, n: int, seed: int) -> Int[np.ndarray, " N"]:
        """Those given, or as many of any transformation."""
        return np.zeros(n, np.int32) if numbers is None else numbers

    def bounds(self, X: Any, *, context: Any = None, draws: int = DRAWS, seed: int = 0) -> LikelihoodBounds:
        """Lower bounds of the log density of each sample in nats, ELBO and IWAE, from this many draws of its latent
        point. The densities are given the transformation where the model was fitted with it.

        Of frames that are independent of one another, each has its own bound, and these are added up: their product is
        not looked for in the same draw.
        """
        require_count("draws", draws)
        require_seed(seed)
        x, numbers = self._given(X, context)
        seeds = np.full(len(x), seed, np.uint32)
        parts = map_rows(_Parts(draws), self._centred, x, numbers, seeds, chunk=max(1, 4 * AT_ONCE // draws))
        noise = float(np.exp(self._centred.log_noise))
        each = [np.swapaxes(np.asarray(part, np.float64), 1, 2) for part in parts]  # (N, frames, draws)
        count = each[0].shape[1]
        flat = [part.reshape(-1, draws) for part in each]
        found = likelihood_bounds(*flat, size=x.shape[1] // count, noise=noise)
        total = lambda values: values.reshape(len(x), count).sum(axis=1)
        bits = found.bits_per_number.reshape(len(x), count).mean(axis=1)
        return LikelihoodBounds(total(found.elbo), total(found.iwae), total(found.kl), bits)

    def score_samples(self, X: Any, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """The importance-weighted lower bound of each sample's log density, in nats, from 16 draws."""
        return self.bounds(X, context=context, seed=seed).iwae

    def score(self, X: Any, y: Any = None, *, context: Any = None) -> float:
        """The mean of `score_samples`."""
        return float(np.mean(self.score_samples(X, context=context)))

    def assess(self, held_out: Samples, training: Samples | None = None) -> ReconstructionAssessment:
        """All numbers that a diagnosis and a report are made of."""
        return assess_reconstruction(self, held_out, training, latent_size=self._latent_size)

    def _as_samples(self, flat: np.ndarray) -> np.ndarray:
        return np.asarray(flat, np.float64).reshape(len(flat), *self.sample_shape_)


# ---- functions of one flat sample


def _frames(module: AbstractSequenceVAE, x: Float[Array, " d"]) -> Float[Array, "T size"]:
    return x.reshape(len(module.times), -1)


def encode_row(module: Any, x: Float[Array, " d"], k: Int[Array, ""] | None) -> Float[Array, " m"]:
    """The latent coordinates of one flat sample."""
    return module.encode(_frames(module, x), k)


def _rebuild(module: Any, row: Float[Array, " m"]) -> Float[Array, " d"]:
    return module.rebuild(row).ravel()


def _error(module: Any, x: Float[Array, " d"], k: Int[Array, ""] | None) -> Float[Array, ""]:
    return jnp.linalg.norm(x - _rebuild(module, encode_row(module, x, k)))


class _Draw(NamedTuple):
    """One sample from the prior of so many coordinates, with noise."""

    size: int

    def __call__(self, module: Any, key: Array, k: Int[Array, ""]) -> Float[Array, " d"]:
        for_z, for_noise = jr.split(jr.wrap_key_data(key))
        mean = module.from_prior(jr.normal(for_z, (self.size,)), k).ravel()
        return mean + jnp.exp(module.log_noise) * jr.normal(for_noise, mean.shape)


class _Parts(NamedTuple):
    """log p(x | z), log p(z) and log q(z | x) at draws of q, of each independent frame."""

    draws: int

    def __call__(
        self, module: AbstractSequenceVAE, x: Float[Array, " d"], k: Int[Array, ""] | None, seed: Array
    ) -> tuple[Float[Array, "S F"], Float[Array, "S F"], Float[Array, "S F"]]:
        frames = _frames(module, x)
        return jax.vmap(lambda key: module.drawn_parts(frames, k, key, exact=True))(
            jr.split(row_key(x, seed), self.draws)
        )
