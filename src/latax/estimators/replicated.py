"""An estimator of several models that were fitted at once, of which one speaks."""

import os
import re
from typing import Any, ClassVar, TypeVar

import equinox as eqx
import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from latax._by_name import anywhere
from latax._errors import ConfigError
from latax.train.identity import of_arrays

Fitted = TypeVar("Fitted", bound="Replicated")

#: Where an object lies in memory, which is another place in the next process.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Replicated(BaseEstimator):
    """What all estimators share: arguments that a file can hold, and replicates.

    A fitted one has `models_`, every array with a leading replicate axis, and `best_`, the replicate that is used.
    """

    #: Arguments that may name a folder.
    _folders: ClassVar[tuple[str, ...]] = ()

    models_: Any
    best_: int

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has finished."""
        return "models_" in vars(self)

    def replicate(self: Fitted, index: int) -> Fitted:
        """The same fitted estimator, speaking for another replicate; what was measured of the best one stays."""
        check_is_fitted(self)
        if not 0 <= index < self.n_replicates_:
            raise ConfigError(f"replicate={index} is not there: the fit has replicates 0 to {self.n_replicates_ - 1}.")
        other = type(self)(**self.get_params(deep=False))
        vars(other).update(vars(self), best_=index)
        return other

    @property
    def n_replicates_(self) -> int:
        """How many models were trained."""
        return len(jax.tree.leaves(eqx.filter(self.models_, eqx.is_array))[0])

    @property
    def _model(self) -> Any:
        """The replicate that is used, as it was trained."""
        check_is_fitted(self)
        arrays, static = eqx.partition(self.models_, eqx.is_array)
        return eqx.combine(jax.tree.map(lambda a: a[self.best_], arrays), static)

    def _params(self) -> dict[str, Any]:
        """The constructor's arguments as JSON can hold them, the same in every process and folder: objects by their
        description, files and folders by their whole path."""
        given = self.get_params(deep=False)
        return {name: _plain(value, name in self._folders) for name, value in given.items()}


def _plain(value: Any, may_be_folder: bool) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, os.PathLike):
        value, may_be_folder = os.fspath(value), True
    if isinstance(value, str):
        return os.path.abspath(value) if may_be_folder and os.path.isdir(value) else anywhere(value)
    return value if isinstance(value, bool | int | float | None) else _described(value)


def _described(value: Any) -> str:
    """An object in words, with a digest of the arrays in it, whose values its own words leave out."""
    words = _ADDRESS.sub("", repr(value))
    arrays = [leaf for leaf in jax.tree.leaves(value) if isinstance(leaf, jax.Array | np.ndarray)]
    return f"{words.removesuffix(')').rstrip()}, arrays {of_arrays(arrays)})" if arrays else words
