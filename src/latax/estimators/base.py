"""What every estimator is and can do: scikit-learn's protocol around a pure module.

NumPy in and out. The constructor's arguments are the whole configuration and nothing happens before `fit`. Inside, the
data are centred and go to a module whose units are the data's, so densities, distances and volumes need no conversion.
"""

import abc
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, PyTree
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from latax._errors import ConfigError, DataWarning
from latax.data import Samples
from latax.estimators import inputs, store, verbs
from latax.estimators.assessment import Assessment
from latax.estimators.params import require_count
from latax.estimators.replicated import Replicated
from latax.estimators.rows import map_rows
from latax.estimators.run_folder import RunFolder, fingerprint
from latax.estimators.scaling import CentredRows, Scaling, identity_scaling, measure
from latax.estimators.training import fit_into
from latax.evaluate import Diagnosis

#: The class of the estimator itself. (`typing.Self` cannot be checked at run time on single methods.)
Fitted = TypeVar("Fitted", bound="AbstractEstimator")
#: The least number of segments of a geodesic, which are off by the square of their length.
_SEGMENTS = 16


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractEstimator(TransformerMixin, Replicated, abc.ABC):
    """A model that is fitted to data and then encodes, decodes, samples and scores.

    A fitted estimator has, besides its replicates and scikit-learn's `n_features_in_`:

    - `scaling_`, `context_scaling_`: location and scale of the data's and the context's columns;
    - `metrics_`: {name: (replicates,)} on the validation rows;
    - `history_`: the reports of the training, where they are at hand.
    """

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The model's name on the command line and in files."""

    @abc.abstractmethod
    def _module(self, scale: Float[Array, " d"], context_size: int | None, key: Key[Array, ""]) -> Any:
        """A new module for centred data with these scales."""

    @abc.abstractmethod
    def _train(self, samples: Samples, run: RunFolder | None, resume: bool) -> None:
        """Sets `models_`, `metrics_`, `best_` and what else the estimator needs; `scaling_` is set before."""

    @abc.abstractmethod
    def _evaluate(self, samples: Samples) -> dict[str, Float[np.ndarray, " rows"]]:
        """Numbers for every sample, by name; the mean of the first one chooses the best replicate (lower is better)."""

    @abc.abstractmethod
    def _check_params(self) -> None:
        """Refuses parameters that cannot work, before anything is read or compiled."""

    @abc.abstractmethod
    def _check_data(self, samples: Samples) -> None:
        """Refuses, or warns of, data that the model cannot use; `scaling_` is known. Nothing is on disk yet."""

    @abc.abstractmethod
    def rows(self, samples: Samples | int) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " validation"]]:
        """The (training, validation) rows of samples, or of so many without groups; the same in every call."""

    def _scaling(self, samples: Samples) -> Scaling:
        """The scaling that the model is fitted in."""
        return measure(samples.X)

    # ---- fit

    def fit(
        self: Fitted,
        X: Any,
        y: Any = None,
        *,
        context: Any = None,
        out: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> Fitted:
        """Fits the model and returns the estimator.

        **Arguments:**

        - `X`: (N, d) numbers, (N, ...) images, a data frame, or `latax.data.Samples`.
        - `y`: ignored.
        - `context`: (N, c) conditioning variables of the samples, if the density is to depend on some.
        - `out`: a new folder for the run: metrics, checkpoints, the model.
        - `resume`: go on with the run in `out`.
        """
        self._check_params()
        return self.fit_samples(inputs.training_samples(self, X, context), out=out, resume=resume)

    def fit_samples(
        self: Fitted,
        samples: Samples,
        *,
        out: str | os.PathLike[str] | None = None,
        resume: bool = False,
        source: dict[str, Any] | None = None,
    ) -> Fitted:
        """`fit` for `Samples`; `source` tells how they were read and is kept in the run's `config.json`."""
        self._check_params()
        inputs.check_training(samples)
        self.n_features_in_ = samples.X.shape[1]
        self.sample_shape_ = samples.sample_shape
        self.feature_names_, self.context_names_ = samples.feature_names, samples.context_names
        self.scaling_ = self._scaling(samples)
        self.context_scaling_ = _context_scaling(samples)
        self._check_data(samples)
        learn = lambda run: self._train(samples, run, resume)
        fit_into(out, resume, self, learn, lambda: fingerprint(samples), source)
        return self

    # ---- the fitted module

    @property
    def module_(self) -> Any:
        """The fitted module for data as they come (not centred): pure functions of one sample."""
        check_is_fitted(self)
        if not self.scaling_.loc.any():
            return self._centred
        return self._centred.shifted(jnp.asarray(self.scaling_.loc, self._dtype))

    @property
    def _centred(self) -> Any:
        """The module for centred data."""
        return self._model

    @property
    def _dtype(self) -> Any:
        return jax.tree.leaves(eqx.filter(self.models_, eqx.is_inexact_array))[0].dtype

    def _new(self, X: Any, context: Any) -> tuple[Any, np.ndarray | None]:
        """(centred data, standardised context) of data for the fitted model; lazy data stay in their file."""
        check_is_fitted(self)
        samples = inputs.new_samples(self, X, context)
        x = CentredRows(samples.X, self.scaling_) if samples.is_lazy else self.scaling_.centre(np.asarray(samples.X))
        return x, self._context(samples.context)

    def _context(self, context: np.ndarray | None) -> np.ndarray | None:
        return None if context is None else self.context_scaling_.standardise(context)

    def _shaped(self, centred: np.ndarray) -> np.ndarray:
        """Centred data in data units and in the shape of the user's samples."""
        return self.scaling_.restore(centred).reshape(-1, *self.sample_shape_)

    # ---- verbs

    #: What one row of `transform` stands for, as a verb of the centred module; None where that is not one sample.
    _decode: ClassVar[Any] = staticmethod(verbs.decode)

    def transform(self, X: Any, *, context: Any = None) -> Any:
        """Latent coordinates, shape (N, n): an array, or the data frame that `set_output` asked for."""
        return self._encode(X, context)

    def _encode(self, X: Any, context: Any) -> np.ndarray:
        x, theta = self._new(X, context)
        return map_rows(verbs.encode, self._centred, x, theta)

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """What the columns of `transform` are."""
        return tuple(f"u{i}" for i in range(self._latent_size))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """`latent_names_`, for scikit-learn; `input_features` change nothing, but must be those of the fit."""
        check_is_fitted(self)
        inputs.check_names(self, input_features)
        return np.array(self.latent_names_, dtype=object)

    def inverse_transform(self, Z: Any, *, context: Any = None) -> np.ndarray:
        """The data that latent coordinates Z of shape (N, n) stand for, in data units."""
        check_is_fitted(self)
        Z = inputs.latent_array(Z, self._latent_size)
        theta = inputs.context_array(context)
        inputs.check_context(self, theta, len(Z))
        return self._shaped(map_rows(verbs.decode, self._centred, Z, self._context(theta)))

    def project(self, X: Any, *, context: Any = None) -> np.ndarray:
        """The point nearest to each sample, in the model's sense, that the model can express: decode(encode(x))."""
        x, theta = self._new(X, context)
        return self._shaped(map_rows(verbs.project, self._centred, x, theta))

    def reconstruction_error(self, X: Any, *, context: Any = None) -> np.ndarray:
        """Euclidean distance of each sample to its projection, in data units, shape (N,)."""
        x, theta = self._new(X, context)
        return map_rows(verbs.residual, self._centred, x, theta)

    def interpolate(self, x0: Any, x1: Any, *, steps: int = 11, along: str = "line", context: Any = None) -> np.ndarray:
        """`steps` points from the projection of x0 to that of x1, shape (steps, ...) in data units.

        **Arguments:**

        - `x0`, `x1`: single samples.
        - `along`: "line", straight in latent space; or "geodesic", the shortest path near that line among what the
          model decodes to, at constant speed in the data. It warns where that was not found to a twentieth of a radian.
        - `context`: one row, for all points.
        """
        check_is_fitted(self)
        require_count("steps", steps, least=2)
        if along not in ("line", "geodesic"):
            raise ConfigError(f"along={along!r} is not known; give 'line' or 'geodesic'.")
        ends = np.stack([np.asarray(x0, np.float64).ravel(), np.asarray(x1, np.float64).ravel()])
        theta = inputs.context_array(context)
        # With the names of the fit, since plain numbers would be warned of.
        names = self.feature_names_ if ends.shape[1] == self.n_features_in_ else ()
        Z = self._encode(Samples(ends, None if theta is None else np.repeat(theta, 2, axis=0), names), None)
        path = _line(Z, steps) if along == "line" else self._geodesic(Z, steps, theta)
        return self.inverse_transform(path, context=None if theta is None else np.repeat(theta, steps, axis=0))

    def _geodesic(self, Z: np.ndarray, steps: int, theta: np.ndarray | None) -> np.ndarray:
        if self._decode is None:
            raise ConfigError(
                f"A {self.name} decodes a row to what changes in time, whose shortest paths are not implemented. Give "
                "along='line'."
            )
        each = -(-_SEGMENTS // (steps - 1))
        polygon = _line(Z, each * (steps - 1) + 1)[None].astype(np.float32)
        verb = verbs.shortest(type(self)._decode)
        path, residual, converged = map_rows(verb, self._centred, polygon, self._context(theta), chunk=1)
        if not converged[0]:
            warnings.warn(
                f"the path is not the shortest yet: it turns by {residual[0]:.2g} rad within what the model decodes "
                "to. Nearer ends, or a smoother model, make it easier.",
                DataWarning,
                stacklevel=3,
            )
        return path[0, ::each]

    def diagnose(self, X: Any, *, context: Any = None, training: Any = None) -> Diagnosis:
        """Is this fit any good? Numbers on data that were not trained on, thresholds, and advice.

        **Arguments:** `X`: (N, d) held-out data; `context`: theirs; `training`: `Samples` that were trained on, to
        compare with.
        """
        check_is_fitted(self)
        return self.assess(inputs.new_samples(self, X, context), training).diagnosis

    @abc.abstractmethod
    def assess(self, held_out: Samples, training: Samples | None = None) -> Assessment:
        """All numbers that a diagnosis and a report are made of."""

    # ---- files

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the fitted model to a folder: safetensors, JSON and a model card. `latax.load` reads it.

        An older model in that folder is replaced; a folder with anything else is refused.
        """
        check_is_fitted(self)
        arrays = eqx.filter(self.models_, eqx.is_array)
        extra = {f"metrics.{name}": np.asarray(value) for name, value in self.metrics_.items()}
        for label, scaling in (("scaling", self.scaling_), ("context_scaling", self.context_scaling_)):
            extra |= {f"{label}.{name}": value for name, value in scaling._asdict().items()}
        fitted = self._fitted_numbers()
        arrays_found = {name: value for name, value in fitted.items() if isinstance(value, np.ndarray)}
        extra |= {f"fitted.{name}": value for name, value in arrays_found.items()}
        config = {
            "estimator": self.name,
            "params": self._params(),
            "replicates": self.n_replicates_,
            "best": int(self.best_),
            "sample_shape": list(self.sample_shape_),
            "feature_names": list(self.feature_names_),
            "context_names": list(self.context_names_),
            "metrics": list(self.metrics_),
            "fitted": {name: value for name, value in fitted.items() if name not in arrays_found},
            "fitted_arrays": list(arrays_found),
        }
        from latax.estimators.card import model_card

        store.write_model(Path(path), arrays, extra, config, model_card(self, config))
        return Path(path)

    @abc.abstractmethod
    def _remember(self, held_out: dict[str, Float[np.ndarray, " rows"]]) -> None:
        """Keeps what the verbs need to know about held-out samples, given what `_evaluate` says of them."""

    @abc.abstractmethod
    def _fitted_numbers(self) -> dict[str, Any]:
        """Further numbers, lists of them, or arrays, that `fit` found and the verbs need, {attribute: value}."""

    def _restore(self: Fitted, path: Path, config: dict[str, Any]) -> Fitted:
        """Fills a new estimator from a saved model; `config` is its config.json."""
        self.sample_shape_ = tuple(config["sample_shape"])
        self.feature_names_, self.context_names_ = tuple(config["feature_names"]), tuple(config["context_names"])
        self.n_features_in_ = len(self.feature_names_)
        for name, value in config["fitted"].items():
            setattr(self, name, value)
        shapes, static = self._like(config["replicates"])
        arrays, extra = store.read_arrays(path, shapes)
        self.scaling_ = _scaling_from(extra, "scaling")
        self.context_scaling_ = _scaling_from(extra, "context_scaling")
        self.metrics_ = {name: extra[f"metrics.{name}"] for name in config["metrics"]}
        for name in config["fitted_arrays"]:
            setattr(self, name, extra[f"fitted.{name}"])
        if config["best"] not in range(config["replicates"]):
            raise ValueError(f"there is no replicate {config['best']} among {config['replicates']}")
        self.best_, self.history_ = config["best"], []
        self.models_ = eqx.combine(arrays, static)
        return self

    def _like(self, replicates: int) -> tuple[PyTree, Any]:
        """(shapes of the arrays of `models_`, everything else), without computing anything."""
        scale, context_size = jnp.ones(self.n_features_in_), len(self.context_names_) or None
        keys = jnp.stack([jr.key(0)] * replicates)
        like = eqx.filter_eval_shape(eqx.filter_vmap(lambda key: self._module(scale, context_size, key)), keys)
        return eqx.partition(like, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))

    def __sklearn_tags__(self) -> Any:
        """scikit-learn's description of the estimator: results are in single precision."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _latent_size(self) -> int:
        """How many latent coordinates the fitted module has."""
        return self._centred.latent_size


class AbstractSampler(abc.ABC):
    """An estimator of a distribution, which can draw from it."""

    @abc.abstractmethod
    def sample(self, n: int = 1, *, context: Any = None, seed: int = 0) -> np.ndarray:
        """`n` draws of the data, the same for the same `seed`."""


def _context_scaling(samples: Samples) -> Scaling:
    return identity_scaling(0) if samples.context is None else measure(samples.context)


def _scaling_from(extra: dict[str, np.ndarray], label: str) -> Scaling:
    return Scaling(*(extra[f"{label}.{name}"] for name in Scaling._fields))


def _line(ends: Float[np.ndarray, "2 n"], points: int) -> Float[np.ndarray, "points n"]:
    t = np.linspace(0, 1, points)[:, None]
    return (1 - t) * ends[0] + t * ends[1]
