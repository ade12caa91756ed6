"""Estimators that are trained by gradient descent: from samples to a source, a recipe, and the training loop."""

import abc
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from latax import train
from latax._errors import ConfigError, DataWarning, DivergenceError
from latax._wording import listed
from latax.data import Samples
from latax.data.samples import where
from latax.estimators.base import AbstractEstimator
from latax.estimators.params import (
    require_count,
    require_flag,
    require_fraction,
    require_not_negative,
    require_positive,
    require_seed,
)
from latax.estimators.run_folder import RunFolder
from latax.estimators.scaling import CentredRows, refuse_equal_rows
from latax.estimators.splitting import split_rows
from latax.estimators.training import train_replicates
from latax.models.recipes import Budget

DEFAULT_BATCH = 100
#: How many rows a message names.
_NAMED = 3


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractTrainedEstimator(AbstractEstimator):
    """An estimator whose module is trained on batches."""

    default_epochs: ClassVar[int] = 50
    #: Whether weights are chosen by the held-out rows, one by one.
    _chosen_by_rows: ClassVar[bool] = True

    epochs: int | None = None
    """Passes through the training rows, all phases together. Each model has a default, unless `steps` is given."""
    steps: int | None = None
    """Optimiser steps, all phases together: the other way to say how long to train."""
    batch_size: int | None = None
    """Samples for each step. By default 100, or all training rows where there are fewer."""
    learning_rate: float = 1e-3
    """Learning rate of AdamW at the start of a phase; it falls to zero as a cosine."""
    weight_decay: float = 1e-4
    """Weight decay of AdamW."""
    clip: float = 1.0
    """Gradients longer than this are scaled down to it."""
    validation_fraction: float = 0.1
    """Share of the rows that is held out to choose the best weights; at most 10,000 rows, and 256 MiB."""
    replicates: int = 1
    """Models trained at once, from the seeds seed, seed + 1, ...; the best one is used."""
    seed: int = 0
    """Seed of everything random: split, first weights, order of the batches."""
    progress: bool = True
    """Show a progress bar on a terminal, and lines elsewhere."""

    @abc.abstractmethod
    def _recipe(self, budget: Budget) -> train.Recipe:
        """How the module is trained."""

    def _check_params(self) -> None:
        if self.epochs is not None and self.steps is not None:
            raise ConfigError(f"epochs={self.epochs} and steps={self.steps} both say how long to train; give one.")
        for name in ("epochs", "steps", "batch_size"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name))
        require_count("replicates", self.replicates)
        require_seed(self.seed)
        require_flag("progress", self.progress)
        require_positive("learning_rate", self.learning_rate)
        require_positive("clip", self.clip)
        require_not_negative("weight_decay", self.weight_decay)
        require_fraction("validation_fraction", self.validation_fraction)
        self._check_model_params()

    @abc.abstractmethod
    def _check_model_params(self) -> None:
        """Refuses values of the model's own parameters that cannot work."""

    def _check_data(self, samples: Samples) -> None:
        self._check_columns(samples)
        self._budget(len(self.rows(samples)[0]))

    # ---- training

    def rows(self, samples: Samples | int) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " validation"]]:
        """The (training, validation) rows of samples, or of so many without groups; the same in every call."""
        return split_rows(samples, self.validation_fraction, self.seed)

    def _budget(self, rows: int) -> Budget:
        """Steps and batch size for this many training rows. Raises if these do not fill one batch."""
        batch_size = min(DEFAULT_BATCH, rows) if self.batch_size is None else self.batch_size
        if batch_size > rows:
            raise ConfigError(
                f"batch_size={batch_size} is larger than the {rows} training rows "
                f"(after {self.validation_fraction:.0%} "
                f"were held out). Give a batch_size of at most {rows}, or more data."
            )
        epochs = self.default_epochs if self.epochs is None else self.epochs
        steps = epochs * (rows // batch_size) if self.steps is None else self.steps
        return Budget(steps, batch_size, self.learning_rate, self.weight_decay, self.clip)

    def _train(self, samples: Samples, run: RunFolder | None, resume: bool) -> None:
        train_rows, validation_rows = self.rows(samples)
        scale = jnp.asarray(self.scaling_.scale, jnp.float32)
        context_size = len(self.context_names_) or None
        held_out = samples.take(validation_rows)
        try:
            fitted = train_replicates(
                self,
                lambda key: self._module(scale, context_size, key),
                self._recipe(self._budget(len(train_rows))),
                self._source(samples, train_rows),
                jax.tree.map(jnp.asarray, self._batch(held_out)),
                run,
                resume,
            )
        except DivergenceError as error:
            if error.validation and not self._chosen_by_rows:
                raise
            raise _located(error, samples, validation_rows if error.validation else train_rows) from error
        self.models_, self.best_ = fitted.model, 0
        self._measure(held_out)

    def _measure(self, held_out: Samples) -> None:
        """Fills `metrics_` and picks the best replicate, on validation rows."""
        found = [self.replicate(r)._evaluate(held_out) for r in range(self.replicates)]
        self.metrics_ = {name: np.array([values[name].mean() for values in found]) for name in found[0]}
        self.best_ = int(np.argmin(np.nan_to_num(next(iter(self.metrics_.values())), nan=np.inf)))
        self._remember(found[self.best_])

    @abc.abstractmethod
    def _check_columns(self, samples: Samples) -> None:
        """Refuses, or warns of, columns that the model cannot use; `scaling_` is known."""

    def _constant_columns(self) -> list[str]:
        """The names of the columns that do not vary. Raises if none varies."""
        refuse_equal_rows(self.scaling_)
        return [name for name, fixed in zip(self.feature_names_, self.scaling_.constant, strict=True) if fixed]

    def _warn_of_constant_columns(self) -> None:
        names = self._constant_columns()
        if names:
            warnings.warn(
                f"{len(names)} of {len(self.feature_names_)} columns are constant ({', '.join(names[:5])}"
                f"{', ...' if len(names) > 5 else ''}). The model learns to repeat them; leave them out if they mean "
                "nothing.",
                DataWarning,
                stacklevel=2,
            )

    def _batch(self, samples: Samples) -> dict[str, np.ndarray]:
        """Samples as the training sees them: centred, with standardised context, in float32."""
        batch = {"x": self.scaling_.centre(np.asarray(samples.X))}
        context = self._context(samples.context)
        return batch if context is None else batch | {"context": context}

    def _source(self, samples: Samples, rows: Int[np.ndarray, " train"]) -> train.AbstractSource:
        """Training rows on the device, or streamed if they stay on disk."""
        if not samples.is_lazy:
            return train.ArraySource({k: jnp.asarray(v) for k, v in self._batch(samples.take(rows)).items()})
        arrays: dict[str, Any] = {"x": CentredRows(samples.X, self.scaling_, rows)}
        context = self._context(samples.context)
        return train.StreamSource(arrays if context is None else arrays | {"context": context[rows]})


def _located(error: DivergenceError, samples: Samples, rows: Int[np.ndarray, " n"]) -> DivergenceError:
    """The error, in the words of the user's data: training and validation have rows of their own numbers."""
    if not error.rows:
        return error
    theirs = [int(rows[row]) for row in error.rows]
    named = listed([where(samples, row) for row in theirs], _NAMED)
    return DivergenceError(f"{error} In {samples.origin}: {named}.", rows=theirs, validation=error.validation)
