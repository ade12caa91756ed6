"""An estimator of several models that were fitted at once, of which one speaks."""

import abc
import os
import re
from typing import Any, ClassVar, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PyTree
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from latax._by_name import anywhere
from latax._errors import ConfigError
from latax.train.identity import of_arrays

Fitted = TypeVar("Fitted", bound="Replicated")

#: Where an object lies in memory, which is another place in the next process.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Replicated(BaseEstimator, abc.ABC):
    """What all estimators share: arguments that a file can hold, replicates, and copies between processes.

    A fitted one has `models_`, every array with a leading replicate axis, and `best_`, the replicate that is used.
    """

    #: Arguments that may name a folder, and attributes that are made again where they are missing.
    _folders: ClassVar[tuple[str, ...]] = ()
    _remade: ClassVar[tuple[str, ...]] = ()

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
        return eqx.combine(_one_of(arrays, jnp.asarray(self.best_)), static)

    @abc.abstractmethod
    def _like(self, replicates: int) -> tuple[PyTree, Any]:
        """(shapes of the arrays of `models_`, everything else), without computing anything."""

    def __getstate__(self) -> dict[str, Any]:
        """For copies between processes: the modules as arrays only, since their functions cannot be pickled."""
        state: dict[str, Any] = {**super().__getstate__()}  # pyright: ignore[reportGeneralTypeIssues]
        if "models_" in state:
            arrays = jax.tree.leaves(eqx.filter(self.models_, eqx.is_array))
            state["models_"] = [np.asarray(leaf) for leaf in arrays]
        return {name: value for name, value in state.items() if name not in self._remade}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The inverse of `__getstate__`."""
        super().__setstate__(state)
        leaves = vars(self).pop("models_", None)
        if leaves is not None:
            shapes, static = self._like(len(leaves[0]))
            arrays = jax.tree.unflatten(jax.tree.structure(shapes), [jnp.asarray(leaf) for leaf in leaves])
            self.models_ = eqx.combine(arrays, static)

    def _params(self) -> dict[str, Any]:
        """The constructor's arguments as JSON can hold them, the same in every process and folder: objects by their
        description, files and folders by their whole path."""
        given = self.get_params(deep=False)
        return {name: _plain(value, name in self._folders) for name, value in given.items()}


@jax.jit
def _one_of(arrays: PyTree, index: Int[Array, ""]) -> PyTree:
    """One replicate: by a single program, since each shape would take one of its own."""
    return jax.tree.map(lambda leaf: leaf[index], arrays)


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
