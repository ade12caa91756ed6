"""The latent space of whatever decoder a user brings: a fitted model, the folder of one, or a space of his own."""

import os
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from latax._by_name import by_name, is_own
from latax._errors import ConfigError, DataError
from latax.estimators.base import AbstractEstimator, AbstractSampler
from latax.estimators.flow_sequence_vae import FlowSequenceVAE
from latax.estimators.forecaster import AbstractForecaster
from latax.estimators.rows import map_rows
from latax.estimators.signal_estimator import AbstractSignalEstimator, latents_of
from latax.estimators.vae import VAE
from latax.models.latent_space import LatentSpace, Rows, StandardNormal
from latax.models.physics_model import AbstractPhysicsVAE, Latents

#: Draws of a fitted model that stand for its prior.
DRAWS = 2048

Decoder = str | os.PathLike[str] | AbstractEstimator | LatentSpace


def find_decoder(decoder: Decoder) -> AbstractEstimator | LatentSpace:
    """The fitted model or the latent space that this is, or names.

    A name is the folder of a run or of a saved model, or 'file.py:name' (module:name) of a `LatentSpace`.
    """
    if isinstance(decoder, LatentSpace):
        return decoder
    if isinstance(decoder, AbstractEstimator):
        if not decoder.__sklearn_is_fitted__():
            raise ConfigError(f"The decoder is a {type(decoder).__name__} that is not fitted yet. Fit it first.")
        return _without_flows(decoder)
    name = os.fspath(decoder)
    if is_own(name) and not os.path.isdir(name):
        return by_name(name, LatentSpace, "latent space", "a latax.models.latent_space.LatentSpace", "decoder")
    from latax.estimators.catalogue import load

    found = load(name)
    if not isinstance(found, AbstractEstimator):
        raise ConfigError(
            f"{name} is a {found.name}, which decodes nothing itself. Give the model that it was made of."
        )
    return _without_flows(found)


def _without_flows(model: AbstractEstimator) -> AbstractEstimator:
    if isinstance(model, FlowSequenceVAE) and model.flow == "none":
        raise ConfigError(
            "A FlowSequenceVAE decodes whole sequences. Fit a VAE to their frames, and potentials on that."
        )
    if isinstance(model, FlowSequenceVAE):
        raise ConfigError(
            "A FlowSequenceVAE has flows of its own, and a row of its latent coordinates is a whole sequence. Follow "
            "them by its `traverse`, or by `latax traverse`."
        )
    return model


def points_of(model: AbstractEstimator, X: Any = None) -> Float[np.ndarray, "N n"]:
    """Latent points that stand for the prior of a fitted model: encoded data `X`, or encoded draws of its own.

    Physical parameters are in coordinates in which their prior is a standard normal, so that no flow can leave their
    bounds. Raises `DataError` for a model that cannot draw where no data are given, `ConfigError` for one whose decoder
    depends on a context.
    """
    if model.context_names_:
        raise ConfigError(
            f"The decoder is conditioned on {', '.join(model.context_names_)}; a traversal has no such variables. "
            "Fit a model without context, or give a LatentSpace whose decode has them fixed."
        )
    if X is None:
        if not isinstance(model, AbstractSampler):
            raise DataError(
                f"A model of the kind '{model.name}' cannot draw samples, so it does not say where its latent points "
                "are. Give it data to encode: fit(X), with those that it was fitted on."
            )
        X = model.sample(DRAWS, seed=0)
    Z = np.asarray(model.transform(X), np.float32)
    return map_rows(to_normal, model._centred, Z) if isinstance(model, AbstractSignalEstimator) else Z


def space_of(model: AbstractEstimator, X: Any = None) -> LatentSpace:
    """The latent space of a fitted model: with its own prior where that is a standard normal and no data are given, and
    else with that of `points_of`."""
    if isinstance(model, VAE) and X is None:
        return prior_space(model)
    return space_with(model, points_of(model, X))


def prior_space(model: VAE) -> LatentSpace:
    """The latent space of a model whose prior is a standard normal."""
    size = model.latent_size
    return LatentSpace(size, StandardNormal(size), _decoder_of(model))


def space_with(model: AbstractEstimator, points: Float[np.ndarray, "N n"]) -> LatentSpace:
    """The latent space of a fitted model whose prior is that of these points."""
    return LatentSpace(points.shape[1], Rows(jnp.asarray(points)), _decoder_of(model))


def _decoder_of(model: AbstractEstimator) -> Any:
    """From a latent point to data in the shape of a sample."""
    if isinstance(model, VAE):
        return _DecodeFrame(model.module_, model.sample_shape_)
    if isinstance(model, AbstractSignalEstimator):
        return DecodeSignal(model._centred, model.sample_shape_)
    if isinstance(model, AbstractForecaster):
        shares = tuple(model._shares(np.asarray(model.times_)).tolist())
        return _DecodeTrajectory(model._centred, shares, jnp.asarray(model._mean, jnp.float32), model.sample_shape_)
    return _Decode(model.module_, model.sample_shape_)


class _Decode(eqx.Module):
    """Latent coordinates to data in the shape of a sample."""

    module: Any
    shape: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, z: Float[Array, " n"]) -> Float[Array, "*data"]:
        return self.module.decode(z, None).reshape(self.shape)


class _DecodeFrame(eqx.Module):
    """The same for a model of frames, of which a sample has one."""

    module: Any
    shape: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, z: Float[Array, " n"]) -> Float[Array, "*data"]:
        return self.module.decode(z).reshape(self.shape)


class _DecodeTrajectory(eqx.Module):
    """The same for a forecaster: the trajectory at the times of the data."""

    module: Any
    shares: tuple[float, ...] = eqx.field(static=True)
    mean: Float[Array, "*state"]
    shape: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, z: Float[Array, " n"]) -> Float[Array, "*data"]:
        states = jax.vmap(lambda t: self.module.decode(z, t))(jnp.asarray(self.shares, z.dtype))
        return states.reshape(self.shape) + self.mean


class DecodeSignal(eqx.Module):
    """The same for a model with physical parameters, from coordinates in which their prior is a standard normal."""

    module: AbstractPhysicsVAE
    shape: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, z: Float[Array, " n"]) -> Float[Array, "*data"]:
        """The data."""
        v, inside, outside, initial = _parts(self.module, z)
        latents = Latents(v, inside, outside, initial.reshape(self.module.initial_shape))
        return self.module.decode(latents).reshape(self.shape)


def to_normal(module: AbstractPhysicsVAE, z: Float[Array, " m"]) -> Float[Array, " n"]:
    """A row of `transform`, with parameters in coordinates of a standard normal."""
    return jnp.concatenate([part.ravel() for part in latents_of(module, z)])


def _parts(module: AbstractPhysicsVAE, z: Float[Array, " n"]) -> list[Array]:
    return jnp.split(z, np.cumsum([module.physics.parameters.size, module.inside_size, module.outside_size]))


def draws_of(space: LatentSpace, count: int, seed: int) -> Float[np.ndarray, "N n"]:
    """Draws of the space, the same for the same seed."""
    return np.asarray(map_rows(_draw, space, np.asarray(jr.key_data(jr.split(jr.key(seed), count)))))


def _draw(space: LatentSpace, key: Array) -> Float[Array, " n"]:
    return space.draw(jr.wrap_key_data(key))
