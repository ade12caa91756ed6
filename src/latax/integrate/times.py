"""The times at which a solution is wanted."""

import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from latax._errors import DataError


def are_known(ts: Float[Array | np.ndarray, " T"]) -> bool:
    """Whether these times have values yet: inside compiled code, arguments have only shapes."""
    return not isinstance(ts, Tracer)


def since_first(
    ts: Float[Array | np.ndarray, " T"], first: float | Float[Array, ""]
) -> Float[Array | np.ndarray, " T"]:
    """ts - first, in double precision where the times are known: large times differ by what single precision lacks."""
    return np.asarray(ts, np.float64) - float(first) if are_known(ts) else ts - first


def check_times(ts: Float[Array | np.ndarray, " T"]) -> None:
    """Raise `DataError` when the times, if they are known, are not finite and increasing."""
    if np.ndim(ts) != 1 or np.size(ts) == 0:
        raise DataError(f"the times have shape {np.shape(ts)}; expected a list of at least one time.")
    if not are_known(ts):
        return
    values = np.asarray(ts)
    if not np.isfinite(values).all():
        raise DataError(f"time {int(np.flatnonzero(~np.isfinite(values))[0])} (the first is 0) is not a finite number.")
    late = np.flatnonzero(np.diff(values) <= 0)
    if late.size:
        i = int(late[0])
        what = "repeated" if values[i] == values[i + 1] else "not in order"
        raise DataError(
            f"the times are {what}: time {i} (the first is 0) is {values[i]:g} and the next is {values[i + 1]:g}. "
            "Sort the times, each with its column of the data, and give every time once."
        )
