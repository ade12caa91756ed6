"""What users hand to an estimator, made into checked `Samples`."""

import warnings
from typing import Any

import jax.random as jr
import numpy as np
from jaxtyping import Float, Shaped
from sklearn.utils.validation import check_is_fitted, validate_data

from latax._errors import DataError, DataWarning
from latax._wording import counted
from latax.data import Samples, check_finite
from latax.data.samples import default_names
from latax.estimators.params import require_count, require_seed
from latax.estimators.sequences import named_times

#: Times are the same up to this share of the shortest interval: files round.
_TIMES_SLACK = 0.01


def training_samples(estimator: Any, X: Any, context: Any) -> Samples:
    """The data to fit as `Samples`. Sets `n_features_in_` and, for named columns, `feature_names_in_`."""
    if not isinstance(X, Samples):
        return _samples(estimator, X, context, reset=True)
    _refuse_second_context(context)
    return X


def check_training(samples: Samples) -> None:
    """Refuses fewer than two rows, and numbers that are not finite."""
    if len(samples) < 2:
        raise DataError(
            f"The data have {len(samples)} row (n_samples={len(samples)}): that is not enough for a distribution. Give "
            "at least 2, and hundreds for a fit that means something."
        )
    check_finite(samples)


def new_samples(estimator: Any, X: Any, context: Any) -> Samples:
    """Data for a fitted estimator: as many columns, and as much context, as it was fitted with."""
    X = new_rows(estimator, X, context)
    check_context(estimator, X.context, len(X))
    return X


def new_rows(estimator: Any, X: Any, context: Any = None) -> Samples:
    """`new_samples` where it does not matter whether the data have a context."""
    if not isinstance(X, Samples):
        X = _samples(estimator, X, context, reset=False)
    else:
        _refuse_second_context(context)
        check_columns(estimator, X)
        if not len(X):
            raise DataError("The data have no rows. Give at least one sample.")
    check_finite(X)
    return X


def _refuse_second_context(context: Any) -> None:
    if context is not None:
        raise DataError("The context is part of these Samples already; do not give it again.")


def check_columns(estimator: Any, samples: Samples) -> None:
    """Refuses other columns than those of the fit, and other times; warns of other names."""
    fitted, given = estimator.feature_names_, samples.feature_names
    if len(given) != len(fitted):
        raise DataError(
            f"The data have {len(given)} columns ({_few(given)}), but the model was fitted on {len(fitted)} "
            f"({_few(fitted)}). Give the same columns in the same order."
        )
    if given != fitted and set(given) == set(fitted):
        raise DataError(
            f"The columns are in another order ({_few(given)}) than those the model was fitted on ({_few(fitted)}). "
            "Bring them into that order."
        )
    if given != fitted and default_names(samples.sample_shape) not in (given, fitted):
        warnings.warn(
            f"The columns are named {_few(given)}, and the model was fitted on {_few(fitted)}: "
            "they are taken to be the same, in this order.",
            DataWarning,
            stacklevel=2,
        )
    _check_times(estimator, samples)


def _check_times(estimator: Any, samples: Samples) -> None:
    """Refuses samples at other times than those of the fit."""
    fitted, given = getattr(estimator, "times_", None), samples.times
    if given is None:
        given = named_times(samples.feature_names)
    if not fitted or given is None or len(given) != len(fitted):
        return
    bad = np.flatnonzero(np.abs(np.asarray(given, float) - fitted) > _TIMES_SLACK * np.diff(fitted).min())
    if len(bad):
        first = bad[0]
        raise DataError(
            f"Entry {first} of the data is at time {given[first]:g}, and the model was fitted on sequences where it is "
            f"at {fitted[first]:g}. Give sequences at the same times, in the same unit, or fit a model to these."
        )


def check_context(estimator: Any, context: np.ndarray | None, rows: int) -> None:
    """Refuses a context where the model has none, none where it has one, and one of another size."""
    names = estimator.context_names_
    size = 0 if context is None else context.shape[1]
    if size != len(names):
        wanted = f"with {counted(len(names), 'context column')} ({_few(names)})" if names else "without context"
        given = (
            f"{counted(size, 'column')} of context {'was' if size == 1 else 'were'} given" if size else "none was given"
        )
        cure = "Give the context as it was in fit." if names else "Leave the context out."
        raise DataError(f"The model was fitted {wanted}, but {given}. {cure}")
    if context is not None and len(context) != rows:
        raise DataError(f"The context has {len(context)} rows for {rows} samples. Give one row for each sample.")


def drawing(
    estimator: Any, n: int, context: Any, seed: int
) -> tuple[Shaped[np.ndarray, "N key"], Float[np.ndarray, "N c"] | None]:
    """A key for each of `n` draws, the same for the same seed, and the context of each: n rows, or one for all."""
    check_is_fitted(estimator)
    require_count("n", n)
    require_seed(seed)
    theta = context_array(context)
    if theta is not None and len(theta) == 1:
        theta = np.repeat(theta, n, axis=0)
    check_context(estimator, theta, n)
    return np.asarray(jr.key_data(jr.split(jr.key(seed), n))), theta


def check_names(estimator: Any, names: Any) -> None:
    """Refuses names of columns, where some are given, other than those of the fit. The words are scikit-learn's."""
    if names is None:
        return
    fitted = getattr(estimator, "feature_names_in_", None)
    if len(names) != estimator.n_features_in_:
        raise DataError(
            f"input_features should have length equal to the number of columns in fit ({estimator.n_features_in_}), "
            f"got {len(names)}. Leave them out."
        )
    if fitted is not None and list(names) != list(fitted):
        raise DataError("input_features is not equal to feature_names_in_, the columns in fit. Leave them out.")


def context_array(context: Any) -> np.ndarray | None:
    """The context as an (N, c) array of floats."""
    if context is None:
        return None
    array = np.asarray(context, np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not np.isfinite(array).all():
        raise DataError(
            f"The context has shape {array.shape}{_not_finite(array)}; expected finite numbers of shape (N, c): "
            "one row "
            "for each sample."
        )
    return array


def latent_array(Z: Any, size: int) -> Float[np.ndarray, "N n"]:
    """Latent coordinates that can be decoded, in float32."""
    array = np.asarray(Z, np.float64)
    if array.ndim != 2 or array.shape[1] != size or not len(array) or not np.isfinite(array).all():
        raise DataError(
            f"Z has shape {array.shape}{_not_finite(array)}; expected finite latent coordinates "
            f"of shape (N, {size}), as "
            "`transform` gives them."
        )
    return array.astype(np.float32)


def _not_finite(array: np.ndarray) -> str:
    count = int((~np.isfinite(array)).sum())
    return f" and {count} values that are not finite" if count else ""


def _samples(estimator: Any, X: Any, context: Any, reset: bool) -> Samples:
    shape: tuple[int, ...] = ()
    if isinstance(X, np.ndarray) and X.ndim > 2 and X.dtype.kind in "fiub":
        shape, X = X.shape[1:], X.reshape(len(X), -1)
    options: dict[str, Any] = {"X": X, "dtype": [np.float64, np.float32], "ensure_all_finite": False, "reset": reset}
    try:
        array: Any = validate_data(estimator, **options)
    except ValueError as error:  # scikit-learn says what is wrong; what to do depends on the place
        said = " ".join(str(error).split())
        cure = "Give an (N, d) array of numbers." if reset else "Give the same columns that the model was fitted on."
        if "Reshape your data" in said:  # a cure already
            cure = ""
        raise DataError(f"{_text_columns(X)}{said.rstrip('.')}. {cure}".rstrip()) from error
    names = tuple(getattr(estimator, "feature_names_in_", ()))
    return Samples(X=array, context=context_array(context), feature_names=names, sample_shape=shape, origin="array")


def _text_columns(X: Any) -> str:
    """Which columns of a data frame hold no numbers, as a sentence; nothing for what has no columns with types."""
    types = getattr(X, "dtypes", None)
    if types is None or not hasattr(types, "items"):
        return ""
    text = tuple(str(name) for name, kind in types.items() if getattr(kind, "kind", "O") not in "fiub")
    return f"Columns that hold no numbers: {_few(text)}. Leave them out or encode them. " if text else ""


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 6 else ", ".join(names[:5]) + f", ... {names[-1]}"
