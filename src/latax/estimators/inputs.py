"""What users hand to an estimator, made into checked `Samples`."""

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from latax._errors import DataError
from latax.data import Samples, check_finite


def training_samples(estimator: Any, X: Any, context: Any) -> Samples:
    """The data to fit: at least two finite rows. Sets `n_features_in_` and, for named columns, `feature_names_in_`."""
    if not isinstance(X, Samples):
        X = _samples(estimator, X, context, reset=True)
    elif context is not None:
        raise DataError("The context is part of these Samples already; do not give it again.")
    else:
        estimator.n_features_in_ = X.X.shape[1]
    if len(X) < 2:
        raise DataError(
            f"The data have {len(X)} row (n_samples={len(X)}): that is not enough for a distribution. Give at least 2, "
            "and hundreds for a fit that means something."
        )
    check_finite(X)
    return X


def new_samples(estimator: Any, X: Any, context: Any) -> Samples:
    """Data for a fitted estimator: as many columns, and as much context, as it was fitted with."""
    if not isinstance(X, Samples):
        X = _samples(estimator, X, context, reset=False)
    elif X.X.shape[1] != estimator.n_features_in_:
        raise DataError(
            f"The data have {X.X.shape[1]} columns, but the model was fitted on {estimator.n_features_in_} "
            f"({_few(estimator.feature_names_)}). Give the same columns in the same order."
        )
    check_finite(X)
    check_context(estimator, X.context, len(X))
    return X


def check_context(estimator: Any, context: np.ndarray | None, rows: int) -> None:
    """Refuses a context where the model has none, none where it has one, and one of another size."""
    names = estimator.context_names_
    size = 0 if context is None else context.shape[1]
    if size != len(names):
        wanted = f"with {len(names)} context columns ({_few(names)})" if names else "without context"
        given = f"{size} context columns were given" if size else "no context was given"
        raise DataError(f"The model was fitted {wanted}, but {given}. Give context=... as it was in fit.")
    if context is not None and len(context) != rows:
        raise DataError(f"The context has {len(context)} rows for {rows} samples. Give one row for each sample.")


def context_array(context: Any) -> np.ndarray | None:
    """The context as an (N, c) array of floats."""
    if context is None:
        return None
    array = np.asarray(context, np.float64)
    return array[:, None] if array.ndim == 1 else array


def _samples(estimator: Any, X: Any, context: Any, reset: bool) -> Samples:
    shape: tuple[int, ...] = ()
    if isinstance(X, np.ndarray) and X.ndim > 2 and X.dtype.kind in "fiub":
        shape, X = X.shape[1:], X.reshape(len(X), -1)
    options = {"dtype": [np.float64, np.float32], "ensure_all_finite": False, "reset": reset}
    array = validate_data(estimator, X, **options)
    names = tuple(getattr(estimator, "feature_names_in_", ()))
    return Samples(X=array, context=context_array(context), feature_names=names, sample_shape=shape, origin="array")


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 6 else ", ".join(names[:5]) + f", ... {names[-1]}"
